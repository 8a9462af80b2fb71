"""What stands where on the Correlation page."""

from __future__ import annotations

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

QUESTION = "Can I trust this score, and what does it really measure?"


def layout() -> html.Div:
    """Leader board, score against truth, and what the score may merely be counting."""
    return html.Div(
        [
            html.P(QUESTION, className="question"),
            html.Div(
                [
                    dmc.Group(
                        [
                            dmc.SegmentedControl(
                                id="truth", data=["cifar10", "cifar100", "imagenet16-120"], value="cifar10", size="xs"
                            ),
                            html.Div(id="correlation-state", className="support"),
                            dmc.Button("Export CSV", id="btn-board-csv", size="compact-xs", variant="light", ml="auto"),
                        ]
                    ),
                    dag.AgGrid(
                        id="leader-board",
                        columnDefs=[],
                        rowData=[],
                        columnSize="sizeToFit",
                        csvExportParams={"fileName": "correlation.csv"},
                        style={"height": "260px", "marginTop": "8px"},
                    ),
                    html.Div(
                        [
                            dcc.Graph(id="score-truth", style={"height": "380px"}, config={"displaylogo": False}),
                            dcc.Graph(id="measures", style={"height": "380px"}, config={"displaylogo": False}),
                        ],
                        className="columns",
                    ),
                ],
                className="page",
            ),
        ]
    )
