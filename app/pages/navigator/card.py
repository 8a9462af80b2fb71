"""The card of the selected architecture: its strip, its cell, what is known of it, and what can be done with it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from app.cell import cell_graph
from app.cockpit import Cockpit, View
from app.labels import explanation, score_label
from app.pages.navigator import candidate, figures
from app.pages.navigator.scene import Scene, Scenes
from app.pages.navigator.under_pointer import head
from app.palette import GRAPH, short
from app.strip import strip
from app.truth import Truth

_HINT = "Click a dot or a table row to see the architecture behind it."
_CHART_HEIGHT = "190px"


def known(cockpit: Cockpit, _due: Any, arch: str | None, run: str | None, before: Any) -> Any:
    """What is known of the selected architecture: the card is drawn anew only when this changes."""
    if not run:
        return no_update
    view = cockpit.view(run)
    index = view.table.index.get(arch or "")
    now = None
    if index is not None:
        scored = [name for name in view.metrics if not np.isnan(view.over_space(name)[index])]
        failed = view.failed.get(arch or "", "")
        now = {"arch": arch, "scored": scored, "kept": bool(view.kept[index]), "failed": failed}
    return no_update if now == before else now


def show(
    cockpit: Cockpit,
    scenes: Scenes,
    arch: str | None,
    _known: Any,
    theme: str,
    choice: str | None,
    moment: int | None,
    run: str | None,
) -> Any:
    """The card, of the moment that is shown; what to do where nothing is selected."""
    if not run:
        return no_update
    view = scenes.of(cockpit.view(run), moment, None)
    index = view.table.index.get(arch or "")
    if index is None:
        return html.P(_HINT, className="support")
    return card(cockpit, view, index, cockpit.truths(view.run.space, choice), theme)


def card(cockpit: Cockpit, view: View, index: int, truths: list[Truth], theme: str) -> list[Any]:
    """The parts of the card of the architecture at `index` of the table."""
    space, text = view.table.space, view.table.texts[index]
    arch = tuple(int(c) for c in view.table.archs[index])
    dimmed = "" if view.steering.allows(arch) else "The steering removes this architecture."
    return [
        head(view, index),
        strip(space, arch),
        notation(text),
        html.P(dimmed, className="support"),
        *([html.P(f"This candidate failed: {view.failed[text]}", role="alert")] if text in view.failed else []),
        *candidate.buttons(view, text),
        dcc.Graph(
            id="card-graph",
            figure=cell_graph(space.graph(arch), theme),
            config=GRAPH,
            style={"height": _CHART_HEIGHT},
        ),
        html.Table(
            [html.Tr([html.Td(name), html.Td(value)], title=hint) for name, value, hint in _facts(view, index, truths)],
            className="facts",
        ),
        _layers(cockpit, view, index, theme),
    ]


def notation(text: str) -> html.Details:
    """The field's notation of an architecture, one click away, and a button that copies it."""
    return html.Details(
        [
            html.Summary("Notation"),
            html.Div(
                [
                    html.Code(text, className="arch"),
                    html.Button("Copy", type="button", className="region-action", **{"data-copy": text}),
                ],
                className="notation-text",
            ),
        ],
        className="notation-of",
    )


def _facts(view: View, index: int, truths: list[Truth]) -> list[tuple[str, str, str]]:
    """What is known of an architecture: name with its rung, value, explanation."""
    facts = []
    for metric in view.shown:
        value = float(view.over_space(metric)[index])
        told = "not scored yet" if np.isnan(value) else short(value)
        facts.append((f"{score_label(metric)} ({view.rung(metric)})", told, explanation(metric)))
    for one in truths:
        facts.append((f"{one.axis} (tabular truth)", short(float(one.over(view.table)[index])), one.choice))
    return facts


def _layers(cockpit: Cockpit, view: View, index: int, theme: str) -> Any:
    """What every layer adds to the score, or why that is not known."""
    arch = tuple(int(c) for c in view.table.archs[index])
    rewound = isinstance(view, Scene) and view.moment is not None
    layers = cockpit.layers(view.run, arch)
    if len(layers) and not (rewound and np.isnan(view.over_space(view.rank_by)[index])):
        figure = figures.layer_bars(layers, score_label(view.rank_by), theme)
        return dcc.Graph(id="card-layers", figure=figure, config=GRAPH, style={"height": _CHART_HEIGHT})
    why = "No layer statistics yet: this network is not scored in this run."
    if view.rung(view.rank_by) != "zero-cost":
        why = f"{score_label(view.rank_by)} is one value for the whole network; scores such as zico tell layers apart."
    return html.P(why, className="support")


def register(app: Dash, cockpit: Cockpit, scenes: Scenes) -> None:
    """Callbacks of the card."""
    app.clientside_callback(
        ClientsideFunction("gates", "known"),
        Output("known-due", "data"),
        Input("pulse", "data"),
        Input("arch", "data"),
        State("known", "data"),
    )
    app.callback(
        Output("known", "data"),
        Input("known-due", "data"),
        State("arch", "data"),
        State("run", "data"),
        State("known", "data"),
    )(partial(known, cockpit))
    app.callback(
        Output("candidate-card", "children"),
        Input("arch", "data"),
        Input("known", "data"),
        Input("theme", "data"),
        Input("truth", "data"),
        Input("moment", "data"),
        State("run", "data"),
    )(partial(show, cockpit, scenes))
