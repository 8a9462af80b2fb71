"""The form for a new run, in a drawer: every field with a plain label and a hint, and the place for its complaint."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from app.cockpit import DEFAULT_SPACE
from app.labels import explanation, score_label
from app.pages.runs.data_preview import EMBEDDED, PATHS
from nas_core import proxies, spaces
from nas_core.config import ALONE, SEARCH, WEIGHTS, strategy_names, task_names
from nas_core.ladder import AGGREGATE

COSTS = ["flops", "params", "live_params", "latency_ms"]
"""What a Pareto search may keep low beside its score, the usual one first."""
FIELDS = {
    "name": "new-name",
    "task": "new-task",
    "options": "new-options",
    "space": "new-space",
    "data": "new-data",
    "path": "new-path",
    "strategy": "new-strategy",
    "scores": "new-proxies",
    "cost": "new-cost",
    "settings": "new-preset",
    "budget": "new-budget",
    "seed": "new-seed",
}
"""Fields of the form, by what a refusal calls them."""
_PRESETS = {
    "laptop": "Quick: small images, about 15 ms a candidate",
    "aggregate": "Deeper networks: for several scores together",
    "published": "As in the ZiCo paper: slow, 32 × 32 images",
}
_STRATEGIES = {
    "evolution": "Evolution: mutates the best so far",
    "genetic": "Genetic: crosses and mutates the best",
    "pareto": "Pareto: high score and low cost at once",
    "random": "Random: a baseline",
    "scan": "Scan: every architecture in turn",
}


def drawer() -> dmc.Drawer:
    """The form; `btn-new` makes the run."""
    return dmc.Drawer(
        html.Div(
            [
                dmc.TextInput(id="new-name", label="Name", placeholder="Named after its space if empty"),
                *_kind_of_work(),
                dmc.Select(
                    id="new-space",
                    label="Search space",
                    description="What can be built. Your own spaces are made under Template.",
                    allowDeselect=False,
                    data=spaces.names(),
                    value=DEFAULT_SPACE,
                ),
                _data(),
                dmc.Select(
                    id="new-strategy",
                    label="Strategy",
                    description="Who chooses what is scored next.",
                    allowDeselect=False,
                    data=[{"value": name, "label": _STRATEGIES.get(name, name)} for name in strategy_names()],
                    value="evolution",
                ),
                dmc.Select(
                    id="new-cost",
                    label="Cost to keep low",
                    description="Used by Pareto searches only.",
                    allowDeselect=False,
                    data=cost_options(COSTS),
                    value=COSTS[0],
                    disabled=True,
                ),
                dmc.MultiSelect(
                    id="new-proxies",
                    label="Scores",
                    description="What is measured without training. The first one ranks the candidates.",
                    searchable=True,
                    nothingFoundMessage="There is no such score.",
                    data=[{"value": AGGREGATE, "label": "aggregate of the others"}, *_scores()],
                    value=["zico"],
                ),
                dmc.Select(
                    id="new-preset",
                    label="Scale of the scores",
                    description="Larger networks and batches take longer.",
                    allowDeselect=False,
                    data=[{"value": name, "label": told} for name, told in _PRESETS.items()],
                    value="laptop",
                ),
                html.Div(
                    [
                        dmc.NumberInput(
                            id="new-budget", label="Budget", description="Candidates in all.", value=500, min=1
                        ),
                        dmc.NumberInput(
                            id="new-seed", label="Seed", description="The same seed repeats the run.", value=0, min=0
                        ),
                    ],
                    className="runs-pair",
                ),
                html.Div(id="new-problem", role="alert", className="runs-problem"),
                html.Div(
                    [
                        dmc.Button("Create run", id="btn-new"),
                        html.Span("It does not start by itself.", className="runs-hint"),
                    ],
                    className="runs-create",
                ),
            ],
            className="runs-form",
        ),
        id="new-run",
        title="New run",
        position="right",
        size="460px",
        closeButtonProps={"aria-label": "Close"},
    )


def cost_options(costs: list[str]) -> list[dict[str, str]]:
    """Entries of the list of costs."""
    return [{"value": cost, "label": score_label(cost)} for cost in costs]


def _scores() -> list[dict[str, str]]:
    return [{"value": name, "label": score_label(name)} for name in proxies.names()]


def meanings(scores: list[str]) -> list[Any]:
    """What the chosen scores measure, a line each."""
    told = [(score_label(name), explanation(name)) for name in scores]
    return [html.Div([html.B(name), f": {text}"]) for name, text in told if text]


def _data() -> html.Div:
    """The data set from a list, its path where it has one, and a look at it."""
    embedded = [{"value": kind, "label": title} for kind, (title, _) in EMBEDDED.items()]
    yours = [{"value": kind, "label": title} for kind, (title, *_) in PATHS.items()]
    return html.Div(
        [
            dmc.Select(
                id="new-data",
                label="Data",
                description="Images that the scores are computed on.",
                allowDeselect=False,
                data=[{"group": "Built in", "items": embedded}, {"group": "Yours", "items": yours}],
                value="digits",
            ),
            dmc.TextInput(
                id="new-path",
                label="Where it lies",
                debounce=400,
                placeholder=PATHS["npz"][1],
                style={"display": "none"},
            ),
            html.Div(id="new-data-preview", className="runs-preview", **{"aria-live": "polite"}),
        ],
        className="runs-data",
    )


def _kind_of_work() -> list[Any]:
    """What kind of work the run is about, with its options; shown once there is more than searching."""
    kinds = [name for name in task_names() if name not in (ALONE, WEIGHTS)]
    hidden = {"display": "none"} if kinds == [SEARCH] else {}
    return [
        dmc.Select(id="new-task", label="Kind of work", allowDeselect=False, data=kinds, value=SEARCH, style=hidden),
        dmc.TextInput(
            id="new-options",
            label="Options",
            description="As name=value, with commas between them.",
            placeholder="none",
            disabled=True,
            style=hidden,
        ),
    ]
