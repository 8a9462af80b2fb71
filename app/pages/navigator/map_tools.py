"""The tools of the map, with words, and the card of the region that is chosen. What they do is in `assets/map_tools.js`
and, for the region, in `show_region`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from app.cockpit import Cockpit
from app.masks import unpacked
from app.pages.navigator.region import changes, describe, region_of
from app.presses import press
from nas_core.spaces import Act, SteeringConflict

TOOLS = (
    ("pick", "Pick", "Click a dot to select it (Esc)"),
    ("lasso", "Lasso", "Draw around dots to make them a region (l)"),
    ("pan", "Pan", "Drag the map; the wheel zooms"),
    ("fit", "Fit", "Show the whole map again"),
)
"""The tools: what `assets/map_tools.js` calls them, their word, what they do."""
NO_REGION = "Lasso dots on the map to make a region."
_KEEPS_ALL = "A search in this region would still look at all that is left: it narrows nothing."
_KEPT = "This region is kept already: its name stands below the map."


def tools() -> html.Div:
    """The tools in a column."""
    return html.Div(
        [
            html.Button(
                word,
                type="button",
                className=f"map-tool tool-{name}",
                title=title,
                **{"data-tool": name, "data-local": "yes"},
                **({} if name == "fit" else {"aria-pressed": str(name == "pick").lower()}),
            )
            for name, word, title in TOOLS
        ],
        className="map-tools",
        role="toolbar",
        **{"aria-label": "Tools of the map"},
    )


def region_card() -> html.Div:
    """What can be done with the region that is chosen; hidden while none is."""
    return html.Div(
        [
            html.Span(NO_REGION, id="region-text", role="status"),
            html.Div(
                [
                    html.Button(
                        "Search here",
                        id="btn-focus",
                        type="button",
                        className="filled-button small",
                        disabled=True,
                        **press("focus"),
                    ),
                    html.Button(
                        "Keep",
                        id="btn-keep",
                        type="button",
                        className="plain small",
                        disabled=True,
                        **press("region", "keep"),
                    ),
                    html.Button(
                        ["Clear ", html.Kbd("Esc")],
                        id="btn-clear",
                        type="button",
                        className="quiet small",
                        title="Let the region go; a kept one stays below the map",
                        **{"data-clear": "yes"},
                        **press("scope", "all"),
                    ),
                ],
                className="region-acts",
            ),
        ],
        id="region-card",
        className="region-card",
        hidden=True,
    )


def show_region(cockpit: Cockpit, _due: Any, scope: dict[str, Any] | None, run: str | None) -> tuple[Any, ...]:
    """Words of the chosen region, whether the search can be held to it and it can be kept, and why not."""
    if not run:
        return (no_update,) * 6
    view = cockpit.view(run)
    inside = unpacked(scope["mask"], len(view.table.archs)) & view.kept if scope else np.zeros(1, dtype=bool)
    if not scope or not inside.any():
        return NO_REGION, True, NO_REGION, True, NO_REGION, True
    kept_already = len(scope["of"]) == 1 and scope["of"][0].isdigit()
    axes = tuple(scope["axes"])
    try:
        narrows = changes(view, Act("focus", region=region_of(view.table, inside, axes)))
        why = "" if narrows else _KEEPS_ALL
    except SteeringConflict as conflict:
        narrows, why = False, str(conflict)
    return (
        describe(view.table, inside, view.kept, axes),
        not narrows,
        why or "Let the search look at this region only; undone like any act",
        kept_already,
        _KEPT if kept_already else "Keep the region under a name, to come back to it",
        False,
    )


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the card; the tools are the browser's own."""
    app.clientside_callback(
        ClientsideFunction("gates", "region"),
        Output("region-due", "data"),
        Input("map-scope", "data"),
        Input("count", "children"),
        State("region-due", "data"),
    )
    app.callback(
        Output("region-text", "children"),
        Output("btn-focus", "disabled"),
        Output("btn-focus", "title"),
        Output("btn-keep", "disabled"),
        Output("btn-keep", "title"),
        Output("region-card", "hidden"),
        Input("region-due", "data"),
        State("map-scope", "data"),
        State("run", "data"),
    )(partial(show_region, cockpit))
    app.clientside_callback(
        ClientsideFunction("map_tools", "opened"), Output("map-tool", "data"), Input("template-run", "data")
    )
