"""The space map: the server says what every dot is, the browser draws it (`assets/space_map.js`)."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from app.cockpit import Cockpit, View
from app.labels import lower_is_better, ranking_label, score_label, score_options
from app.pages.navigator import figures
from app.pages.navigator.pareto import cost_label
from app.pages.navigator.tradeoff import TRADE_OFF, axes_of, front_line
from app.palette import typed

PROJECTIONS = ("projection 1", "projection 2")


def choices(cockpit: Cockpit, run: str | None) -> tuple[Any, ...]:
    """What axes and colour may be chosen for a run, and what they are at first."""
    if not run:
        return (no_update,) * 6
    view = cockpit.view(run)
    shown = score_options(view.shown)
    axes = [{"value": name, "label": name} for name in PROJECTIONS] + shown
    first = "live_params" if "live_params" in view.metrics else view.metrics[0]
    return axes, axes, shown, *PROJECTIONS, view.rank_by if len(view.indices) else first


def watch(cockpit: Cockpit, clicks: int | None, run: str | None) -> Any:
    """Colour by the score that was started, so that the dots come alive as it arrives."""
    return cockpit.view(run).rank_by if clicks and run else no_update


def base(
    cockpit: Cockpit,
    run: str | None,
    x: str | None,
    y: str | None,
    colour: str | None,
    theme: str,
    _size: Any,
    shown: str | None,
    cost: str | None,
) -> Any:
    """All of the map but what its dots are: axes, title, colours, and where every dot lies."""
    if not run or not x or not y or not colour:
        return no_update
    view = cockpit.view(run)
    x, y = axes_of(view, shown, x, y, cost)
    title = f"Space of {view.table.space.size:,} architectures"
    title += f", {len(view.table.archs):,} of them drawn" if view.table.sampled else ""
    names = [score_label(name) for name in (x, y, colour)]
    if x.startswith("projection"):
        names[0] += f" (PCA, trustworthiness {view.table.trustworthiness:.2f})"
    if shown == TRADE_OFF:
        title, names[0], names[1] = "What does a better score cost?", cost_label(view, x), ranking_label(y)
    figure = figures.map_base(title, (names[0], names[1], names[2]), theme, ends=_ends(view, colour))
    return {
        "figure": figure.to_plotly_json(),
        "colours": figures.map_colours(theme),
        "unknown": figures.UNKNOWN,
        "symbols": figures.RUNG_SYMBOLS,
        "x": typed(_axis(view, x))["bdata"],
        "y": typed(_axis(view, y, better_up=shown == TRADE_OFF))["bdata"],
    }


def marks(
    cockpit: Cockpit,
    _pulse: Any,
    colour: str | None,
    x: str | None,
    y: str | None,
    shown: str | None,
    cost: str | None,
    run: str | None,
    before: Any,
    size: Any,
) -> tuple[Any, Any, Any]:
    """What every dot is, where those lie whose axis is a score, and how many there are."""
    if not run or not colour or not x or not y:
        return no_update, no_update, no_update
    view = cockpit.view(run)
    sent = dots(view, colour)
    moving = moved(view, shown, x, y, cost)
    drawn = [run, len(view.table.archs)]  # a sample of a large space grows by what the run asks for beside
    return no_update if sent == before else sent, moving or no_update, no_update if drawn == size else drawn


def moved(view: View, shown: str | None, x: str, y: str, cost: str | None) -> dict[str, Any]:
    """Of the axes, those that are scores, which arrive one by one; and the front, where the map is a trade-off."""
    names = dict(zip(("x", "y"), axes_of(view, shown, x, y, cost), strict=True))
    fixed = {*PROJECTIONS, *map(str, view.table.closed)}
    told: dict[str, Any] = {
        axis: typed(_axis(view, name, better_up=shown == TRADE_OFF and axis == "y"))["bdata"]
        for axis, name in names.items()
        if name not in fixed
    }
    return told | ({"front": front_line(view, cost)} if shown == TRADE_OFF and cost else {})


def ring(cockpit: Cockpit, arch: str | None, run: str | None) -> Any:
    """The place of the selected architecture, which gets a ring."""
    return cockpit.view(run).table.index.get(arch or "") if run else None


def dots(view: View, colour: str) -> str:
    """The store `map-marks`: what every dot is, the brightest the best by the metric `colour`."""
    values = view.over_space(colour)
    codes = figures.map_codes(-values if colour in lower_is_better() else values, view.rungs(), view.kept)
    return base64.b64encode(codes.tobytes()).decode()


def _ends(view: View, colour: str) -> tuple[str, str]:
    """What the darkest and the brightest dots are; a closed form is a cost or a count, of which none is better."""
    if colour in view.table.closed:
        return figures.PLAIN_ENDS
    return ("highest", "best") if colour in lower_is_better() else ("lowest", "best")


def _axis(view: View, name: str, *, better_up: bool = False) -> np.ndarray:
    """Where the dots lie along an axis, float (n,); with `better_up` a score of which less is better has a minus."""
    if name in PROJECTIONS:
        return view.table.projection[:, PROJECTIONS.index(name)]
    values = view.over_space(name)
    return -values if better_up and name in lower_is_better() else values


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the map."""
    app.callback(
        *[Output(f"map-{axis}", "data") for axis in ("x", "y", "colour")],
        *[Output(f"map-{axis}", "value") for axis in ("x", "y", "colour")],
        Input("run", "data"),
    )(partial(choices, cockpit))
    app.callback(
        Output("map-colour", "value", allow_duplicate=True),
        Input("btn-start", "n_clicks"),
        State("run", "data"),
        prevent_initial_call=True,
    )(partial(watch, cockpit))
    app.callback(
        Output("map-base", "data"),
        Input("run", "data"),
        Input("map-x", "value"),
        Input("map-y", "value"),
        Input("map-colour", "value"),
        Input("theme", "data"),
        Input("map-size", "data"),
        Input("nav-view", "value"),
        Input("map-cost", "value"),
    )(partial(base, cockpit))
    app.callback(
        Output("map-marks", "data"),
        Output("map-live", "data"),
        Output("map-size", "data"),
        Input("pulse", "data"),
        Input("map-colour", "value"),
        Input("map-x", "value"),
        Input("map-y", "value"),
        Input("nav-view", "value"),
        Input("map-cost", "value"),
        State("run", "data"),
        State("map-marks", "data"),
        State("map-size", "data"),
    )(partial(marks, cockpit))
    app.callback(Output("map-chosen", "data"), Input("arch", "data"), Input("run", "data"))(partial(ring, cockpit))
    app.clientside_callback(
        ClientsideFunction("space_map", "map"),
        Output("nav-map", "figure"),
        Input("map-base", "data"),
        Input("map-marks", "data"),
        Input("map-live", "data"),
        Input("map-going", "data"),
        Input("map-chosen", "data"),
        Input("map-past", "data"),
        Input("map-scope", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("space_map", "region"),
        Output("region", "data"),
        Input("nav-map", "selectedData"),
        State("map-marks", "data"),  # no input: what a pulse draws would wait for the dots, see `loop`
        State("region", "data"),
    )
