"""The Lego view: layers from left to right, each with its blocks. Pure functions of a template or a space."""

from __future__ import annotations

from typing import Any

from dash import html

from app.palette import OPERATION_NAMES, operation_colour, short
from app.presses import press
from nas_core.spaces import SearchSpace
from nas_core.spaces.template import PROPERTIES, Layer, Shapes, Template, TemplateSpace, text

_SHORT = {"separable_conv": "sep", "max_pool": "max", "avg_pool": "avg", "identity": "id"}


def layers(template: Template, found: Shapes, selected: list[int]) -> list[Any]:
    """A column a layer, with what goes in above it, and at the end what comes out."""
    columns = [
        _column(number, layer, text(found.entering[number]), found, selected)
        for number, layer in enumerate(template.layers)
    ]
    out = [html.Div("out", className="decision"), html.Div(text(found.entering[-1]), className="support")]
    return [*columns, html.Div(out, className="lego-layer lego-end")]


def _column(number: int, layer: Layer, entering: str, found: Shapes, selected: list[int]) -> html.Div:
    named = f"layer {number + 1}"
    head = html.Div(
        [
            html.Span(named, className="decision"),
            *(_tool(label, told, f"{words} {named}", number) for label, told, words in _TOOLS),
        ],
        className="lego-head",
    )
    merge = html.Button(
        f"{'+' if layer.merge == 'sum' else '∥'} {layer.merge}",
        className="lego-tool",
        title="how the blocks kept are merged: summed, or one behind the other in the channels",
        **press("template", "merge", number),
        **{"aria-label": f"merge of {named}: {layer.merge}; press to change"},
    )
    blocks = [
        _block(number, place, block.label, found.problems.get((number, place), ""), [number, place] == selected)
        for place, block in enumerate(layer.blocks)
    ]
    palette = html.Div(
        [
            html.Button(
                f"+{_SHORT.get(kind, kind)}",
                className="lego-tool",
                style={"--op": operation_colour(kind.replace("_", " "))},
                **press("template", "add", number, kind),
                **{"aria-label": f"add {kind.replace('_', ' ')} to {named}"},
            )
            for kind in PROPERTIES
        ],
        className="lego-palette",
    )
    return html.Div(
        [head, html.Div(f"in {entering}", className="support"), *blocks, merge, palette],
        className="lego-layer",
        role="group",
        **{"aria-label": named},
    )


_TOOLS = (
    ("‹", ("move", "-1"), "move left"),
    ("›", ("move", "1"), "move right"),
    ("+", ("layer",), "add a layer like this behind"),
    ("×", ("remove",), "remove"),
)


def _tool(label: str, told: tuple[str, ...], words: str, number: int) -> html.Button:
    return html.Button(
        label,
        className="lego-tool",
        title=words,
        **press("template", told[0], number, *told[1:]),
        **{"aria-label": words},
    )


def _block(number: int, place: int, label: str, problem: str, selected: bool) -> html.Div:
    classes = "lego-block" + (" selected" if selected else "") + (" wrong" if problem else "")
    return html.Div(
        [
            html.Button(
                ("⚠ " if problem else "") + label,
                className="pin",
                title=label,
                **press("template", "select", number, place),
                **{
                    "aria-label": f"block {place + 1} of layer {number + 1}: {label}",
                    "aria-pressed": str(selected).lower(),
                },
            ),
            html.Button(
                "×",
                className="prune",
                **press("template", "drop", number, place),
                **{"aria-label": f"remove block {place + 1} of layer {number + 1}"},
            ),
            html.Div(problem, className="lego-problem", role="alert") if problem else None,
        ],
        className=classes,
        style={"--op": operation_colour(label)},
    )


def fixed(space: SearchSpace) -> list[Any]:
    """A space that is given, in the same view: a column a decision, a block a choice."""
    return [
        html.Div(
            [
                html.Div(html.Span(decision.name, className="decision"), className="lego-head"),
                *(
                    html.Div(
                        html.Div(OPERATION_NAMES.get(choice, choice), className="pin", title=choice),
                        className="lego-block",
                        style={"--op": operation_colour(choice)},
                    )
                    for choice in decision.choices
                ),
            ],
            className="lego-layer",
        )
        for decision in space.decisions
    ]


def summary(space: SearchSpace) -> str:
    """How many networks a space holds, and for a template from how many to how many parameters."""
    if not isinstance(space, TemplateSpace):
        held = f"{len(space.decisions)} decisions, {space.size:,} architectures"
        return f"{space.title}: {held}. It is given: steer it in the Navigator."
    everything = tuple(1 for _ in space.decisions)
    most = space.closed_forms([everything])["params"].iloc[0]
    blocks = len(space.decisions)
    return (
        f"{len(space.groups)} layers, {blocks} blocks, {space.size:,} networks, up to {short(float(most))} parameters."
    )
