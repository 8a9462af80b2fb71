"""How a table is written: CSV and Parquet, as a stream of bytes that holds no more than one data frame at a time.

Numbers are written to the last bit. Parquet needs the package pyarrow, which is optional.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pandas as pd

from app.take_away._tables import Taken

if TYPE_CHECKING:
    import pyarrow

NO_PARQUET = "Parquet needs the package pyarrow; install it with: pip install pyarrow"


def lacking(ending: str) -> str:
    """Why files of an ending cannot be written here, in a sentence; empty where they can."""
    return NO_PARQUET if ending == "parquet" and find_spec("pyarrow") is None else ""


def csv(taken: Taken) -> Iterator[bytes]:
    """A table as CSV in UTF-8: a line of names, then one line a row; what is not known is empty."""
    for number, frame in enumerate(taken.frames):
        yield frame.to_csv(index=False, header=not number, lineterminator="\n").encode()


def parquet(taken: Taken) -> Iterator[bytes]:
    """A table as Parquet, one row group a data frame; the rung of a column is in its metadata."""
    import pyarrow as arrow
    import pyarrow.parquet as tables

    sink = _Sink()
    writer: Any = None
    for frame in taken.frames:
        if writer is None:
            schema = _schema(frame, taken.rungs)
            writer = tables.ParquetWriter(arrow.PythonFile(sink, mode="w"), schema)
        writer.write_table(arrow.Table.from_pandas(frame, schema=writer.schema, preserve_index=False))
        yield sink.taken()
    writer.close()
    yield sink.taken()


FORMATS: dict[str, tuple[str, Callable[[Taken], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv),
    "parquet": ("application/vnd.apache.parquet", parquet),
}
"""By ending: the media type and what writes it."""


def _schema(frame: pd.DataFrame, rungs: Mapping[str, str]) -> pyarrow.Schema:
    """The types of the columns; a column without any value yet is one of text or, with a rung, of numbers."""
    import pyarrow as arrow

    found = arrow.Schema.from_pandas(frame, preserve_index=False)
    fields = []
    for one in found:
        kind = one.type
        if arrow.types.is_null(kind):
            kind = arrow.float64() if one.name in rungs else arrow.string()
        about = {"rung": rungs[one.name]} if one.name in rungs else None
        fields.append(arrow.field(one.name, kind, metadata=about))
    return arrow.schema(fields)


class _Sink(io.RawIOBase):
    """A file that is only written to, and gives away what was written since it was asked last."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._held += content
        size = memoryview(content).nbytes
        self._written += size
        return size

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        """What was written since the last call."""
        content = bytes(self._held)
        self._held.clear()
        return content
