"""What stands where on the Navigator."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from app import take_away
from app.pages.navigator import loop
from app.pages.navigator.charts import CHARTS
from app.palette import BLANK, GRAPH
from app.presses import press
from app.table import grid

NO_REGION = "Lasso dots on the map to make a region."
QUESTION = "Where are the good architectures, and what makes them good?"
_MAP = GRAPH | {"scrollZoom": True, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}
_SIGNS = ("● closed form ", "◆ zero-cost ", "■ one-shot ", "★ trained ", "○ selected")
_STORES = (
    "hovered",
    "known",
    "drawn",
    "looks",
    "dressed",
    "picked",
    "template-run",
    "map-base",
    "map-marks",
    "map-live",
    "map-size",
    "carried",
    "map-going",
    "map-chosen",
    "region",
)


def layout() -> html.Div:
    """Template, space map and charts, candidate; acts and table below."""
    return html.Div(
        [
            *[dcc.Store(id=name) for name in (*_STORES, *loop.STORES)],
            html.Div(
                [_template(), _space(), _candidate(), _acts(), _table(), loop.next_panel()], className="navigator"
            ),
        ]
    )


def _template() -> html.Section:
    return html.Section(
        [
            html.H2(["Template ", html.Span(id="count")]),
            html.Div(id="template"),
            html.P(
                "Bar and left number: mean rank; line: 95 % interval; right number: networks scored with it. "
                "Click pins, × prunes.",
                className="support",
            ),
        ],
        className="panel template",
    )


def _space() -> html.Section:
    axes = [
        dmc.Select(
            id=f"map-{axis}",
            size="xs",
            w=width,
            flex="none",
            leftSection=html.Span(axis, className="support"),
            leftSectionWidth=margin,
            allowDeselect=False,
            **{"aria-label": f"{axis} of the map"},
        )
        for axis, width, margin in (("x", 140, 18), ("y", 140, 18), ("colour", 204, 48))
    ]
    signs = html.Span([html.Span(sign) for sign in _SIGNS], className="support signs", id="map-signs")
    return html.Section(
        [
            dmc.Group([*axes, signs], gap="xs", wrap="nowrap"),
            html.Div(id="trust-verdict", className="trust-verdict", role="status"),
            html.Div(
                [
                    dcc.Graph(
                        figure=BLANK,
                        id="nav-map",
                        clear_on_unhover=True,
                        config=_MAP,
                        responsive=True,
                        className="fill-graph",
                    ),
                    html.Div(id="preview", className="preview", role="status"),
                ],
                className="map",
            ),
            dmc.Group(
                [
                    html.Span(NO_REGION, id="region-text", className="support", role="status"),
                    dmc.Button(
                        "Keep as region",
                        id="btn-keep",
                        size="compact-xs",
                        variant="light",
                        disabled=True,
                        **press("region", "keep"),
                    ),
                    dmc.Button(
                        "Focus the search here",
                        id="btn-focus",
                        size="compact-xs",
                        variant="light",
                        disabled=True,
                        **press("focus"),
                    ),
                ],
                gap="xs",
                wrap="nowrap",
            ),
            loop.region_row(),
            html.Div(
                [
                    dcc.Graph(figure=BLANK, id="blocks", config=GRAPH, responsive=True, className="fill-graph"),
                    _slot(),
                ],
                className="charts",
            ),
            loop.timeline_row(),
        ],
        className="panel space",
    )


def _slot() -> html.Div:
    """The chart that may be another: its choice stands where plotly would put its buttons."""
    choice = dmc.Select(
        id="chart",
        data=list(CHARTS),
        value=next(iter(CHARTS)),
        size="xs",
        w=118,
        allowDeselect=False,
        className="slot-choice",
        **{"aria-label": "Chart"},
    )
    bare = GRAPH | {"displayModeBar": False}
    return html.Div(
        [dcc.Graph(figure=BLANK, id="best-so-far", config=bare, responsive=True, className="fill-graph"), choice],
        className="slot",
    )


def _candidate() -> html.Section:
    return html.Section(
        [html.H2("Candidate"), html.Div(id="candidate-card")], className="panel candidate", **{"aria-live": "polite"}
    )


def _acts() -> html.Section:
    undo = dmc.Button("Undo last act", id="btn-undo", size="compact-xs", variant="light", **press("undo-last"))
    note = dmc.TextInput(
        id="act-note", size="xs", placeholder="note for the next act", **{"aria-label": "Note for the next act"}
    )
    listed = html.Div(id="acts-list", tabIndex=0, role="group", **{"aria-label": "Acts in force, the newest first"})
    return html.Section(
        [dmc.Group([html.H2("Acts"), undo], justify="space-between"), note, listed], className="panel acts"
    )


def _table() -> html.Section:
    rows = grid(
        "candidates",
        "candidates.csv",
        "Candidates stand here once they are scored.",
        getRowId="params.data.arch",
        dashGridOptions={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
            "enableBrowserTooltips": True,
        },
    )
    export = take_away.links("candidates")
    return html.Section(
        [dmc.Group([html.H2("Best candidates"), export], justify="space-between"), html.Div(rows, className="grid")],
        className="panel table",
    )
