"""What lies under the pointer on the map: its tooltip, and the bricks that it is made of. The browser places the
tooltip, see `assets/map_tip.js`; it tells what an architecture is, never where its dot lies."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, html

from app.cockpit import Cockpit, View
from app.labels import score_label
from app.pages.navigator.rows import rung_of
from app.pages.navigator.scene import Scenes
from app.palette import short
from app.strip import strip
from app.truth import Truth

_NUMBERS = 3
_COUNTS = ("params", "live_params", "flops")
"""Closed forms that a tooltip tells first, where it has room."""


def look(
    cockpit: Cockpit,
    scenes: Scenes,
    hover: dict[str, Any] | None,
    arch: str | None,
    _built: Any,
    moment: int | None,
    choice: str | None,
    run: str | None,
) -> tuple[list[str], Any]:
    """The bricks of the architecture under the pointer, else of the selected one; the tooltip of the former."""
    if not run:
        return [], ""
    view = cockpit.view(run)
    index = index_of(hover, len(view.table.archs))
    shown = index if index is not None else view.table.index.get(arch or "")
    carried = [] if shown is None else [f"{d}:{c}" for d, c in enumerate(view.table.archs[shown].tolist())]
    if index is None:
        return carried, ""
    return carried, tooltip(scenes.of(view, moment, None), index, cockpit.truth(view.run.space, choice))


def index_of(event: dict[str, Any] | None, count: int) -> int | None:
    """The architecture of a dot that plotly tells of, by its place in the table; None for anything else."""
    points = (event or {}).get("points") or [{}]
    found = points[0].get("customdata")
    index = None if found is None or isinstance(found, str) else int(np.ravel(found)[0])
    return index if index is not None and 0 <= index < count else None


def tooltip(view: View, index: int, truth: Truth | None) -> html.Div:
    """Name and rank, rung, strip, and three numbers with their units; the known result where there is one."""
    arch = tuple(view.table.archs[index].tolist())
    return html.Div(
        [
            head(view, index, _rank(view, index)),
            strip(view.table.space, arch),
            html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in numbers(view, index, truth)]),
        ],
        className="tip",
        **{"data-of": str(index)},
    )


def head(view: View, index: int, rank: str = "") -> html.Div:
    """Which candidate it is, with its `rank` where that is told, and how the best of what is known was obtained."""
    rung = html.Span(rung_of(int(view.rungs()[index])), className="rung")
    return html.Div([html.B(", ".join(filter(None, (_name(view, index), rank)))), rung], className="tip-head")


def _number(view: View, index: int) -> int | None:
    """As which candidate of the run a network was scored, from 0; None where it was not."""
    same = np.flatnonzero(view.networks == view.table.canonical[index])
    return int(same[0]) if len(same) else None


def _name(view: View, index: int) -> str:
    if view.table.texts[index] in view.failed:
        return "Failed"
    number = _number(view, index)
    if number is None:
        return "Not scored yet" if view.kept[index] else "Outside of what is left"
    return f"no. {number + 1:,}"


def _rank(view: View, index: int) -> str:
    """Its rank among those scored by then, the best first; empty where it has none."""
    number, ranked = _number(view, index), view.ranked
    if number is None or np.isnan(ranked[number]):
        return ""
    return f"rank {1 + int((ranked > ranked[number]).sum()):,} of {len(ranked):,}"


def numbers(view: View, index: int, truth: Truth | None) -> list[tuple[str, str]]:
    """Three numbers with what they are: the score of the run, the known result, and what the network costs."""
    told: list[tuple[str, str]] = []
    score = float(view.over_space(view.rank_by)[index])
    if not np.isnan(score):
        told.append((score_label(view.rank_by), short(score)))
    if truth is not None:
        value = float(truth.over(view.table)[index])
        if np.isfinite(value):
            told.append((truth.title, f"{short(value)}{truth.unit}"))
    closed = [str(name) for name in view.table.closed]
    counts = [name for name in _COUNTS if name in closed] + [name for name in closed if name not in _COUNTS]
    for name in counts:
        if name != view.rank_by and len(told) < _NUMBERS:
            told.append((score_label(name), short(float(view.table.closed[name].iloc[index]))))
    return told


def register(app: Dash, cockpit: Cockpit, scenes: Scenes) -> None:
    """Callbacks of the pointer on the map."""
    app.callback(
        Output("carried", "data"),
        Output("map-tip", "children"),
        Input("nav-map", "hoverData"),
        Input("arch", "data"),
        Input("template-run", "data"),
        State("moment", "data"),
        State("truth", "data"),
        State("run", "data"),
    )(partial(look, cockpit, scenes))
    app.clientside_callback(
        ClientsideFunction("bricks", "carry"),
        Output("carried", "modified_timestamp"),
        Input("carried", "data"),
        prevent_initial_call=True,
    )
    # Two callbacks: one that had both inputs would wait for the server before it hides the tooltip of the dot before.
    app.clientside_callback(
        ClientsideFunction("map_tip", "moved"), Input("nav-map", "hoverData"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("map_tip", "told"), Input("map-tip", "children"), prevent_initial_call=True
    )
