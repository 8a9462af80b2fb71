"""The space map: the server says what every dot is, the browser draws it (`assets/space_map.js`)."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from app.cockpit import Cockpit, View
from app.labels import lower_is_better, score_label, score_options
from app.pages.navigator import figures
from app.palette import typed


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the map."""

    @app.callback(
        *[Output(f"map-{axis}", "data") for axis in ("x", "y", "colour")],
        *[Output(f"map-{axis}", "value") for axis in ("x", "y", "colour")],
        Input("run", "data"),
    )
    def choices(run: str | None) -> tuple[Any, ...]:
        if not run:
            return (no_update,) * 6
        view = cockpit.view(run)
        shown = score_options(view.shown)
        axes = [{"value": name, "label": name} for name in ("projection 1", "projection 2")] + shown
        first = "live_params" if "live_params" in view.metrics else view.metrics[0]
        return axes, axes, shown, "projection 1", "projection 2", view.rank_by if len(view.indices) else first

    @app.callback(
        Output("map-colour", "value", allow_duplicate=True),
        Input("btn-start", "n_clicks"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def watch(clicks: int | None, run: str | None) -> Any:
        """Colour by the score that was started, so that the dots come alive as it arrives."""
        return cockpit.view(run).rank_by if clicks and run else no_update

    @app.callback(
        Output("map-base", "data"),
        Input("run", "data"),
        Input("map-x", "value"),
        Input("map-y", "value"),
        Input("map-colour", "value"),
        Input("theme", "data"),
        Input("map-size", "data"),
    )
    def base(run: str | None, x: str | None, y: str | None, colour: str | None, theme: str, _size: Any) -> Any:
        if not run or not x or not y or not colour:
            return no_update
        view = cockpit.view(run)
        title = f"Space of {view.table.space.size:,} architectures"
        title += f", {len(view.table.archs):,} of them drawn" if view.table.sampled else ""
        if x.startswith("projection") or y.startswith("projection"):
            title += f" · PCA, trustworthiness {view.table.trustworthiness:.2f}"
        names = (score_label(x), score_label(y), score_label(colour))
        figure = figures.map_base(title, names, theme, ends=_ends(view, colour))
        return {
            "figure": figure.to_plotly_json(),
            "colours": figures.MAP_COLOURS,
            "unknown": figures.UNKNOWN,
            "symbols": figures.RUNG_SYMBOLS,
            "labels": list(names[:2]),
            "x": typed(_axis(view, x))["bdata"],
            "y": typed(_axis(view, y))["bdata"],
        }

    @app.callback(
        Output("map-marks", "data"),
        Output("map-live", "data"),
        Output("map-size", "data"),
        Input("pulse", "data"),
        Input("map-colour", "value"),
        Input("map-x", "value"),
        Input("map-y", "value"),
        State("run", "data"),
        State("map-marks", "data"),
        State("map-size", "data"),
    )
    def marks(
        _pulse: Any, colour: str | None, x: str | None, y: str | None, run: str | None, before: Any, size: Any
    ) -> tuple[Any, Any, Any]:
        if not run or not colour or not x or not y:
            return no_update, no_update, no_update
        view = cockpit.view(run)
        sent = dots(view, colour)
        moving = {axis: typed(_axis(view, name))["bdata"] for axis, name in (("x", x), ("y", y)) if name in view.values}
        drawn = [run, len(view.table.archs)]  # a sample of a large space grows by what the run asks for beside
        return no_update if sent == before else sent, moving or no_update, no_update if drawn == size else drawn

    @app.callback(Output("map-chosen", "data"), Input("arch", "data"), Input("run", "data"))
    def ring(arch: str | None, run: str | None) -> Any:
        return cockpit.view(run).table.index.get(arch or "") if run else None

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


def _axis(view: View, name: str) -> np.ndarray:
    if name.startswith("projection"):
        return view.table.projection[:, int(name[-1]) - 1]
    return view.over_space(name)
