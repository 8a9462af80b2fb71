"""From a published file of results to one tidy table: architectures in the notation of a space, columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nas_core import spaces
from nas_core.bench import _tables, importers
from nas_core.bench._columns import Column
from nas_core.bench._corrections import Corrections
from nas_core.bench._truth import check_name
from nas_core.spaces import Architecture, Decision, SearchSpace

# Bounds the table in memory, whatever a file names as columns.
_COLUMN_LIMIT = 4096
_REMEMBERED_TEXTS = 2**17
_UNKNOWN = -1


@dataclass(frozen=True)
class ImportReport:
    """What an import made and what it found on the way.

    `rows` were read, of which `unknown` name no architecture of the space (`first_unknown` is one of them) and
    `duplicates` repeat an architecture in the same columns; those were averaged. `not_finite` cells were NaN, infinite
    or missing. `skipped` columns hold no numbers. `described` says what each of the `columns` is about.
    """

    path: str
    format: str
    architectures: int
    columns: tuple[str, ...]
    rows: int
    unknown: int
    first_unknown: str | None
    duplicates: int
    not_finite: int
    skipped: tuple[str, ...]
    described: tuple[Column, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self) | {"described": [column.to_dict() for column in self.described]}

    def describe(self) -> str:
        """One line for people."""
        parts = [f"{self.path}: {self.architectures:,} architectures, {len(self.columns):,} columns ({self.format})"]
        if self.unknown:
            parts.append(f"{self.unknown:,} unknown architectures left out, the first {self.first_unknown!r}")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} duplicated rows averaged")
        if self.not_finite:
            parts.append(f"{self.not_finite:,} values NaN, infinite or missing")
        if self.skipped:
            parts.append(f"columns without numbers left out: {', '.join(self.skipped)}")
        return "; ".join(parts)


def import_results(
    path: str | Path,
    space: str,
    *,
    format: str = "auto",
    column: str | None = None,
    name: str | None = None,
    out: str | Path | None = None,
    corrections: Corrections | None = None,
    progress: Callable[[float], None] | None = None,
) -> ImportReport:
    """Read published results and keep them as a table that `truth(space, name)` gives back, beside those there are.

    Args:
        path: file or folder in one of the formats of `nas_core.bench.importers`.
        space: the search space whose architectures are meant; others are counted and left out.
        format: name of a format, or auto.
        column: column of architectures, where the format has columns.
        name: name of the table; from `path` if not given.
        out: a file `.csv` or `.csv.gz` to write instead of a named table.
        corrections: kinds, units and directions of columns that the importer does not know, or has wrong.
        progress: called with the share that has been read, from 0 to 1.

    Raises:
        ValueError: bad arguments, or a file that cannot be read or has no architecture of the space. Nothing is
            written then, and nothing that a file holds is ever run.
    """
    source, known = Path(path).expanduser(), spaces.get(space)
    if not source.exists():
        raise ValueError(f"there is no {str(path)!r}; expected a file or folder of results")
    target = _target(source, space, name, out)
    chosen = importers.recognise(source) if format == "auto" else importers.get(format)
    if column is not None and not chosen.has_columns:
        raise ValueError(f"--column {column!r} has no meaning for {source}, which is read as {chosen.name}")
    results = _Results(known)
    own: dict[str, Column] = {}
    try:
        sought = importers.Sought(column, tuple(decision.name for decision in known.decisions))
        for block in chosen.blocks(source, sought):
            results.add(block)
            own = {column.name: column for column in block.described}
            if progress is not None:
                progress(block.done)
    except MemoryError as error:
        raise ValueError(f"{source} cannot be read as {chosen.name}: it needs more memory than there is") from error
    except Exception as error:  # a damaged or hostile file makes decoders raise almost anything
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise ValueError(f"{source} cannot be read as {chosen.name}: {reason}") from error
    table = results.table()
    if table.empty:
        seen = f"none of its {results.rows:,} architectures, such as {results.first_unknown!r}, is one"
        raise ValueError(f"{source} has no architecture of {space}: {seen if results.rows else 'it has no rows'}")
    (corrections := corrections or Corrections()).check(list(table))
    described = tuple(
        corrections.applied(own.get(name) or chosen.describe(name, table[name].to_numpy())) for name in table
    )
    if out is None:
        target.parent.mkdir(parents=True, exist_ok=True)
    _tables.write(table, target, described if out is None else ())
    return ImportReport(
        path=str(target),
        format=chosen.name,
        architectures=len(table),
        columns=tuple(table.columns),
        rows=results.rows,
        unknown=results.unknown,
        first_unknown=results.first_unknown,
        duplicates=results.duplicates,
        not_finite=results.not_finite,
        skipped=results.skipped,
        described=described,
    )


def _target(source: Path, space: str, name: str | None, out: str | Path | None) -> Path:
    if out is None:
        plain = re.sub(r"(\.(csv|json|pth|pt|pickle|pkl|parquet|gz|bz2|pbz2))+$", "", source.resolve().name)
        found = name or re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-_") or "imported"
        check_name(space, found)
        return _tables.location(space, found)
    if name is not None:
        raise ValueError(f"--name {name!r} and --out {str(out)!r} exclude each other; give one")
    target = Path(out).expanduser()
    if target.is_dir():
        raise ValueError(f"--out {target} is a folder; expected the name of a CSV file")
    if not target.name.endswith((".csv", ".csv.gz")):
        raise ValueError(f"--out {target}: expected a name that ends in .csv or .csv.gz")
    if not target.parent.is_dir():
        raise ValueError(f"--out {target}: there is no folder {str(target.parent)!r}")
    return target


class _Results:
    """Sums and counts of every metric of every architecture seen so far."""

    def __init__(self, space: SearchSpace) -> None:
        self.rows = self.unknown = self.not_finite = 0
        self.first_unknown: str | None = None
        self.skipped: tuple[str, ...] = ()
        self._space = space
        self._row_of: dict[str, int] = {}
        self._column_of: dict[str, int] = {}
        self._sums = np.zeros((0, 0))
        self._finite = np.zeros((0, 0), dtype=np.int32)
        self._present = np.zeros((0, 0), dtype=np.int32)
        self._find = lru_cache(maxsize=_REMEMBERED_TEXTS)(self._row)

    def add(self, block: importers.Block) -> None:
        """Count and add the rows of `block` that name an architecture of the space."""
        texts = np.asarray(block.archs, dtype=object)
        codes, distinct = pd.factorize(texts)
        row_of = np.array([self._find(text, block.by_decision) for text in distinct], dtype=np.int64)
        rows = row_of[codes] if len(codes) else row_of
        known = rows != _UNKNOWN
        self.rows += len(rows)
        self.unknown += int((~known).sum())
        if self.first_unknown is None and not known.all():
            self.first_unknown = str(texts[~known][0])[:200]
        self.skipped = tuple(block.skipped)
        columns = [self._column(name) for name in block.values]
        self._grow()
        for column, values in zip(columns, block.values.values(), strict=True):
            self._add_column(rows[known], column, np.asarray(values, dtype=float)[known])

    @property
    def duplicates(self) -> int:
        """Rows that repeat an architecture in the same columns."""
        if not self._present.size:
            return 0
        return int(np.maximum(self._present.max(axis=1) - 1, 0).sum())

    def table(self) -> pd.DataFrame:
        """Means by architecture, in the order in which they came; NaN where there was no finite value."""
        rows, columns = len(self._row_of), len(self._column_of)
        sums, finite = self._sums[:rows, :columns], self._finite[:rows, :columns]
        means = np.divide(sums, finite, out=np.full(sums.shape, np.nan), where=finite > 0)
        return pd.DataFrame(means, index=pd.Index(list(self._row_of), name="arch"), columns=list(self._column_of))

    def _add_column(self, rows: np.ndarray, column: int, values: np.ndarray) -> None:
        finite = np.isfinite(values)
        self.not_finite += int((~finite).sum())
        np.add.at(self._present[:, column], rows, 1)
        np.add.at(self._finite[:, column], rows[finite], 1)
        np.add.at(self._sums[:, column], rows[finite], values[finite])

    def _row(self, text: str, by_decision: bool) -> int:
        try:
            arch = _chosen(self._space, text) if by_decision else self._space.parse(text)
        except ValueError:
            return _UNKNOWN
        if not self._space.valid(arch):
            return _UNKNOWN
        return self._row_of.setdefault(self._space.format(arch), len(self._row_of))

    def _column(self, name: str) -> int:
        if name not in self._column_of and len(self._column_of) == _COLUMN_LIMIT:
            raise ValueError(f"it has more than {_COLUMN_LIMIT:,} columns of numbers")
        return self._column_of.setdefault(str(name), len(self._column_of))

    def _grow(self) -> None:
        """Make room for the rows and columns known, half as many again where there is too little."""
        needed = (len(self._row_of), len(self._column_of))
        room = tuple(
            have if have >= need else max(need, have + have // 2)
            for have, need in zip(self._sums.shape, needed, strict=True)
        )
        if room != self._sums.shape:
            self._sums, self._finite, self._present = (
                _enlarged(array, room) for array in (self._sums, self._finite, self._present)
            )


def _chosen(space: SearchSpace, text: str) -> Architecture:
    """The architecture whose choices are written in `text`, one a decision, by name or as a number.

    Raises:
        ValueError: something is no choice of its decision.
    """
    pairs = zip(space.decisions, text.split(","), strict=True)
    return tuple(_choice(decision, part.strip()) for decision, part in pairs)


def _choice(decision: Decision, text: str) -> int:
    if text in decision.choices:
        return decision.choices.index(text)
    values = getattr(decision, "values", None) or [_number(choice) for choice in decision.choices]
    return list(values).index(float(text))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _enlarged(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    larger = np.zeros(tuple(shape), dtype=array.dtype)
    larger[: array.shape[0], : array.shape[1]] = array
    return larger
