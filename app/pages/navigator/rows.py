"""The table of the best candidates: a row an architecture, its strip, its scores, what is true of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from app import strip
from app.cockpit import Cockpit, View
from app.labels import explanation, score_label
from app.table import column
from app.truth import Truth
from nas_core.ladder import RUNGS

BEST = 200
"""Candidates that the table lists, the best by the score of the run."""
_FAILED = 100
"""Candidates without scores that it lists below the others."""
_SIGNS = dict(zip(RUNGS, ("●", "◆", "■", "★"), strict=True))
_SEGMENT, _NARROW = 44, 11
"""Pixels that a segment of a strip takes with its short name inside, and without one."""
_WIDEST = 560
"""Pixels beyond which the strips of a table are drawn closer."""
_NUMBER = 116
"""Pixels of a column of numbers."""


def rows(view: View, truth: Truth | None = None) -> list[dict[str, Any]]:
    """The best candidates, one row each; below them some of those that failed, with the reason.

    `truth` are the known results that are chosen: `truth` of a row is its value, as it was recorded.
    """
    order = np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")[:BEST]
    space, known, rungs = view.table.space, None if truth is None else truth.over(view.table), view.rungs()
    found = []
    for rank, k in enumerate(order, start=1):
        index = int(view.indices[k])
        row: dict[str, Any] = {"rank": rank, "arch": view.table.texts[index], "known": rung_of(int(rungs[index]))}
        row |= strip.row(space, tuple(view.table.archs[index].tolist()))
        row |= {name: float(values[k]) for name, values in view.values.items() if not np.isnan(values[k])}
        row |= {str(name): float(view.table.closed[name].iloc[index]) for name in view.table.closed}
        if known is not None and np.isfinite(known[index]):
            row["truth"] = float(known[index])
        found.append(row)
    failed = list(view.failed.items())[:_FAILED]
    return found + [{"arch": text, "failed": why, **strip.row(space, space.parse(text))} for text, why in failed]


def rung_of(rung: int) -> str:
    """Sign and name of a rung of the evaluation ladder, by its place."""
    return f"{_SIGNS[RUNGS[rung]]} {RUNGS[rung]}"


def columns(view: View, truth: Truth | None = None) -> list[dict[str, Any]]:
    """The columns of a run's table: those of its scores, and of the known results that are chosen."""
    space = view.table.space
    width = sum(_NARROW if decision.optional else _SEGMENT for decision in space.decisions) + 20
    failed = [column("failed", "failed because", width=260, tooltipField="failed")] if view.failed else []
    recorded = []
    if truth is not None:
        recorded = [column("truth", truth.axis, number=True, width=_NUMBER, headerTooltip=truth.choice)]
    numbers = [
        column(
            name, score_label(name), number=True, width=_NUMBER, headerTooltip=explanation(name) or score_label(name)
        )
        for name in view.metrics
    ]
    measured = sum(name not in view.table.closed for name in view.metrics)
    return [
        column("rank", width=56),
        column(
            "arch",
            "architecture",
            flex=1,
            minWidth=min(width, _WIDEST),
            tooltipField="arch",
            cellRenderer="Strip",
            cellRendererParams={"legend": strip.legend(space)},
        ),
        *failed,
        *numbers[:measured],
        *recorded,
        *numbers[measured:],
        column("known", "known by", width=116, headerTooltip="How the score of the run was obtained"),
    ]


def show_columns(
    cockpit: Cockpit, _due: Any, run: str | None, choice: str | None, before: list[dict[str, Any]] | None
) -> Any:
    """The columns, where they are others than those that the table has."""
    if not run:
        return no_update
    view = cockpit.view(run)
    found = columns(view, cockpit.truth(view.run.space, choice))
    return no_update if found == before else found


def mark(arch: str | None, _rows: Any) -> Any:
    """The selected architecture is the selected row."""
    return {"ids": [arch]} if arch else []


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the table; its rows are drawn with all that follows a pulse, see `views`."""
    app.clientside_callback(
        ClientsideFunction("gates", "columns"),
        Output("columns-due", "data"),
        Input("run", "data"),
        Input("pulse", "data"),
        Input("truth", "data"),
        State("columns-due", "data"),
    )
    app.callback(
        Output("candidates", "columnDefs"),
        Input("columns-due", "data"),
        State("run", "data"),
        State("truth", "data"),
        State("candidates", "columnDefs"),
    )(partial(show_columns, cockpit))
    app.callback(Output("candidates", "selectedRows"), Input("arch", "data"), Input("candidates", "rowData"))(mark)
