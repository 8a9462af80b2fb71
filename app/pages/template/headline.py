"""The answer of Template in a sentence: how many networks there are, how large, and which blocks never matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.page import Headline
from app.palette import short
from nas_core import spaces
from nas_core.spaces.template import ON, Layer, TemplateSpace, read, shapes

_WHY = (
    "A network keeps one, several or all blocks of every layer, so a layer of n blocks has 2ⁿ − 1 choices, and those "
    "of the layers are multiplied; networks that are the same are counted once. The largest keeps every block, the "
    "smallest the cheapest one of each layer. A block never matters where it is the only one of its layer, or where "
    "the layer sums it with one just like it."
)
_NAMED = 2
"""Blocks that never matter that are named; more are counted."""


def headline(document: Mapping[str, Any], fixed: str | None = None) -> Headline:
    """What stands above Template, of the document that is edited or of the given space `fixed`."""
    make = ("Make the run", ("template", "run"))
    if fixed:
        space = spaces.get(fixed)
        held = f"{len(space.decisions)} decisions, given as they are"
        return Headline(f"{space.title} holds {space.size:,} architectures", held, *make)
    template = read(document)
    problems = shapes(template).problems
    if problems:
        (layer, block), reason = next(iter(problems.items()))
        number = f"{len(problems)} blocks do" if len(problems) > 1 else "1 block does"
        return Headline(f"{number} not fit", f"layer {layer + 1}, block {block + 1} {reason}")
    space = spaces.define(document)
    assert isinstance(space, TemplateSpace)
    least, most = sizes(space)
    idle = idle_blocks(template.layers)
    networks = distinct(template.layers)
    same = f" ({space.size:,} ways to choose)" if networks != space.size else ""
    range_ = f"{short(least)} to {short(most)} parameters" if least != most else f"{short(most)} parameters"
    told = f"; {_never(idle)}" if idle else "; every block matters"
    word = "networks" if networks > 1 else "network"
    if networks == 1:
        return Headline("Only one network can be built", f"{range_}; add a block beside another to have a choice")
    return Headline(f"{networks:,} different {word}{same}", f"{range_}{told}", *make, why=_WHY)


def distinct(layers: tuple[Layer, ...]) -> int:
    """Networks that differ: where a layer sums blocks that are just alike, only how many are kept counts."""
    product = 1
    for layer in layers:
        choices = 1
        for alike in _alike(layer):
            choices *= len(alike) + 1
        product *= choices - 1
    return product


def idle_blocks(layers: tuple[Layer, ...]) -> list[str]:
    """Blocks whose choice makes no difference, for people: the only one of its layer, or one summed with its like."""
    found = []
    for number, layer in enumerate(layers, start=1):
        if len(layer.blocks) == 1:
            found.append(f"{layer.blocks[0].label} is alone in layer {number}")
            continue
        for alike in _alike(layer):
            if len(alike) > 1:
                found.append(f"{layer.blocks[alike[0]].label} stands {len(alike)} times in layer {number}")
    return found


def sizes(space: TemplateSpace) -> tuple[float, float]:
    """Parameters of the smallest and of the largest network."""
    members = [group for _, group in space.groups]
    first = [group[0] for group in members]

    def of(kept: list[int]) -> tuple[int, ...]:
        return tuple(int(d in kept) for d in range(len(space.decisions)))

    alone = [[*(first[:k]), block, *(first[k + 1 :])] for k, group in enumerate(members) for block in group]
    archs = [of(first), tuple(ON for _ in space.decisions), *map(of, alone)]
    params = space.closed_forms(archs)["params"].to_numpy(dtype=float)
    base, most, rest = float(params[0]), float(params[1]), iter(params[2:].tolist())
    least = base + sum(min(next(rest) - base for _ in group) for group in members)
    return least, most


def _alike(layer: Layer) -> list[list[int]]:
    """Blocks of a layer, those together that build the same; where it concatenates every place is another."""
    if layer.merge != "sum":
        return [[place] for place in range(len(layer.blocks))]
    groups: dict[str, list[int]] = {}
    for place, block in enumerate(layer.blocks):
        groups.setdefault(repr(block.to_dict()), []).append(place)
    return list(groups.values())


def _never(idle: list[str]) -> str:
    told = " and ".join(idle[:_NAMED])
    return f"never matters: {told}" + (f" and {len(idle) - _NAMED} more" if len(idle) > _NAMED else "")
