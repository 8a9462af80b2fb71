"""The choice of what is true, in the header of every page: which column of which table scores are held against."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update

from app import selection
from app.cockpit import Cockpit
from app.truth import NONE_KNOWN, options

_HINT = "Known results that scores are held against on every page"


def picker() -> html.Div:
    """The list; a title says why it is empty, which a disabled control cannot."""
    chosen = dmc.Select(
        id="truth-picker",
        size="xs",
        className="truth-picker",
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
    """Callbacks that settle what is true on all pages, and write into the address what was picked."""

    @app.callback(
        Output("truth", "data"),
        Output("truth-picker", "data"),
        Output("truth-picker", "value"),
        Output("truth-picker", "disabled"),
        Output("truth-choice", "title"),
        Input("run", "data"),
        Input("url", "search"),
        Input("url", "pathname"),
        State("truth", "data"),
    )
    def settle(run: str | None, search: str | None, _path: str | None, held: str | None) -> tuple[Any, ...]:
        """What the address names, else what was chosen before, else the default; tables may be new on every page."""
        if not run:
            return (no_update,) * 5
        offered = options(cockpit.store.run(run).space)
        known = [option["value"] for option in offered]
        wanted = (selection.read_truth(search), held, *known)
        chosen = next((choice for choice in wanted if choice in known), None)
        shown = no_update if chosen == held else chosen
        label = next((option["label"] for option in offered if option["value"] == chosen), "")
        return shown, offered, chosen, not known, f"{label}. {_HINT}" if known else NONE_KNOWN

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("truth-picker", "value"),
        State("truth", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def pick(picked: str | None, held: str | None, search: str | None) -> Any:
        return no_update if not picked or picked == held else selection.write(*selection.read(search), picked)
