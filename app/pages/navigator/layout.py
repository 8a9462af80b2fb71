"""What stands where on the Navigator: what may be chosen, what exists, what this one is; below them the dock."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from app.pages.navigator import loop, map_tools, regions, timeline, tradeoff
from app.pages.navigator.dock import dock
from app.palette import BLANK, GRAPH
from app.presses import press

QUESTION = "Where are the good architectures, and what makes them good?"
_MAP = GRAPH | {
    "scrollZoom": True,
    "modeBarButtons": [["toImage"]],  # the tools have words and stand on the map, see `map_tools`
}
_SIGNS = ("● closed form ", "◆ zero-cost ", "■ one-shot ", "★ trained ", "○ selected")
_STORES = (
    "hovered",
    "known",
    "drawn",
    "looks",
    "dressed",
    "picked",
    "bricks",
    "template-run",
    "map-base",
    "map-marks",
    "map-live",
    "map-size",
    "carried",
    "map-going",
    "map-chosen",
    "region",
    "map-tool",
    "preview-due",
    "known-due",
    "region-due",
    "columns-due",
)


def layout() -> html.Div:
    """Decisions, space map, candidate; the dock below the last two."""
    return html.Div(
        [
            *[dcc.Store(id=name) for name in (*_STORES, *loop.STORES)],
            html.Div([_template(), _space(), _candidate(), dock()], className="navigator"),
        ]
    )


def _template() -> html.Section:
    undo = html.Button(
        "Undo",
        id="btn-undo",
        type="button",
        className="plain small",
        disabled=True,
        title="There is no act to undo.",
        **press("undo-last"),
    )
    return html.Section(
        [
            html.Div(
                [html.H2(["Decisions ", html.Span(id="count", title="Architectures left, of all")]), undo],
                className="panel-head",
            ),
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
    signs = html.Span([html.Span(sign) for sign in _SIGNS], className="support signs", id="map-signs")
    faint = html.Span("Grey: not scored yet. Faint: outside what is left.", className="support faint")
    return html.Section(
        [
            html.Div(
                [tradeoff.switch(), html.Div(id="trust-verdict", className="trust-verdict", role="status")],
                className="map-head",
            ),
            _axes(),
            html.Div(id="view-sentence", className="view-sentence", role="status"),
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
                    map_tools.tools(),
                    html.Div(id="preview", className="preview", role="status"),
                    map_tools.region_card(),
                    html.Div(id="map-tip", className="map-tip", role="tooltip"),
                ],
                className="map",
            ),
            html.Div([signs, faint], className="map-foot"),
            regions.region_row(),
            timeline.timeline_row(),
        ],
        className="panel space",
    )


def _axes() -> html.Div:
    """What the map is drawn by: its axes, in a trade-off the cost, and its colour."""
    return html.Div(
        [
            _choice("x", 140, 18),
            _choice("y", 140, 18),
            tradeoff.cost_choice(),
            html.Span(className="spring"),
            _choice("colour", 204, 48),
        ],
        className="map-head",
    )


def _choice(axis: str, width: int, margin: int) -> dmc.Select:
    return dmc.Select(
        id=f"map-{axis}",
        size="xs",
        w=width,
        flex="none",
        leftSection=html.Span(axis, className="support"),
        leftSectionWidth=margin,
        allowDeselect=False,
        className=f"choice-{axis}",
        **{"aria-label": f"{axis} of the map"},
    )


def _candidate() -> html.Section:
    return html.Section(
        [html.H2("Candidate"), html.Div(id="candidate-card")], className="panel candidate", **{"aria-live": "polite"}
    )
