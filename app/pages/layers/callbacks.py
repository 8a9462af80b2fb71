"""What the Layers page does."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from app import selection
from app.cell import cell_graph, edit_path
from app.cockpit import Cockpit, View
from app.labels import score_label, score_options
from app.pages.layers import figures
from app.pages.layers.evidence import Lack, chosen, lack, layer_run, tables, telling
from app.pages.layers.layout import MEANINGS, STATISTICS
from app.palette import short
from app.presses import notification, press, pressed, run_of, show
from app.table import column
from app.truth import Truth
from nas_core.spaces import Architecture
from nas_core.store import StoreError

_TITLES = {"mean_abs_grad": "mean |g|", "inverse_cv": "inverse CV", "std": "std of g", "log_inverse_std": "log 1/std"}
_WIDTHS = {"candidate": 90, "layer": 236, "kind": 76, "shape": 96, "weights": 80}
_ABOUT = ("candidate", "layer", "module", "kind", "shape", "weights", "channels", "positions")
"""Columns of a table of layers that are no statistics."""
_PATH = 3
"""Steps of an edit path that are told; the others are counted, and told on hover."""


def draw(
    cockpit: Cockpit,
    _pulse: Any,
    statistic: str,
    score: str | None,
    compared: list[str] | None,
    theme: str,
    arch: str | None,
    choice: str | None,
    statistics_offered: list[Any] | None,
    scores_offered: list[Any] | None,
    run: str | None,
) -> tuple[Any, ...]:
    """The layers of the candidates compared: map, table, cells; or why there are none, and what to do."""
    if not run:
        return (no_update,) * 12
    view = cockpit.view(run)
    shown = chosen(view, arch, [int(rank) for rank in compared or ()])
    scores = telling(cockpit, view, shown)
    asked, score = score, score if score in scores else next(iter(scores), None)
    table = tables(cockpit, view, shown, score) if score else pd.DataFrame()
    cells = _cells(view, shown, cockpit.truth(view.run.space, choice), theme)
    about = (_unless(score_options(scores), scores_offered), _unless(score, asked), len(scores) < 2)
    if not len(table):
        missing = lack(view, shown)
        return no_update, [], no_update, cells, "", no_update, no_update, *about, True, _lacking(missing)
    held, wanted = statistics(table), statistic
    statistic = statistic if statistic in held else held[0]
    text = f"layers of {len({*table['candidate']})} candidates by {score_label(score or '')}"
    if score != view.rank_by:
        text += f"; ranked by {score_label(view.rank_by)}"
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return (
        figures.heat_map(table, statistic, theme),
        rows,
        _columns(table),
        cells,
        text,
        _unless(_choices(held), statistics_offered),
        _unless(statistic, wanted),
        *about,
        False,
        [],
    )


def inside(
    cockpit: Cockpit,
    hover: dict[str, Any] | None,
    told: dict[str, Any] | None,
    _pulse: Any,
    statistic: str,
    score: str | None,
    compared: list[str] | None,
    theme: str,
    arch: str | None,
    layer: str | None,
    run: str | None,
) -> tuple[Any, Any]:
    """What the layer under the pointer, or the one that the headline names, holds; and its name.

    The engine is asked for what is not known yet.
    """
    if not run:
        return no_update, no_update
    view = cockpit.view(run)
    if ctx.triggered_id == "pressed" and not pressed(told, "layer"):
        return no_update, no_update
    known: dict[str, pd.DataFrame] = {}
    missing = []
    shown = chosen(view, arch, [int(rank) for rank in compared or ()])
    scores = telling(cockpit, view, shown)
    score = score if score in scores else next(iter(scores), "")
    for label, index in shown if score else ():
        cell = tuple(int(c) for c in view.table.archs[index])
        layers = cockpit.layers(view.run, cell, score)
        found = cockpit.distributions(view.run, cell, score)
        if len(found) and len(layers):
            names = dict(zip(layers["module"], layers["layer"], strict=True))
            found = found.assign(layer=[names.get(module, module) for module in found["layer"]])
        known[label] = found
        if len(layers) and not len(found):
            missing.append(cell)
    statistic = "inverse_cv" if statistic == "term" else statistic  # a term is the sum of these over the weights
    words = pressed(told, "layer") if ctx.triggered_id == "pressed" else None
    if words:
        layer = ":".join(words[1:])
    elif ctx.triggered_id == "layers-map":
        layer = pointed(hover) or layer
    why = cockpit.request_distributions(view.run, missing, score) if missing else ""
    at = layer or _largest_layer(known)
    if not at:
        return figures.waiting(why or ("Waiting for the engine …" if missing else ""), theme), layer
    return figures.spread(known, at, statistic, theme, to_come=len(missing)), layer


def pointed(hover: dict[str, Any] | None) -> str:
    """The layer under the pointer; empty where there is none."""
    told = ((hover or {}).get("points") or [{}])[0].get("customdata")
    return str(told[0]) if told else ""


def score_layers(cockpit: Cockpit, told: dict[str, Any] | None, shown: str | None) -> tuple[Any, Any]:
    """The run that tells layers apart is made, started and opened; of two quick presses the second opens the first's.

    It has the space, images and seed of the run that the press was made on.
    """
    words = pressed(told, "layers-run")
    run = words[1] if words and len(words) > 1 else run_of(told, shown)
    if not words or not run:
        return no_update, no_update
    try:
        config = layer_run(cockpit.store.run(run).config)
        same = [held for held in cockpit.store.runs() if held.config == config]
        made = same[0].id if same else cockpit.store.create_run(config, f"{config.space_title}, layers")
        if not same:
            cockpit.store.command(made, "start")
    except (ValueError, StoreError) as error:
        return no_update, notification(str(error))
    scored = f"“{cockpit.store.run(made).name}” scores the same space with {score_label(config.rank_by)}."
    return selection.write(made, None), notification(scored, failed=False)


def _score_layers(cockpit: Cockpit, told: dict[str, Any] | None, shown: str | None) -> Any:
    search, notifications = score_layers(cockpit, told, shown)
    show(notifications)
    return search


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above."""
    looked_at = [
        Input("pulse", "data"),
        Input("statistic", "value"),
        Input("layers-score", "value"),
        Input("compared", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
    ]
    app.callback(
        Output("layers-map", "figure"),
        Output("layers-table", "rowData"),
        Output("layers-table", "columnDefs"),
        Output("layers-cells", "children"),
        Output("layers-state", "children"),
        Output("statistic", "data"),
        Output("statistic", "value"),
        Output("layers-score", "data"),
        Output("layers-score", "value"),
        Output("layers-scores", "hidden"),
        Output("layers-evidence", "hidden"),
        Output("layers-lack", "children"),
        *looked_at,
        Input("truth", "data"),
        State("statistic", "data"),
        State("layers-score", "data"),
        State("run", "data"),
    )(partial(draw, cockpit))
    app.callback(
        Output("layers-spread", "figure"),
        Output("layers-shown", "data"),
        Input("layers-map", "hoverData"),
        Input("pressed", "data"),
        *looked_at,
        State("layers-shown", "data"),
        State("run", "data"),
    )(partial(inside, cockpit))
    app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("pressed", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )(partial(_score_layers, cockpit))


def _unless(value: Any, shown: Any) -> Any:
    """The value, unless it is what is shown: what was chosen meanwhile is not overwritten."""
    return no_update if value == shown else value


def statistics(table: pd.DataFrame) -> list[str]:
    """The statistics that a table of layers holds, the terms that make the score first."""
    names = [str(name) for name in table if name not in _ABOUT]
    return sorted(names, key=lambda name: list(STATISTICS).index(name) if name in STATISTICS else len(STATISTICS))


def _choices(held: list[str]) -> list[dict[str, Any]]:
    """Statistics to choose from: what a score does not have is at rest, what is its own stands behind."""
    own = [name for name in held if name not in STATISTICS]
    labels = {**STATISTICS, **{name: _TITLES.get(name, name.replace("_", " ")) for name in own}}
    return [{"value": name, "label": label, "disabled": name not in held} for name, label in labels.items()]


def _columns(table: pd.DataFrame) -> list[dict[str, Any]]:
    about = [name for name in _ABOUT if name in table]
    held = [str(name) for name in table if name not in about]
    names = [*about[:2], *sorted(held, key=lambda name: name != "term"), *about[2:]]  # what is asked for comes first
    columns = []
    for name in names:
        options: dict[str, Any] = {"width": _WIDTHS.get(name, 92)}
        if name == "layer":
            options["tooltipField"] = "module"
        elif name == "module":
            options["hide"] = True  # in the file, and on hover
        elif name in MEANINGS:
            options["headerTooltip"] = MEANINGS[name]
        number = table[name].dtype.kind == "f"
        columns.append(column(name, _TITLES.get(name, name), number=number, **options))
    return columns


def _lacking(missing: Lack) -> list[Any]:
    """Why there is nothing to see, and the button for what to do, as a card."""
    button = html.Button(missing.action, type="button", className="filled-button", **press(*missing.press))
    return [
        html.H2(f"{missing.finding}."),
        html.P(f"{missing.advice[:1].upper()}{missing.advice[1:]}."),
        *([button] if missing.press else []),
    ]


def _largest_layer(known: dict[str, pd.DataFrame]) -> str:
    """The largest layer of the first candidate: something to see before the pointer says which."""
    table = next((table for table in known.values() if len(table)), None)
    return "" if table is None else str(table.loc[table["weights"].idxmax(), "layer"])


def _cells(view: View, shown: list[tuple[str, int]], truth: Truth | None, theme: str) -> list[Any]:
    """The cells side by side, each with the edit path that leads to it from its left neighbour."""
    space = view.table.space
    scores, values = view.over_space(view.rank_by), None if truth is None else truth.over(view.table)

    def known(index: int) -> str:
        result = "" if truth is None or values is None else f", {truth.name} {short(float(values[index]))}{truth.unit}"
        return f"{score_label(view.rank_by)} {short(float(scores[index]))}{result}"

    def step(words: str, arch: Architecture) -> str:
        index = view.table.index.get(space.format(arch))  # of a large space only a sample is known
        return words if index is None else f"{words} ({known(index)})"

    cells: list[Any] = []
    before: Architecture | None = None
    for label, index in shown:
        arch = tuple(int(c) for c in view.table.archs[index])
        graph = space.graph(arch)
        parts: list[Any] = [
            dcc.Graph(
                figure=cell_graph(graph, theme, f"{label}: {known(index)}", space.graph(before) if before else None),
                config={"displayModeBar": False},
                style={"height": "128px"},
            )
        ]
        if before is not None:
            path = [step(*found) for found in edit_path(space, before, arch)]
            told = "; ".join(path[:_PATH]) + (f"; and {len(path) - _PATH} more" if len(path) > _PATH else "")
            parts.append(html.Div(told or "the same cell", className="support path", title="\n".join(path), tabIndex=0))
        cells.append(html.Div(parts))
        before = arch
    return cells
