"""The frame around every page: the rail of pages, the top bar, question and headline, notifications, help."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from app import headline, live, page, selection, top_bar, view
from app.cockpit import Cockpit
from app.opening import NOTHING_KNOWN, Opening
from nas_core.store import StoreError

_LOG = logging.getLogger(__name__)

KEYS = {
    "j / k": "next, previous candidate of the table",
    "p": "pin the operation brick that has the focus",
    "x": "prune it",
    "u": "undo the last act",
    "l": "lasso: draw around dots of the map; Esc lets the region go",
    "space": "start, pause or resume the run",
    "/": "find a run",
    "n / c": "on the page Runs: a new run, compare the two that are chosen",
    "Esc": "close what lies on top",
    "Tab": "to the next control; bricks show their preview when they have the focus",
    "?": "this help",
}


def layout(opened: Opening = NOTHING_KNOWN) -> dmc.MantineProvider:
    """The whole document, with what is known of its address; the rest is filled by the callbacks."""
    shown = opened.shown
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav", **opened.location),
            dcc.Store(id="run", data=opened.run),
            dcc.Store(id="arch", data=opened.arch),
            dcc.Store(id="page-drawn", data=opened.path if shown else None),
            dcc.Store(id="truth"),
            dcc.Store(id="pressed"),
            dcc.Store(id="steered"),
            dcc.Store(id="export-wanted"),
            dcc.Store(id="export-due"),
            dcc.Download(id="export-download"),
            dcc.Store(id="titled"),
            dcc.Store(id="tour-steps", data=_tour()),
            view.components(),
            dmc.NotificationContainer(id="notifications", position="bottom-right", limit=8),
            _help(),
            html.A("Skip to the page", href="#page", className="skip"),
            html.Div(
                [
                    _rail(),
                    top_bar.layout(),
                    headline.layout(shown.question if shown else ""),
                    live.components(opened.pulse),
                    html.Main(shown.layout() if shown else None, id="page", tabIndex=-1),
                ],
                id="frame",
            ),
        ],
        id="provider",
        theme={"fontFamily": "Inter, system-ui, sans-serif", "fontSizes": {"xs": "13px", "sm": "14px"}},
    )


def _rail() -> html.Nav:
    """Pages by group, each an icon over its name."""
    parts: list[Any] = [html.Div(html.Span(className="icon icon-helm"), className="brand", title="NAS Helm")]
    group = None
    for shown in page.pages():
        if shown.group != group:
            group = shown.group
            parts.append(html.Div(group, className="rail-group") if group else html.Div(className="spring"))
        parts.append(
            dcc.Link(
                [
                    html.Span(className=f"icon icon-{shown.icon}", **{"aria-hidden": "true"}),
                    html.Span(shown.title),
                ],
                href=selection.path_of(shown.path),
                id=f"nav-{shown.name}",
                className="nav-link",
            )
        )
    return html.Nav(parts, id="nav", className="rail", **{"aria-label": "Pages"})


def _tour() -> list[dict[str, str]]:
    """The steps of all pages in the order of the rail, each with the link that leads to its page."""
    return [{"link": f"nav-{shown.name}", **vars(step)} for shown in page.pages() for step in shown.tour]


def _help() -> dmc.Modal:
    rows = [html.Tr([html.Td(html.Kbd(key)), html.Td(what)]) for key, what in KEYS.items()]
    return dmc.Modal(
        [
            html.P("Pick a run above, press Start, then steer: pin what must stay, prune what should go."),
            html.Table(html.Tbody(rows), className="keys"),
            dmc.Button("Take the tour", id="btn-tour", size="xs", mt="sm", **{"data-local": "yes"}),
        ],
        id="help",
        title="Help",
    )


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind the callbacks of the frame."""

    app.callback(
        Output("page", "children"),
        Output("question", "children"),
        Output("page-drawn", "data"),
        Input("url", "pathname"),
        State("page-drawn", "data"),
        prevent_initial_call=True,
    )(route)
    app.callback(
        Output("help", "opened"),
        Input("btn-help", "n_clicks"),
        Input("btn-tour", "n_clicks"),
        prevent_initial_call=True,
    )(open_help)
    app.clientside_callback(
        ClientsideFunction("tour", "start"),
        Output("btn-tour", "n_clicks"),
        Input("btn-tour", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(ClientsideFunction("tour", "know"), Input("tour-steps", "data"))
    app.clientside_callback(
        ClientsideFunction("frame", "links"),
        [Output(f"nav-{shown.name}", "href") for shown in page.pages()],
        Input("url", "search"),
        Input("url", "pathname"),
    )
    app.clientside_callback(
        ClientsideFunction("frame", "title"),
        Output("titled", "data"),
        Input("url", "pathname"),
        Input("run-picker", "value"),
        Input("run-picker", "data"),
    )
    top_bar.register(app, cockpit)
    headline.register(app, cockpit)
    view.register(app)

    app.server.register_error_handler(StoreError, unread)


def route(path: str | None, drawn: str | None) -> tuple[Any, Any, Any]:
    """The page at an address, its question and the address; nothing new where it is drawn already."""
    if path == drawn and path is not None:
        return no_update, no_update, no_update
    shown = page.at(selection.below(path))
    if shown is None:
        return html.P(f"There is no page {path}. Choose one at the left.", className="empty"), "", path
    return shown.layout(), shown.question, path


def open_help(_open: int | None, _tour: int | None) -> bool:
    """Whether the help stands open: not any more once the tour is taken from it."""
    return ctx.triggered_id == "btn-help"


def unread(error: StoreError) -> tuple[str, int]:
    """A view of what the store has no longer keeps what it shows; the status says why."""
    _LOG.warning("nothing drawn: %s", error)
    return "", HTTPStatus.NO_CONTENT
