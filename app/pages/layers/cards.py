"""The networks compared, side by side: modules of watched ones, cells of candidates, the way between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from app.cell import cell_graph, edit_path
from app.cockpit import View
from app.labels import score_label
from app.pages.layers import aligned
from app.pages.layers.watched import SIZES, Watched, sizes_of
from app.palette import short
from app.truth import Truth
from nas_core.spaces import Architecture

_PATH = 3
"""Steps of an edit path that are told; the others are counted, and told on hover."""
_HEIGHT = {"height": "128px"}


def networks(shown: Sequence[Watched], score: str, step: int | None, theme: str) -> list[Any]:
    """Watched networks: their modules, a score at a step, and the sizes that it may merely repeat."""
    cards: list[Any] = []
    for network in shown:
        values = network.known(step)
        snapshot = network.at(score, step)
        title = network.label
        if score in values:
            title += f": {score_label(score)} {short(values[score])}"
        if snapshot is not None and len(network.films(score)) > 1:
            title += f" at step {snapshot.step:,}"
        figure = aligned.tree(network.structure.modules, theme, title)
        graph = dcc.Graph(figure=figure, config={"displayModeBar": False}, style=_HEIGHT)
        undefined = [f"{score_label(name)}: {reason}" for name, reason in network.reasons.items()]
        cards.append(html.Div([graph, _sizes(sizes_of(values), undefined)]))
    return cards


def cells(
    view: View, shown: list[tuple[str, int]], truth: Truth | None, theme: str, *, with_sizes: bool = False
) -> list[Any]:
    """The cells side by side, each with the edit path that leads to it from its left neighbour, or with its sizes."""
    space = view.table.space
    scores, values = view.over_space(view.rank_by), None if truth is None else truth.over(view.table)

    def known(index: int) -> str:
        result = "" if truth is None or values is None else f", {truth.name} {short(float(values[index]))}{truth.unit}"
        return f"{score_label(view.rank_by)} {short(float(scores[index]))}{result}"

    def step(words: str, arch: Architecture) -> str:
        index = view.table.index.get(space.format(arch))  # of a large space only a sample is known
        return words if index is None else f"{words} ({known(index)})"

    cards: list[Any] = []
    before: Architecture | None = None
    for label, index in shown:
        arch = tuple(int(c) for c in view.table.archs[index])
        graph = space.graph(arch)
        parts: list[Any] = [
            dcc.Graph(
                figure=cell_graph(graph, theme, f"{label}: {known(index)}", space.graph(before) if before else None),
                config={"displayModeBar": False},
                style=_HEIGHT,
            )
        ]
        if with_sizes:
            found = {name: float(view.over_space(name)[index]) for name in SIZES if name in view.metrics}
            parts.append(_sizes(found))
        elif before is not None:
            path = [step(*found) for found in edit_path(space, before, arch)]
            told = "; ".join(path[:_PATH]) + (f"; and {len(path) - _PATH} more" if len(path) > _PATH else "")
            parts.append(html.Div(told or "the same cell", className="support path", title="\n".join(path), tabIndex=0))
        cards.append(html.Div(parts))
        before = arch
    return cards


def _sizes(values: dict[str, float], undefined: Sequence[str] = ()) -> html.Div:
    """The sizes of a network in a line; on hover also why scores have no value."""
    told = aligned.sizes(values, {name: score_label(name) for name in values})
    hover = "\n".join(["What a score may merely repeat:", told, *undefined])
    return html.Div(told, className="support path", title=hover, tabIndex=0)
