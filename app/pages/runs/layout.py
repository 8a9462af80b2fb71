"""What stands where on the Runs page."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from app.cockpit import DEFAULT_SPACE
from app.palette import BLANK, GRAPH
from nas_core import proxies, spaces
from nas_core.config import ALONE, SEARCH, WEIGHTS, strategy_names, task_names
from nas_core.ladder import AGGREGATE

COMPARE_HINT = (
    "Choose two runs to see their best candidates side by side; a steered run and its twin show what steering gained."
)
COSTS = ["flops", "params", "live_params", "latency_ms"]
"""What a Pareto search may keep low beside its score, the usual one first."""
QUESTION = "What did we do, and what came of it?"


def layout() -> html.Div:
    """A form for a new run, a card a run, and two runs compared."""
    return html.Div(
        [
            html.Div(
                [
                    dmc.Group(
                        [
                            dmc.TextInput(id="new-name", label="Name", size="xs", w=130, placeholder="a new run"),
                            *_kind_of_work(),
                            dmc.Select(
                                id="new-strategy",
                                label="Strategy",
                                size="xs",
                                w=110,
                                allowDeselect=False,
                                data=strategy_names(),
                                value="evolution",
                            ),
                            dmc.Select(
                                id="new-cost",
                                label="Cost (pareto)",
                                size="xs",
                                w=110,
                                allowDeselect=False,
                                data=COSTS,
                                value=COSTS[0],
                                disabled=True,
                            ),
                            dmc.Select(
                                id="new-space",
                                label="Space",
                                size="xs",
                                w=125,
                                allowDeselect=False,
                                data=spaces.names(),
                                value=DEFAULT_SPACE,
                            ),
                            dmc.MultiSelect(
                                id="new-proxies",
                                label="Scores, the first ranks",
                                size="xs",
                                w=200,
                                searchable=True,
                                data=[{"value": AGGREGATE, "label": "aggregate of these"}, *proxies.names()],
                                value=["zico"],
                            ),
                            dmc.Select(
                                id="new-preset",
                                label="Settings",
                                size="xs",
                                w=105,
                                allowDeselect=False,
                                data=["laptop", "aggregate", "published"],
                                value="laptop",
                            ),
                            dmc.NumberInput(id="new-budget", label="Budget", size="xs", w=90, value=500, min=1),
                            dmc.NumberInput(id="new-seed", label="Seed", size="xs", w=70, value=0, min=0),
                            dmc.TextInput(id="new-data", label="Data", size="xs", w=95, value="digits"),
                            dmc.Button("Create run", id="btn-new", size="xs", mt=24),
                        ],
                        align="flex-start",
                        gap="xs",
                        mb="md",
                    ),
                    dcc.Download(id="session-download"),
                    dcc.Store(id="run-cards-shown"),
                    dcc.Store(id="delete-run"),
                    html.Div(id="run-cards", className="cards"),
                    _comparison(),
                    dmc.Modal(
                        [
                            html.P(id="delete-text"),
                            dmc.Button("Delete", id="btn-delete-yes", color="red"),
                        ],
                        id="delete-modal",
                        title="Delete this run?",
                    ),
                ],
                className="page",
            ),
        ]
    )


def _kind_of_work() -> list[Any]:
    """What kind of work the run is about, with its options; shown once there is more than searching."""
    kinds = [name for name in task_names() if name not in (ALONE, WEIGHTS)]
    hidden = {"display": "none"} if kinds == [SEARCH] else {}
    return [
        dmc.Select(
            id="new-task",
            label="Kind of work",
            size="xs",
            w=100,
            allowDeselect=False,
            data=kinds,
            value=SEARCH,
            style=hidden,
        ),
        dmc.TextInput(
            id="new-options", label="Options", size="xs", w=90, placeholder="none", disabled=True, style=hidden
        ),
    ]


def _comparison() -> html.Section:
    return html.Section(
        [
            dmc.Group(
                [
                    html.H2("Compare"),
                    dmc.MultiSelect(
                        id="compared-runs",
                        size="xs",
                        w=420,
                        maxValues=2,
                        placeholder="two runs",
                        **{"aria-label": "Runs to compare"},
                    ),
                    html.Span(COMPARE_HINT, id="comparison-text", className="support", role="status"),
                ]
            ),
            html.Div(
                dcc.Graph(figure=BLANK, id="comparison", className="fill-graph", responsive=True, config=GRAPH),
                id="comparison-figure",
                className="comparison",
                hidden=True,
            ),
        ],
        className="panel",
        style={"marginTop": "12px"},
    )
