"""Parquet tables: a column of architectures and columns of numbers. Needs the package pyarrow, which is optional."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nas_core.bench._columns import is_nameless
from nas_core.bench.importers._architecture_column import Sought, architecture_columns
from nas_core.bench.importers._registry import Block, register

_MAGIC = b"PAR1"
_ROWS = 50_000


def recognises(path: Path) -> bool:
    """Whether `path` starts with the four bytes of the format."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


@register("parquet", "a Parquet table with a column of architectures", recognises, has_columns=True)
def blocks(path: Path, sought: Sought) -> Iterator[Block]:
    """Rows of the table; columns of another type than numbers are skipped, and those without a name do not count."""
    try:
        import pyarrow as arrow
        import pyarrow.parquet as tables
    except ImportError as error:
        raise ValueError("reading Parquet needs the package pyarrow; install it with: pip install pyarrow") from error
    with tables.ParquetFile(path) as table:
        names = [name for name in table.schema_arrow.names if name == sought.column or not is_nameless(name)]
        kinds = {field.name: field.type for field in table.schema_arrow if field.name in names}
        archs = architecture_columns(names, sought)
        numeric = (arrow.types.is_integer, arrow.types.is_floating, arrow.types.is_boolean)
        metrics = [name for name, kind in kinds.items() if name not in archs and any(check(kind) for check in numeric)]
        if not metrics:
            raise ValueError(f"it has no column of numbers beside {archs[0]!r}")
        skipped = [name for name in kinds if name not in archs and name not in metrics]
        done = 0
        for batch in table.iter_batches(batch_size=_ROWS, columns=[*archs, *metrics]):
            frame = batch.to_pandas()
            done += len(frame)
            values = {name: frame[name].to_numpy(dtype=float, na_value=float("nan")) for name in metrics}
            texts = [",".join(map(str, row)) for row in frame[archs].itertuples(index=False)]
            share = done / table.metadata.num_rows
            yield Block(texts, values, share, skipped, by_decision=len(archs) > 1)
