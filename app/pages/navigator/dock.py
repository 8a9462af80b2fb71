"""The dock under the map: one panel at a time, tall enough to work in. What stands where; the panels fill elsewhere.

All panels stay mounted: keys step through the table, and a note is read, whichever panel is shown. What a hidden panel
would draw is not sent to the browser, see `views.draw`.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from app import take_away
from app.pages.navigator import loop
from app.pages.navigator.charts import CHARTS
from app.palette import BLANK, GRAPH
from app.table import grid

CANDIDATES, BLOCKS, PROGRESS, PARETO, ACTS = "candidates", "blocks", "progress", "pareto", "acts"
"""The tabs of the dock, by their values."""
_BARE = GRAPH | {"displayModeBar": False}


def dock() -> html.Section:
    """Tabs and panels."""
    tabs: list[tuple[str, Any, list[Any]]] = [
        (CANDIDATES, ["Candidates ", _count("dock-scored")], _candidates()),
        (BLOCKS, "Blocks", _blocks()),
        (PROGRESS, "Progress", _progress()),
        (PARETO, "Pareto", _pareto()),
        (ACTS, ["Acts ", _count("dock-acts")], _acts()),
    ]
    listed = dmc.TabsList(
        [dmc.TabsTab(title, value=value) for value, title, _ in tabs],
        **{"aria-label": "What the dock shows"},
    )
    panels = [dmc.TabsPanel(parts, value=value, className=f"dock-panel dock-{value}") for value, _, parts in tabs]
    grow = html.Button(
        "⤢",
        type="button",
        className="dock-grow",
        title="Make the dock taller, or as it was",
        **{"aria-label": "Taller dock", "aria-pressed": "false", "data-grow": "yes", "data-local": "yes"},
    )
    return html.Section(
        [dmc.Tabs([listed, *panels], id="nav-dock", value=CANDIDATES, className="dock-tabs"), grow],
        className="panel dock table",
        **{"aria-label": "Dock"},
    )


def _count(identifier: str) -> html.Span:
    return html.Span(id=identifier, className="dock-count")


def _candidates() -> list[Any]:
    rows = grid(
        "candidates",
        "candidates.csv",
        "Candidates stand here once they are scored.",
        getRowId="params.data.arch",
        dashGridOptions={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
            "enableBrowserTooltips": True,
            "rowHeight": 29,
        },
    )
    return [html.Div(take_away.links("candidates"), className="dock-tools"), html.Div(rows, className="grid")]


def _blocks() -> list[Any]:
    chart = dcc.Graph(figure=BLANK, id="blocks", config=GRAPH, responsive=True, className="fill-graph")
    return [html.Div(chart, className="dock-chart")]


def _progress() -> list[Any]:
    choice = dmc.Select(
        id="chart",
        data=list(CHARTS),
        value=next(iter(CHARTS)),
        size="xs",
        w=140,
        allowDeselect=False,
        className="slot-choice",
        **{"aria-label": "Chart"},
    )
    chart = dcc.Graph(figure=BLANK, id="best-so-far", config=_BARE, responsive=True, className="fill-graph")
    return [html.Div(choice, className="dock-tools"), html.Div(chart, className="dock-chart")]


def _pareto() -> list[Any]:
    chart = dcc.Graph(figure=BLANK, id="pareto", config=_BARE, responsive=True, className="fill-graph")
    return [html.Div(chart, className="dock-chart")]


def _acts() -> list[Any]:
    note = dmc.TextInput(
        id="act-note", size="xs", placeholder="note for the next act", **{"aria-label": "Note for the next act"}
    )
    listed = html.Div(id="acts-list", tabIndex=0, role="group", **{"aria-label": "Acts in force, the newest first"})
    return [html.Div([html.Div([html.H2("Acts"), note, listed], className="acts"), loop.next_panel()], className="two")]
