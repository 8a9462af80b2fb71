"""The weights of the aggregate that a user gives: the numbers of the panel, and what becomes of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from app.cockpit import Cockpit
from app.laboratory import equal_weights, usable_weights
from app.pages.correlation import panels
from app.pages.correlation.derived import weights_of


def weight_inputs(
    cockpit: Cockpit, _open: Any, _equal: Any, run: str | None, weights: dict[str, Any] | None
) -> tuple[Any, Any]:
    """The numbers are drawn when the panel opens, so that no redraw takes what is being typed."""
    if not run:
        return no_update, no_update
    view = cockpit.view(run)
    if not len(view.indices):
        return [], {}
    equal = equal_weights(view)
    given = {} if ctx.triggered_id == "btn-weights-equal" else dict(weights_of(weights, run))
    return panels.weight_inputs(usable_weights(view, given) if given else equal), equal


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above, and what the browser does with what is typed."""
    app.callback(
        Output("weight-inputs", "children"),
        Output("weights-equal", "data"),
        Input("btn-weights", "n_clicks"),
        Input("btn-weights-equal", "n_clicks"),
        Input("run", "data"),
        State("weights", "data"),
    )(partial(weight_inputs, cockpit))
    # In the browser: neither a reset nor a number typed is lost to a panel that is drawn anew meanwhile.
    app.clientside_callback(
        ClientsideFunction("correlation", "weigh"),
        Output("weights", "data"),
        Output("weights-text", "children"),
        Input({"type": "weight", "score": ALL}, "value"),
        State({"type": "weight", "score": ALL}, "id"),
        State("weights-equal", "data"),
        State("weights", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("correlation", "unweigh"),
        Output("weights", "data", allow_duplicate=True),
        Output("weights-text", "children", allow_duplicate=True),
        Input("btn-weights-equal", "n_clicks"),
        State("weights", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )
