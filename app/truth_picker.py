"""The choice of what is true, in the header of every page: which column of which table scores are held against."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update

from app import selection
from app.cockpit import Cockpit
from app.truth import NONE_KNOWN, options

_HINT = "Known results that scores are held against on every page"


def picker() -> html.Div:
    """The list; a title says why it is empty, which a disabled control cannot."""
    chosen = dmc.Select(
        id="truth-picker",
        size="xs",
        w=150,
        allowDeselect=False,
        searchable=True,
        nothingFoundMessage="no such column",
        placeholder="no truth",
        comboboxProps={"width": 340, "position": "bottom-start"},
        disabled=True,
        **{"aria-label": "Truth"},
    )
    return html.Div(chosen, id="truth-choice", title=NONE_KNOWN)


def register(app: Dash, cockpit: Cockpit) -> None:
    """The callback that settles what is true on all pages; the address follows in the browser (`helm.links`)."""

    @app.callback(
        Output("truth", "data"),
        Output("truth-picker", "data"),
        Output("truth-picker", "value"),
        Output("truth-picker", "disabled"),
        Output("truth-choice", "title"),
        Input("truth-picker", "value"),
        Input("run", "data"),
        Input("url", "search"),
        Input("url", "pathname"),
        State("truth", "data"),
    )
    def settle(
        picked: str | None, run: str | None, search: str | None, _path: str | None, held: str | None
    ) -> tuple[Any, ...]:
        """What was picked just now, else what the address names, else what was chosen before, else the default."""
        if not run:
            return (no_update,) * 5
        offered = options(cockpit.store.run(run).space)
        known = [option["value"] for option in offered]
        wanted = [picked] if ctx.triggered_id == "truth-picker" else [selection.read_truth(search), held]
        chosen = next((choice for choice in wanted if choice in known), known[0] if known else None)
        shown = no_update if chosen == held else chosen
        return shown, offered, chosen, not known, _HINT if known else NONE_KNOWN
