"""The timeline: it takes the page back to an earlier moment of the search, and says what stays as it is now."""

from __future__ import annotations

from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from app.cockpit import Cockpit
from app.pages.navigator import space_map
from app.pages.navigator.scene import Scenes
from app.presses import press

STAYS = "Headline, top bar and trainings are as of now."
"""What does not go back with the timeline, said beside it."""


def timeline_row() -> html.Div:
    """The scrubber, what it shows, and the coverage."""
    slider = dmc.Slider(
        id="timeline",
        min=0,
        max=1,
        value=1,
        size="xs",
        updatemode="mouseup",
        thumbLabel="Candidates scored at the moment shown",
        className="timeline",
    )
    live = html.Button(
        "Live",
        id="btn-live",
        type="button",
        className="plain small",
        disabled=True,
        title="The page shows the run as it is now.",
        **press("live"),
    )
    return html.Div(
        [
            slider,
            html.Span("live", id="timeline-text", className="support", role="status"),
            html.Span(STAYS, id="timeline-stays", className="support stays", title=STAYS, hidden=True),
            live,
            html.Span(id="coverage", className="support coverage"),
        ],
        className="timeline-row",
    )


def past(
    cockpit: Cockpit,
    scenes: Scenes,
    moment: int | None,
    colour: str | None,
    x: str | None,
    y: str | None,
    shown: str | None,
    cost: str | None,
    run: str | None,
    before: Any,
) -> Any:
    """The map as it was: what every dot was, and where those lay whose axis is a score; None while it is live."""
    if moment is None or not run or not colour or not x or not y:
        return None if before else no_update
    seen = scenes.of(cockpit.view(run), moment, None)
    return {"marks": space_map.dots(seen, colour), **space_map.moved(seen, shown, x, y, cost)}


def register(app: Dash, cockpit: Cockpit, scenes: Scenes) -> None:
    """Callbacks of the timeline.

    No callback leads from a pulse to `moment`: all that draws listens to it and would wait. So the timeline is
    stretched by `set_props`.
    """
    app.callback(
        Output("map-past", "data"),
        Input("moment", "data"),
        *[Input(name, "value") for name in ("map-colour", "map-x", "map-y", "nav-view", "map-cost")],
        State("run", "data"),
        State("map-past", "data"),
    )(partial(past, cockpit, scenes))
    app.clientside_callback(
        ClientsideFunction("timeline", "stretch"),
        Output("stretched", "data"),
        Input("pulse", "data"),
        State("moment", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("timeline", "scrub"),
        Output("moment", "data"),
        Input("timeline", "value"),
        State("timeline", "max"),
        State("moment", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("timeline", "when"),
        Output("timeline-text", "children"),
        Output("btn-live", "disabled"),
        Output("btn-live", "title"),
        Output("timeline-stays", "hidden"),
        Input("moment", "data"),
        State("timeline", "max"),
    )
