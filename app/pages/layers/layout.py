"""What stands where on the Layers page."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from app import take_away
from app.palette import BLANK, GRAPH
from app.table import grid

QUESTION = "Which layers carry the score?"
STATISTICS = {
    "term": "term",
    "inverse_cv": "inverse CV",
    "mean_abs_grad": "mean |g|",
    "std": "std of g",
}


def layout() -> html.Div:
    """Choice of statistic, heat map of layer by candidate, what is inside the layer under the pointer, table."""
    return html.Div(
        [
            html.Div(
                [
                    dmc.Group(
                        [
                            dmc.SegmentedControl(
                                id="statistic",
                                data=[{"value": k, "label": v} for k, v in STATISTICS.items()],
                                value="term",
                                size="xs",
                            ),
                            dmc.MultiSelect(
                                id="compared",
                                size="xs",
                                w=300,
                                maxValues=4,
                                data=[{"value": str(k), "label": f"#{k}"} for k in range(1, 21)],
                                value=["1", "2", "3"],
                                **{"aria-label": "Candidates to compare, by rank"},
                            ),
                            html.Div(id="layers-state", className="support"),
                            take_away.links("layers"),
                        ]
                    ),
                    html.Div(id="layers-cells", className="cells"),
                    dcc.Graph(figure=BLANK, id="layers-map", className="fill-graph", responsive=True, config=GRAPH),
                    html.Div(
                        [
                            dcc.Graph(
                                figure=BLANK,
                                id="layers-spread",
                                className="fill-graph",
                                responsive=True,
                                config=GRAPH,
                            ),
                            grid("layers-table", "layers.csv", "No statistics of layers to show."),
                        ],
                        className="columns spread",
                    ),
                ],
                className="page filled thirds",
            ),
        ]
    )
