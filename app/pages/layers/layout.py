"""What stands where on the Layers page."""

from __future__ import annotations

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

QUESTION = "Which layers carry the score?"
STATISTICS = ["term", "inverse_cv", "mean_abs_grad", "std"]


def layout() -> html.Div:
    """Choice of statistic, heat map of layer by candidate, table."""
    return html.Div(
        [
            html.P(QUESTION, className="question"),
            html.Div(
                [
                    dmc.SegmentedControl(id="statistic", data=STATISTICS, value="term", size="xs"),
                    html.Div(id="layers-state", className="support"),
                    dcc.Graph(id="layers-map", style={"height": "420px"}, config={"displaylogo": False}),
                    dmc.Button("Export CSV", id="btn-layers-csv", size="compact-xs", variant="light"),
                    dag.AgGrid(
                        id="layers-table",
                        columnDefs=[],
                        rowData=[],
                        columnSize="sizeToFit",
                        csvExportParams={"fileName": "layers.csv"},
                        style={"height": "300px"},
                    ),
                ],
                className="page",
            ),
        ]
    )
