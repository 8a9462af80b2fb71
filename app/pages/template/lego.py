"""The Lego view: layers from left to right, each with its blocks. Pure functions of a template or a space."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from app.palette import OPERATION_NAMES, operation_colour, short
from app.presses import press
from nas_core.spaces import SearchSpace
from nas_core.spaces.template import PROPERTIES, Layer, Shapes, Template, TemplateSpace, text

_MERGES = {
    "sum": ("Sum", "blocks kept are added: all give the same shape"),
    "concat": ("Concatenate", "blocks kept stand one behind the other in the channels"),
}
"""What the ways to merge are called, and what they do."""


def layers(template: Template, found: Shapes, selected: list[int]) -> list[Any]:
    """A column a layer between the image and the classes, with what goes in above it.

    Lines between them are drawn by `assets/template.js`, from the marks `data-flow` on columns and blocks.
    """
    columns = [
        _column(number, layer, text(found.entering[number]), found, selected)
        for number, layer in enumerate(template.layers)
    ]
    begins, ends = text(found.entering[0]), text(found.entering[-1])
    return [_end("Image", begins, "in"), *columns, _end("Classes", ends, "out")]


def _end(name: str, shape: str, flow: str) -> html.Div:
    """Where the network begins or ends."""
    return html.Div(
        [html.Div(name, className="decision"), html.Div(shape, className="support")],
        className="lego-layer lego-end",
        **{"data-flow": flow},
    )


def _column(number: int, layer: Layer, entering: str, found: Shapes, selected: list[int]) -> html.Div:
    named = f"layer {number + 1}"
    head = html.Div(
        [
            html.Span(named, className="decision"),
            *(_tool(label, told, f"{words} {named}", number) for label, told, words in _TOOLS),
        ],
        className="lego-head",
    )
    blocks = [
        _block(number, place, block.label, found.problems.get((number, place), ""), [number, place] == selected)
        for place, block in enumerate(layer.blocks)
    ]
    return html.Div(
        [
            head,
            html.Div(f"in {entering}", className="support"),
            *blocks,
            _add(number, named),
            _merge(number, layer, named),
        ],
        className="lego-layer",
        role="group",
        **{"aria-label": named, "data-flow": layer.merge},
    )


def _add(number: int, named: str) -> dmc.Menu:
    """One menu of all kinds of blocks."""
    kinds = [
        dmc.MenuItem(
            kind.replace("_", " "),
            leftSection=html.Span(className="lego-kind", style={"--op": operation_colour(kind.replace("_", " "))}),
            **press("template", "add", number, kind),
        )
        for kind in PROPERTIES
    ]
    button = {"component": "button", "type": "button", "className": "lego-add", "w": "100%"}
    label = {"aria-label": f"add a block to {named}"}
    target = dmc.MenuTarget(html.Span("+ Add block"), boxWrapperProps=button | label)  # the wrapper is the button
    return dmc.Menu([target, dmc.MenuDropdown(kinds)], position="bottom-start", withinPortal=True)


def _merge(number: int, layer: Layer, named: str) -> html.Div:
    """The choice between sum and concatenation, both in words; at rest where there is one block to merge."""
    single = len(layer.blocks) == 1
    choices = [
        html.Button(
            words,
            type="button",
            disabled=single,
            title="one block: there is nothing to merge" if single else meaning,
            **press("template", "merge", number, way),
            **{"aria-pressed": str(way == layer.merge).lower()},
        )
        for way, (words, meaning) in _MERGES.items()
    ]
    return html.Div(choices, className="lego-merge", role="group", **{"aria-label": f"how {named} merges its blocks"})


_TOOLS = (
    ("‹", ("move", "-1"), "move left"),
    ("›", ("move", "1"), "move right"),
    (html.Span(className="icon icon-copy", **{"aria-hidden": "true"}), ("layer",), "copy behind itself"),
    ("×", ("remove",), "remove"),
)


def _tool(label: Any, told: tuple[str, ...], words: str, number: int) -> html.Button:
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
        **{"data-flow": "block"},
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
