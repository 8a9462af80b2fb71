"""Tables of text: a header, architectures (a column, or one a decision) and columns of numbers; plain, gzip or bzip2.

Separated by comma, semicolon or tab, UTF-8, a row a line. Read in parts of a few megabytes, whatever the size.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from nas_core.bench._bounded import BoundedReader, open_bounded
from nas_core.bench._columns import Column, is_nameless
from nas_core.bench._tables import MARK, columns_of
from nas_core.bench.importers._architecture_column import Sought, architecture_columns
from nas_core.bench.importers._registry import Block, register

# What a table may unpack to; memory does not grow with it.
FILE_LIMIT = 64 * 2**30
_PART = 4 * 2**20
_HEADER = 2**20
_SAMPLE_ROWS = 1000


def recognises(path: Path) -> bool:
    """Whether `path` is a text whose first line has two fields or more."""
    if not path.is_file():
        return False
    try:
        with open_bounded(path, FILE_LIMIT) as file:
            start = file.read(4096)
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except (ValueError, OSError, EOFError):
        return False
    first = text.splitlines()[:1]
    return bool(first) and not first[0].lstrip().startswith("{") and "\0" not in text and len(_fields(first[0])) > 1


@register("csv", "a table of text with a column of architectures, also .csv.gz", recognises, has_columns=True)
def blocks(path: Path, sought: Sought) -> Iterator[Block]:
    """Rows of the table; columns whose first rows are no numbers are skipped, and those without a name do not count."""
    with open_bounded(path, FILE_LIMIT) as file:
        header, line, described = _header(file)
        columns = [name for name in _fields(header) if name == sought.column or not is_nameless(name)]
        archs = architecture_columns(columns, sought)
        metrics: list[str] = []
        skipped: list[str] = []
        for part in _parts(file):
            if not metrics:
                metrics = _numeric(_frame(header, part, line, rows=_SAMPLE_ROWS)[columns], archs)
                skipped = [name for name in columns if name not in archs and name not in metrics]
                if not metrics:
                    raise ValueError(f"it has no column of numbers beside {archs[0]!r}")
            frame = _frame(header, part, line, usecols=[*archs, *metrics], dtype=dict.fromkeys(archs, str))
            values = {name: pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float) for name in metrics}
            texts = frame[archs[0]].fillna("")
            texts = texts.str.cat([frame[name].fillna("") for name in archs[1:]], sep=",") if archs[1:] else texts
            by_decision = len(archs) > 1
            yield Block(texts.tolist(), values, file.share(), skipped, by_decision=by_decision, described=described)
            line += part.count(b"\n")


def _header(file: BoundedReader) -> tuple[str, int, list[Column]]:
    """The names of the columns, the number of the next line, and what a line before says of the columns: one of our
    own tables has such a line."""
    line, number, described = file.readline(_HEADER), 2, []
    if line.startswith(MARK.encode()):
        described = columns_of(line.decode("utf-8", "replace"))
        line, number = file.readline(_HEADER), 3
    if not line.strip():
        raise ValueError("its first line is empty; expected the names of columns")
    if len(line) == _HEADER:
        raise ValueError(f"its first line has more than {_HEADER:,} bytes; expected the names of columns")
    try:
        return line.decode("utf-8-sig").rstrip("\r\n"), number, described
    except UnicodeDecodeError as error:
        raise ValueError("it is no UTF-8 text") from error


def _separator(header: str) -> str:
    return max(",;\t", key=header.count)


def _fields(header: str) -> list[str]:
    return next(csv.reader([header], delimiter=_separator(header)), [])


def _parts(file: BoundedReader) -> Iterator[bytes]:
    """Whole lines, a few megabytes at a time."""
    rest = b""
    while part := file.read(_PART):
        cut = part.rfind(b"\n") + 1
        if not cut and len(part) == _PART:
            raise ValueError(f"a line of it has more than {_PART:,} bytes; expected a row a line")
        if cut:
            yield rest + part[:cut]
            rest = b""
        rest += part[cut:]
    if rest.strip():
        yield rest


def _frame(
    header: str,
    part: bytes,
    line: int,
    *,
    rows: int | None = None,
    usecols: list[str] | None = None,
    dtype: dict[str, type] | type = str,
) -> pd.DataFrame:
    """Rows of `part`, whose first line is number `line` of the file."""
    text = io.BytesIO(header.encode() + b"\n" + part)
    try:
        with warnings.catch_warnings():
            # A row longer than the header would lose fields with no more than this warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                text,
                sep=_separator(header),
                nrows=rows,
                usecols=usecols,
                dtype=dtype,
                index_col=False,
                low_memory=False,
                encoding="utf-8",
            )
    except UnicodeDecodeError as error:
        raise ValueError("it is no UTF-8 text") from error
    except pd.errors.ParserWarning as error:
        raise ValueError(f"a row from line {line:,} on has more fields than the header") from error
    except pd.errors.ParserError as error:
        reason = re.sub(r"(line|row) (\d+)", lambda found: f"line {int(found[2]) + line - 2:,}", str(error))
        raise ValueError(reason.removeprefix("Error tokenizing data. C error: ").strip()) from error


def _numeric(sample: pd.DataFrame, archs: list[str]) -> list[str]:
    """Columns at least half of whose filled cells are numbers."""
    found = []
    for name in sample.columns:
        filled = sample[name].dropna()
        if name not in archs and pd.to_numeric(filled, errors="coerce").notna().sum() * 2 >= len(filled):
            found.append(name)
    return found
