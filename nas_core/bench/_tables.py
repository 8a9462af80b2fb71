"""Tables of results that a user imported: where they lie, and how they are written, read back and removed.

A table is one packed CSV file. Its first line says what the columns are about; a table of before has no such line."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pandas as pd

from nas_core.bench._columns import Column, Table, inferred
from nas_core.single_flight import one_at_a_time

ENDING = ".csv.gz"
MARK = "# NAS Helm table "
"""How the line about the columns begins; a JSON object follows."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=,;+-]{0,199}")


def home() -> Path:
    """The folder of a user's data: the environment variable NAS_HELM_HOME, else `~/.nas_helm`."""
    return Path(os.environ.get("NAS_HELM_HOME") or "~/.nas_helm").expanduser()


def location(space: str, name: str) -> Path:
    """Where the table `name` of `space` lies, whether or not it exists.

    Raises:
        ValueError: a name that is no plain file name.
    """
    for what, text, allowed in (("space", space, _SPACE), ("table", name, _NAME)):
        if not allowed.fullmatch(text):
            raise ValueError(f"{text!r} is no name of a {what}; expected letters, digits, '.', '_' and '-'")
    return home() / "bench" / quote(space, safe="") / (name + ENDING)


def names(space: str) -> list[str]:
    """Names of the tables imported for `space`, in alphabetical order."""
    folder = location(space, "any").parent
    return sorted(file.name.removesuffix(ENDING) for file in folder.glob(f"*{ENDING}") if file.is_file())


def spaces_with_tables() -> list[str]:
    """Names of the spaces that something was imported for, in alphabetical order."""
    folders = (folder for folder in (home() / "bench").glob("*") if folder.is_dir())
    return sorted(name for folder in folders if _SPACE.fullmatch(name := unquote(folder.name)) and names(name))


def described(space: str, name: str) -> Table:
    """What the table `name` of `space` holds; a damaged one is described by its problem.

    Raises:
        ValueError: there is no such table.
    """
    path = _existing(space, name)
    status = path.stat()
    try:
        columns, rows = _described(path, status.st_mtime_ns, status.st_size)
    except ValueError as error:
        return Table(name, (), 0, str(error))
    return Table(name, columns, rows)


def read(space: str, name: str) -> pd.DataFrame:
    """The table `name` of `space`: metrics indexed by architecture text. Treat the frame as read-only.

    Raises:
        ValueError: there is no such table, or it is damaged.
    """
    path = _existing(space, name)
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


def write(table: pd.DataFrame, path: Path, columns: Sequence[Column] = ()) -> None:
    """Write metrics indexed by architecture text as CSV, packed if the name ends in `.gz`; whole or not at all.

    With `columns` the first line says what they are about.
    """
    first = ""
    if columns:
        about = {"rows": len(table), "columns": [column.to_dict() for column in columns]}
        first = f"{MARK}{json.dumps(about, ensure_ascii=False)}\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            if path.suffix == ".gz":
                # No time and no name in the header: equal tables are equal files.
                with gzip.GzipFile("", "wb", mtime=0, fileobj=file) as packed, _text(packed) as text:
                    text.write(first)
                    table.to_csv(text)
            else:
                file.write((first + table.to_csv()).encode())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove(space: str, name: str) -> None:
    """Delete an imported table.

    Raises:
        ValueError: there is no such table.
    """
    path = _existing(space, name)
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def columns_of(line: str) -> list[Column]:
    """What the first line of a table says of its columns; nothing where it is another line, or damaged."""
    try:
        return [Column.from_dict(column) for column in json.loads(line.removeprefix(MARK))["columns"]]
    except (ValueError, KeyError, TypeError):
        return []


def _existing(space: str, name: str) -> Path:
    path = location(space, name)
    if not path.is_file():
        known = ", ".join(names(space)) or "none yet; make one with: bench import"
        raise ValueError(f"no imported table {name!r} for space {space!r}; expected one of: {known}")
    return path


@lru_cache(maxsize=64)
def _described(path: Path, changed: int, size: int) -> tuple[tuple[Column, ...], int]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            first = file.readline()
            about: dict[str, Any] = json.loads(first.removeprefix(MARK)) if first.startswith(MARK) else {}
    except (ValueError, OSError, EOFError):
        about = {}  # reading the whole table says what is wrong with it
    known = columns_of(json.dumps(about))
    if known:
        return tuple(known), int(about.get("rows") or 0)
    table = _read(path, changed, size)
    return tuple(inferred(str(name), table[name].to_numpy()) for name in table), len(table)


@one_at_a_time
@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> pd.DataFrame:
    """`changed` and `size` make a table that was imported anew another entry of the cache."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            first = file.readline()
            rest = file if first.startswith(MARK) else io.StringIO(first + file.read(), newline="")
            table = pd.read_csv(rest, index_col="arch", dtype={"arch": str})
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} is damaged ({error}); import it again") from error
    return table.astype(float)


def _text(packed: gzip.GzipFile) -> io.TextIOWrapper:
    return io.TextIOWrapper(packed, encoding="utf-8", newline="")
