"""What stands where on the Navigator."""

from __future__ import annotations

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from app.shell import press

QUESTION = "Where are the good architectures, and what makes them good?"
_EMPTY_MAP = {"data": [{"type": "scattergl", "marker": {}}, {"type": "scattergl", "marker": {}}], "layout": {}}
_GRAPH = {"displaylogo": False, "responsive": True}


def layout() -> html.Div:
    """Template, space map and charts, candidate; acts and table below."""
    return html.Div(
        [
            dcc.Store(id="hovered"),
            dcc.Store(id="template-run"),
            html.P(QUESTION, className="question"),
            html.Div([_template(), _space(), _candidate(), _below()], className="navigator"),
        ]
    )


def _template() -> html.Section:
    return html.Section(
        [
            html.H2(["Template ", html.Span(id="count")]),
            html.Div(id="template"),
            html.P("Bar: fitness, line: 95 % interval, n: support. Click pins, × prunes.", className="support"),
        ],
        className="panel",
    )


def _space() -> html.Section:
    selects = dmc.Group(
        [
            dmc.Select(id="map-x", size="xs", w=150, label="x", allowDeselect=False),
            dmc.Select(id="map-y", size="xs", w=150, label="y", allowDeselect=False),
            dmc.Select(id="map-colour", size="xs", w=150, label="colour", allowDeselect=False),
        ],
        gap="xs",
    )
    return html.Section(
        [
            selects,
            html.Div(id="preview", className="preview", role="status"),
            dcc.Graph(id="nav-map", figure=_EMPTY_MAP, config=_GRAPH, style={"height": "340px"}),
            html.Div(
                [
                    dcc.Graph(id="blocks", config=_GRAPH, style={"height": "210px"}),
                    dcc.Graph(id="best-so-far", config=_GRAPH, style={"height": "210px"}),
                ],
                className="charts",
            ),
        ],
        className="panel",
    )


def _candidate() -> html.Section:
    return html.Section([html.H2("Candidate"), html.Div(id="candidate-card")], className="panel")


def _below() -> html.Section:
    grid = dag.AgGrid(
        id="candidates",
        columnDefs=[],
        rowData=[],
        columnSize="sizeToFit",
        getRowId="params.data.arch",
        csvExportParams={"fileName": "candidates.csv"},
        dashGridOptions={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "animateRows": False,
        },
        style={"height": "260px"},
    )
    return html.Section(
        [
            dmc.Group(
                [
                    html.H2("Acts"),
                    dmc.Button(
                        "Undo last act", id="btn-undo", size="compact-xs", variant="light", **press("undo-last")
                    ),
                    dmc.Button("Export CSV", id="btn-csv", size="compact-xs", variant="light", ml="auto"),
                ]
            ),
            html.Div(id="acts-list"),
            html.H2("Best candidates"),
            grid,
        ],
        className="panel wide",
    )
