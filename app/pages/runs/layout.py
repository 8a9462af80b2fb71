"""What stands where on the Runs page."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html

from app.cockpit import DEFAULT_SPACE, LARGEST_SPACE
from nas_core import proxies, spaces

QUESTION = "What did we do, and what came of it?"


def layout() -> html.Div:
    """A form for a new run, and a card a run."""
    return html.Div(
        [
            html.P(QUESTION, className="question"),
            html.Div(
                [
                    dmc.Group(
                        [
                            dmc.TextInput(id="new-name", label="Name", size="xs", w=150, placeholder="a new run"),
                            dmc.Select(
                                id="new-strategy",
                                label="Strategy",
                                size="xs",
                                w=110,
                                allowDeselect=False,
                                data=["scan", "random", "evolution"],
                                value="evolution",
                            ),
                            dmc.Select(
                                id="new-space",
                                label="Space",
                                size="xs",
                                w=140,
                                allowDeselect=False,
                                data=[name for name in spaces.names() if spaces.get(name).size <= LARGEST_SPACE],
                                value=DEFAULT_SPACE,
                            ),
                            dmc.MultiSelect(
                                id="new-proxies",
                                label="Scores, the first ranks",
                                size="xs",
                                w=260,
                                searchable=True,
                                data=proxies.names(),
                                value=["zico"],
                            ),
                            dmc.Select(
                                id="new-preset",
                                label="Settings",
                                size="xs",
                                w=120,
                                allowDeselect=False,
                                data=["laptop", "aggregate", "published"],
                                value="laptop",
                            ),
                            dmc.NumberInput(id="new-budget", label="Budget", size="xs", w=100, value=500, min=1),
                            dmc.NumberInput(id="new-seed", label="Seed", size="xs", w=90, value=0),
                            dmc.TextInput(id="new-data", label="Data", size="xs", w=110, value="digits"),
                            dmc.Button("Create run", id="btn-new", size="xs", mt=24),
                        ],
                        align="flex-start",
                        mb="md",
                    ),
                    html.Div(id="run-cards", className="cards"),
                    dmc.Modal(
                        [
                            html.P("The run, its acts and candidates are deleted. Cached scores stay."),
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
