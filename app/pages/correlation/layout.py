"""What stands where on the Correlation page."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from app.table import grid

QUESTION = "Can I trust this score, and what does it really measure?"
SCOPES = {"all": "all scored", "steering": "under the steering", "brush": "brushed below"}
CROSSED = {"scores": "score against score", "settings": "stability of the score"}
_GRAPH = {"displaylogo": False}


def layout() -> html.Div:
    """Leader board and score against score; score against truth, and what the score may merely be counting."""
    return html.Div(
        [
            dcc.Store(id="brushed"),
            html.P(QUESTION, className="question"),
            html.Div(
                [
                    _choices(),
                    html.Div(
                        [
                            grid(
                                "leader-board",
                                "correlation.csv",
                                "At least 10 scored candidates are needed: press Start.",
                            ),
                            html.Div(
                                [
                                    dmc.SegmentedControl(
                                        id="crossed",
                                        data=[{"value": k, "label": v} for k, v in CROSSED.items()],
                                        value="scores",
                                        size="xs",
                                    ),
                                    dcc.Graph(id="score-score", className="fill-graph", responsive=True, config=_GRAPH),
                                ],
                                className="crossed",
                            ),
                        ],
                        className="columns board",
                    ),
                    html.Div(
                        [
                            dcc.Graph(id="score-truth", className="fill-graph", responsive=True, config=_GRAPH),
                            dcc.Graph(id="measures", className="fill-graph", responsive=True, config=_GRAPH),
                        ],
                        className="columns",
                    ),
                ],
                className="page filled laboratory",
            ),
        ]
    )


def _choices() -> dmc.Group:
    return dmc.Group(
        [
            dmc.SegmentedControl(
                id="truth", data=["cifar10", "cifar100", "imagenet16-120"], value="cifar10", size="xs"
            ),
            dmc.SegmentedControl(
                id="scope", data=[{"value": k, "label": v} for k, v in SCOPES.items()], value="all", size="xs"
            ),
            dmc.Select(id="looked-at", size="xs", w=180, allowDeselect=False, **{"aria-label": "Score to look at"}),
            html.Div(id="correlation-state", className="support", role="status"),
            dmc.Button("Export CSV", id="btn-board-csv", size="compact-xs", variant="light", ml="auto"),
        ]
    )
