"""The known results that a page holds scores against: one column of one table, chosen in the header of every page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd

from app.space_table import SpaceTable
from nas_core import bench

MOST_BESIDE = 4
"""Columns of one table that are shown side by side at most."""
TRAINED_HERE = "trained here"
"""The choice that stands for what candidates of the run reached when they were trained alone."""
NONE_KNOWN = "no known results for this space; import some with `bench import`"


@dataclass(frozen=True)
class Truth:
    """A column of known results: `choice` is its `table/column`, `series` its values by architecture text, as they were
    recorded; `name` leaves the table out where it is the default one."""

    choice: str
    name: str
    column: bench.Column
    series: pd.Series

    @property
    def version(self) -> tuple[str, int]:
        """Two truths of one version hold the same values: a table may be imported anew."""
        return self.choice, crc32(self.series.to_numpy().tobytes())

    @property
    def title(self) -> str:
        """The column with what it measures: `cifar10 validation accuracy`."""
        kind = str(self.column.kind)
        said = self.column.kind is bench.Kind.OTHER or kind.split()[-1] in self.name.lower()
        return self.name if said else f"{self.name} {kind}"

    @property
    def axis(self) -> str:
        """The title with unit, and the direction where higher is not better."""
        parts = (self.title, self.column.unit, "" if self.column.higher_is_better else "lower is better")
        return ", ".join(part for part in parts if part)

    @property
    def unit(self) -> str:
        """The unit as it stands behind a number: with a space before, empty where there is none."""
        return f" {self.column.unit}" if self.column.unit else ""

    def over(self, table: SpaceTable) -> np.ndarray:
        """Values as recorded (n,) for every architecture of `table`; NaN where none is known."""
        index = self.series.index
        same = len(index) == len(table.texts) and index[0] == table.texts[0] and index[-1] == table.texts[-1]
        return (self.series if same else self.series.reindex(table.texts)).to_numpy(dtype=float)

    def oriented(self, values: np.ndarray) -> np.ndarray:
        """Values as recorded, with their sign changed where lower is better: for statistics of ranks."""
        return values if self.column.higher_is_better else -values


def truth_of(space: str, choice: str | None = None) -> Truth | None:
    """The column called `choice`; the default of the space where it has no such column; None where it has none."""
    offered = bench.choices(space)
    return _read(space, choice if choice in offered else next(iter(offered)), offered) if offered else None


def truths_of(space: str, choice: str | None = None) -> list[Truth]:
    """The column chosen, see `truth_of`, and others of its table that measure the same: the chosen one first."""
    offered = bench.choices(space)
    if not offered:
        return []
    first = choice if choice in offered else next(iter(offered))
    table, kind = first.partition("/")[0], offered[first].kind
    beside = [one for one, about in offered.items() if about.kind is kind and one.partition("/")[0] == table]
    chosen = [first, *(one for one in beside if one != first)][:MOST_BESIDE]
    return [found for one in chosen if (found := _read(space, one, offered)) is not None]


def trained_truth(trained: Mapping[str, float]) -> Truth | None:
    """What candidates that were trained alone reached, by their notation, as a truth; None where none was trained.

    It takes the place of a table where a space has none.
    """
    known = {text: value for text, value in trained.items() if np.isfinite(value)}
    if not known:
        return None
    column = bench.Column("trained alone", bench.Kind.VALIDATION_ACCURACY, "%", higher_is_better=True)
    return Truth(TRAINED_HERE, "trained alone", column, pd.Series(known, dtype=float))


def options(space: str) -> list[dict[str, str]]:
    """Entries of the picker: every column of every table with its kind and unit, the default first."""
    return [{"value": choice, "label": _described(choice, column)} for choice, column in bench.choices(space).items()]


def _described(choice: str, column: bench.Column) -> str:
    parts: Sequence[str] = (str(column.kind), column.unit)
    return f"{choice} · {', '.join(part for part in parts if part)}"


def _read(space: str, choice: str, offered: dict[str, bench.Column]) -> Truth | None:
    try:
        series = bench.column(space, choice)
    except ValueError:  # the table was removed or damaged since it was listed
        return None
    home = next(iter(offered)).partition("/")[0]
    table, _, column = choice.partition("/")
    return Truth(choice, column if table == home else choice, offered[choice], series)
