"""Tables of results that a user imported: where they lie, and how they are written and read back."""

from __future__ import annotations

import gzip
import io
import os
import re
from functools import lru_cache
from pathlib import Path

import pandas as pd

ENDING = ".csv.gz"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def home() -> Path:
    """The folder of a user's data: the environment variable NAS_HELM_HOME, else `~/.nas_helm`."""
    return Path(os.environ.get("NAS_HELM_HOME") or "~/.nas_helm").expanduser()


def location(space: str, name: str) -> Path:
    """Where the table `name` of `space` lies, whether or not it exists.

    Raises:
        ValueError: a name that is no plain file name.
    """
    for what, text in (("space", space), ("table", name)):
        if not _NAME.fullmatch(text):
            raise ValueError(f"{text!r} is no name of a {what}; expected letters, digits, '.', '_' and '-'")
    return home() / "bench" / space / (name + ENDING)


def tables(space: str) -> list[str]:
    """Names of the tables imported for `space`, in alphabetical order."""
    folder = location(space, "any").parent
    return sorted(file.name.removesuffix(ENDING) for file in folder.glob(f"*{ENDING}") if file.is_file())


def read(space: str, name: str) -> pd.DataFrame:
    """The table `name` of `space`: metrics indexed by architecture text. Treat the frame as read-only.

    Raises:
        ValueError: there is no such table, or it is damaged.
    """
    path = location(space, name)
    if not path.is_file():
        known = ", ".join(tables(space)) or "none yet; make one with: bench import"
        raise ValueError(f"no imported table {name!r} for space {space!r}; expected one of: {known}")
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> pd.DataFrame:
    """`changed` and `size` make a table that was imported anew another entry of the cache."""
    try:
        table = pd.read_csv(path, index_col="arch", dtype={"arch": str})
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} is damaged ({error}); import it again") from error
    return table.astype(float)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write metrics indexed by architecture text as CSV, packed if the name ends in `.gz`; whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            if path.suffix == ".gz":
                # No time and no name in the header: equal tables are equal files.
                with gzip.GzipFile("", "wb", mtime=0, fileobj=file) as packed, io.TextIOWrapper(packed) as text:
                    table.to_csv(text)
            else:
                file.write(table.to_csv().encode())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
