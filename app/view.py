"""Keeps what pages show in the address and for the tab: the one place that binds what pages list as `viewed`.

The browser does the work (`assets/view.js`): it puts what the address names back where it belongs, and writes what is
shown into the address without a step in its history.
"""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, State, dcc

from app import page, selection


def components() -> dcc.Store:
    """What the browser knows of the parts that pages list, by the path of the page."""
    shown = page.pages()
    selection.listed(part for one in shown for part in one.viewed)  # no two pages may use one key
    return dcc.Store(id="viewed", data={one.path: selection.listed(one.viewed) for one in shown if one.viewed})


def register(app: Dash) -> None:
    """The callbacks, one for each page that lists something."""
    app.clientside_callback(ClientsideFunction("view", "arrived"), Input("page-drawn", "data"))
    for shown in page.pages():
        if shown.viewed:
            app.clientside_callback(
                ClientsideFunction("view", "kept"),
                Input("run", "data"),
                *(Input(part.component, part.property, allow_optional=True) for part in shown.viewed),
                State("viewed", "data"),
            )
