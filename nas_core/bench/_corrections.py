"""What a user knows better than an importer of the columns of a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TypeVar

from nas_core.bench._columns import Column, Kind, usual_unit

Given = TypeVar("Given")


@dataclass(frozen=True)
class Corrections:
    """Kinds, units and directions by column, or by a pattern of columns such as `*latency*`; the last that fits counts.

    Another kind brings its usual direction, unless one is given too.
    """

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)

    def applied(self, column: Column) -> Column:
        """The column, corrected."""
        kind = _last(self.kinds, column.name)
        if kind is not None and kind is not column.kind:
            unit = usual_unit(kind, column.unit)
            column = replace(column, kind=kind, unit=unit, higher_is_better=kind.higher_is_better)
        unit_given, higher = _last(self.units, column.name), _last(self.higher_is_better, column.name)
        column = column if unit_given is None else replace(column, unit=unit_given)
        return column if higher is None else replace(column, higher_is_better=higher)

    def check(self, names: Collection[str]) -> None:
        """Refuse what fits no column of `names`.

        Raises:
            ValueError: the message names it.
        """
        for what, given in (("kind", self.kinds), ("unit", self.units), ("direction", self.higher_is_better)):
            stray = next((one for one in given if not any(_fits(name, one) for name in names)), None)
            if stray is not None:
                shown = ", ".join(list(names)[:12]) + (", ..." if len(names) > 12 else "")
                raise ValueError(f"{what} of {stray!r}: the table has no such column; expected one of: {shown}")


def _last(given: Mapping[str, Given], name: str) -> Given | None:
    return next((value for one, value in reversed(list(given.items())) if _fits(name, one)), None)


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)
