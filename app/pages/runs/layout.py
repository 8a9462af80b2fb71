"""What stands where on the Runs page: chips and search, the table, what can be done with the chosen, two compared."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from app.pages.runs import form
from app.pages.runs.orders import ORDERS
from app.palette import BLANK, GRAPH
from app.states import SIGNS

QUESTION = "What did we do, and what came of it?"
CHIPS = ("All", "Running", "Waiting", "Done", "Paused", "Failed", "Ready", "Stopped")
"""States to filter by; the last two are shown only where a run is in them."""
_SIGN_OF = {word: sign for sign, word in SIGNS.values()}


def layout() -> html.Div:
    """The page, without data; `run-cards` holds the table and all around it."""
    return html.Div(
        [
            dcc.Download(id="session-download"),
            dcc.Store(id="runs-known"),
            dcc.Store(id="runs-news"),
            dcc.Store(id="runs-told"),  # two callbacks of the same input cannot both do without an output
            dcc.Store(id="runs-chosen"),
            dcc.Store(id="runs-chosen-wanted"),
            dcc.Store(id="runs-compared"),
            dcc.Store(id="runs-compared-drawn"),
            dcc.Store(id="delete-run"),
            html.Div(
                [
                    html.Section(
                        [_toolbar(), _table(), _bar()],
                        id="run-cards",
                        className="runs-list",
                        **{"aria-label": "Runs"},
                    ),
                    _comparison(),
                ],
                className="runs-columns",
            ),
            form.drawer(),
            dmc.Modal(
                [
                    html.Div(id="delete-text"),
                    html.Div(
                        [
                            dmc.Button("Delete", id="btn-delete-yes", color="red"),
                            dmc.Button("Keep", id="btn-delete-no", variant="default"),
                        ],
                        className="runs-create",
                    ),
                ],
                id="delete-modal",
                title="Delete this run?",
                closeButtonProps={"aria-label": "Close"},
            ),
        ],
        className="runs",
    )


def _toolbar() -> html.Div:
    return html.Div(
        [
            html.Div(
                [_chip(state) for state in CHIPS],
                className="runs-chips",
                role="group",
                **{"aria-label": "Show runs by state"},
            ),
            dmc.TextInput(
                id="runs-search",
                className="runs-search",
                placeholder="Search name, space, data, strategy",
                rightSection=html.Kbd("/"),
                **{"aria-label": "Search runs"},
            ),
            html.Button(
                ["New run ", html.Kbd("n")], id="btn-new-open", type="button", className="runs-button runs-filled"
            ),
        ],
        className="runs-toolbar",
    )


def _chip(state: str) -> html.Button:
    sign = _SIGN_OF.get(state)
    return html.Button(
        [
            *([html.Span(sign, className="runs-sign", **{"aria-hidden": "true"})] if sign else []),
            f"{state} ",
            html.Span("–", id={"type": "runs-count", "state": state}),
        ],
        id={"type": "runs-chip", "state": state},
        type="button",
        className="runs-chip",
        hidden=state in CHIPS[-2:],
        **{"data-state": state, "aria-pressed": "true" if state == "All" else "false"},
    )


def _table() -> html.Div:
    return html.Div(
        [
            dag.AgGrid(
                id="runs-grid",
                columnDefs=_columns(),
                defaultColDef={
                    "sortable": True,
                    "resizable": True,
                    "suppressHeaderMenuButton": True,
                    "getQuickFilterText": {"function": "''"},  # a search reads `search` alone, no dates and no numbers
                },
                getRowId="params.data.id",
                dashGridOptions={
                    "animateRows": False,
                    "getRowHeight": {"function": "runRowHeight(params)"},
                    "headerHeight": 32,
                    "includeHiddenColumnsInQuickFilter": True,
                    "rowSelection": {"mode": "multiRow", "enableClickSelection": True, "selectAll": "filtered"},
                    "selectionColumnDef": {"width": 44, "maxWidth": 44, "pinned": "left"},
                    "suppressCellFocus": False,
                    "tooltipShowDelay": 300,
                    "localeText": {
                        "noRowsToShow": "No run of this kind. Choose All, or empty the search.",
                        "noMatchingRows": "No run of this kind. Choose All, or empty the search.",
                        "loadingOoo": "Reading the runs …",
                    },
                },
                style={"height": "100%"},
            ),
            html.P("", id="runs-empty", className="runs-empty", hidden=True),
        ],
        className="runs-table",
    )


def _columns() -> list[dict[str, Any]]:
    """Columns of the table; what they hold comes from `rows.row`, how it looks from `assets/runs.js`."""
    words = {"filter": "agTextColumnFilter"}
    numbers = {"filter": "agNumberColumnFilter", "type": "rightAligned"}
    return [
        {"field": "name", "headerName": "run", "cellRenderer": "RunName", "flex": 3, "minWidth": 190, **words},
        {"field": "search", "hide": True, "getQuickFilterText": {"function": "params.value"}},
        {"field": "state", "headerName": "state", "cellRenderer": "RunState", "flex": 2, "minWidth": 150, **words},
        {"field": "spark", "headerName": "best so far", "cellRenderer": "RunSpark", "width": 118, "sortable": False},
        {"field": "best", "headerName": "best score", "cellRenderer": "RunBest", "width": 128, **numbers},
        {
            "field": "acts",
            "headerName": "acts",
            "headerTooltip": "Steering acts made, those undone included",
            "width": 78,
            "valueFormatter": {"function": "params.value ? d3.format(',')(params.value) : '–'"},
            "cellClass": ["runs-number", "ag-right-aligned-cell"],
            **numbers,
        },
        {
            "field": "made",
            "headerName": "when",
            "headerTooltip": "When the run was made",
            "cellRenderer": "RunWhen",
            "width": 128,
            "sort": "desc",
            "type": "rightAligned",
        },
    ]


def _bar() -> html.Div:
    """What can be done with the chosen runs, always all of it: what would do nothing says why."""
    return html.Div(
        [
            html.Span("No run chosen", id="runs-chosen-text", className="runs-chosen", role="status"),
            *(_order(order, name) for order, name in ORDERS.items()),
        ],
        id="run-orders",
        className="orders runs-bar",
        role="group",
        **{"aria-label": "The chosen runs"},
    )


def _order(order: str, name: str) -> html.Button:
    key = [html.Kbd("c")] if order == "compare" else []
    return html.Button(
        [html.Span(name, id=f"runs-{order}-word"), *key],
        id=f"runs-{order}",
        type="button",
        disabled=True,
        className=f"runs-button runs-{order}",
    )


def _comparison() -> html.Aside:
    return html.Aside(
        [
            html.Div(
                [
                    html.H2("Compare"),
                    html.Button(
                        ["Close ", html.Kbd("Esc")], id="runs-compare-close", type="button", className="runs-quiet"
                    ),
                ],
                className="runs-panel-head",
            ),
            html.Div(id="comparison-text", role="status"),
            html.Div(
                dcc.Graph(figure=BLANK, id="comparison", className="fill-graph", responsive=True, config=GRAPH),
                id="comparison-figure",
                className="runs-chart",
                hidden=True,
            ),
            html.Div(id="comparison-cells"),
            html.Div(id="comparison-acts", className="runs-panel-acts"),
        ],
        id="runs-panel",
        className="runs-panel",
        hidden=True,
        **{"aria-label": "Two runs compared"},
    )
