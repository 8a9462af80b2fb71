"""Spaces that a user makes: every block of a template is kept or left out, at least one a layer.

The document and its shapes are in `_template_document.py`, the torch code is in `_template_network.py`.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nas_core.spaces import _cost
from nas_core.spaces._cost import Cost
from nas_core.spaces._layer_places import PART, block_number, outside_blocks
from nas_core.spaces._template_document import (
    ACTIVATIONS,
    FORMAT,
    MERGES,
    MOST_BLOCKS,
    MOST_FILTERS,
    MOST_LAYERS,
    NORMS,
    PROPERTIES,
    Block,
    Layer,
    Shape,
    Shapes,
    Skeleton,
    Template,
    allowed,
    output,
    read,
    shapes,
    text,
)
from nas_core.spaces._template_presets import PRESETS
from nas_core.spaces.base import (
    OPTIONAL,
    Architecture,
    CellGraph,
    Count,
    Decision,
    GraphEdge,
    ImageShape,
    InputShape,
    NoScale,
    SearchSpace,
    Steering,
    SteeringConflict,
)

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ACTIVATIONS",
    "FORMAT",
    "MERGES",
    "MOST_BLOCKS",
    "MOST_FILTERS",
    "MOST_LAYERS",
    "NORMS",
    "OFF",
    "ON",
    "PRESETS",
    "PROPERTIES",
    "Block",
    "Layer",
    "Shape",
    "Shapes",
    "Template",
    "TemplateSpace",
    "allowed",
    "output",
    "read",
    "read_file",
    "shapes",
    "text",
]

OFF, ON = 0, 1
_CONVOLUTIONS = ("conv", "separable_conv", "dense")


class TemplateSpace(SearchSpace):
    """All networks that keep one, several or all blocks of every layer of a template.

    One decision a block, `off` or `on`. Notation: the blocks kept of every layer as digits, `101|010|111`. Where a
    layer concatenates, the channels of a block left out are zeros, so that what follows keeps its shape.
    Widths are those of the blocks, so there is no further scale.

    Raises:
        ValueError: the blocks do not fit together; the message names the first that does not, and why.
    """

    metric_names = _cost.COLUMNS

    def __init__(self, template: Template) -> None:
        self.template = template
        problems = shapes(template).problems
        if problems:
            (layer, block), reason = next(iter(problems.items()))
            raise ValueError(f"layer {layer + 1}, block {block + 1} of {template.name!r}: {reason}")
        self.name = f"template:{template.digest}"
        self.title = template.name
        self.input = template.image
        self.decisions = tuple(
            Decision(name, OPTIONAL)
            for number, layer in enumerate(template.layers, start=1)
            for name in _names(layer, number)
        )
        starts = np.cumsum([0] + [len(layer.blocks) for layer in template.layers])
        self._layers = tuple(
            (f"layer {number}", tuple(range(int(start), int(end))))
            for number, (start, end) in enumerate(itertools.pairwise(starts), start=1)
        )
        self._twins = [
            twins
            for layer, (_, members) in zip(template.layers, self.groups, strict=True)
            if layer.merge == "sum"
            for twins in _identical(layer, members)
        ]
        self._costs: dict[tuple[ImageShape, int], tuple[list[Cost], Cost]] = {}

    @property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The blocks of every layer."""
        return self._layers

    def block(self, decision: int) -> Block:
        """The block that a decision is about."""
        return [block for layer in self.template.layers for block in layer.blocks][decision]

    def parse(self, text: str) -> Architecture:
        """Read `101|010`, a digit a block. Raises ValueError naming the offending part."""
        layers = text.strip().split("|")
        if len(layers) != len(self.groups):
            raise ValueError(f"malformed network {text!r}: expected {len(self.groups)} layers, found {len(layers)}")
        for (label, members), digits in zip(self.groups, layers, strict=True):
            if len(digits) != len(members) or set(digits) - {"0", "1"}:
                raise ValueError(
                    f"malformed network {text!r}: {label} is {digits!r}, expected {len(members)} digits 0 or 1"
                )
            if "1" not in digits:
                raise ValueError(f"malformed network {text!r}: {label} keeps no block, expected at least one")
        return tuple(int(digit) for digits in layers for digit in digits)

    def format(self, arch: Architecture) -> str:
        """Write the notation."""
        return "|".join("".join(str(arch[d]) for d in members) for _, members in self.groups)

    def canonical(self, arch: Architecture) -> Architecture:
        """Of identical blocks that are summed, the first ones are kept."""
        form = list(arch)
        for twins in self._twins:
            kept = sum(arch[d] for d in twins)
            for place, d in enumerate(twins):
                form[d] = ON if place < kept else OFF
        return tuple(form)

    def valid(self, arch: Architecture) -> bool:
        """Every layer keeps a block."""
        return super().valid(arch) and all(any(arch[d] == ON for d in members) for _, members in self.groups)

    def check(self, allowed: Sequence[Sequence[int]]) -> None:
        """Raises SteeringConflict: a layer would be left without a block."""
        for label, members in self.groups:
            if not any(ON in allowed[d] for d in members):
                raise SteeringConflict(f"{label} would keep no block; undo an act on it first")

    def fair_draws(
        self, group: tuple[int, ...], allowed: Sequence[Sequence[int]], rng: np.random.Generator
    ) -> list[tuple[int, ...]]:
        """Windows of one random size around a circle of a layer's free blocks: each is kept equally often.

        Blocks that must stay are in every window, and where there are such a window may be empty.
        """
        free = [d for d in group if len(allowed[d]) > 1]
        fixed = [d for d in group if allowed[d][0] == ON]
        if not free:
            return [tuple(allowed[d][0] for d in group)]
        size = int(rng.integers(0 if fixed else 1, len(free) + 1))
        circle = rng.permutation(free).tolist()
        windows = [{*fixed, *(circle * 2)[start : start + size]} for start in range(len(free))]
        return [tuple(ON if d in window else OFF for d in group) for window in windows]

    @property
    def size(self) -> int:
        """Number of valid networks."""
        return math.prod(2 ** len(members) - 1 for _, members in self.groups)

    def count(self, steering: Steering | None = None) -> Count:
        """Exact: layers are independent of each other. Under ranges of metrics as every space counts."""
        if steering is None or steering.ranges:
            return super().count(steering) if steering else Count(self.size)
        return Count(
            math.prod(
                math.prod(len(steering.allowed[d]) for d in members) - all(OFF in steering.allowed[d] for d in members)
                for _, members in self.groups
            )
        )

    def build(
        self,
        arch: Architecture,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: NoScale | None = None,
    ) -> nn.Module:
        """The layers with the blocks kept, global pooling where a feature map is left, a linear head.

        Images `(batch, channels, height, width)` to logits `(batch, classes)`.

        Raises:
            ValueError: the blocks do not fit together for this image.
        """
        from nas_core.spaces._template_network import Network

        return Network(self._skeleton(self.image_shape(input)), arch, classes=classes)

    @property
    def one_shot_settings(self) -> Mapping[str, Any]:
        """Paths drawn uniformly, images of the template's size."""
        return {"sampling": "uniform", "image_size": self.template.image.height, "learning_rate": 0.1}

    def supernet(self, *, input: InputShape, classes: int, scale: NoScale | None = None) -> nn.Module:
        """All blocks at once, to be run by paths; see `nas_core.supernet.SharedWeights`."""
        from nas_core.spaces._template_network import SharedNetwork

        return SharedNetwork(self._skeleton(self.image_shape(input)), classes=classes)

    def _skeleton(self, image: ImageShape) -> Skeleton:
        members = tuple(members for _, members in self.groups)
        return Skeleton(self.template.layers, members, self.shapes(image))

    def shapes(self, image: ImageShape) -> tuple[Shape, ...]:
        """What goes into every layer and out of the last.

        Raises:
            ValueError: the blocks do not fit together for this image.
        """
        found = shapes(Template(self.template.name, self.template.layers, image))
        for (layer, block), reason in found.problems.items():
            raise ValueError(f"layer {layer + 1}, block {block + 1} of {self.title!r}: {reason}")
        return found.entering

    def layer_place(self, module: str, arch: Architecture, *, scale: NoScale | None = None) -> str:
        """The layer and the block, counted over all blocks of the layer as the Template page counts them."""
        outside = outside_blocks(module)
        if outside:
            return outside
        number, (_, kept, *_) = block_number(module)
        label, members = self.groups[number]
        block = [place for place, decision in enumerate(members, start=1) if arch[decision] == ON][int(kept)]
        return f"{label}{PART}block {block}"

    def graph(self, arch: Architecture) -> CellGraph:
        """A chain of layers; one edge a block kept."""
        edges = []
        for number, (_, members) in enumerate(self.groups):
            for d in members:
                if arch[d] == ON:
                    edges.append(GraphEdge(number, number + 1, self.block(d).label, self.decisions[d].name))
        return CellGraph(("input", *(label for label, _ in self.groups)), tuple(edges))

    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """A bit a block, and of every layer how many are kept: (n, blocks + layers)."""
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(self.decisions))
        kept = [table[:, list(members)].sum(axis=1, keepdims=True) for _, members in self.groups]
        return np.concatenate([table, *kept], axis=1).astype(float)

    def longest_chains(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Layers with a convolution or dense block, int (n,): what depth classes are made of."""
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(self.decisions))
        deep = np.array([self.block(d).kind in _CONVOLUTIONS for d in range(len(self.decisions))])
        return sum(
            (table[:, list(members)] * deep[list(members)]).any(axis=1).astype(int) for _, members in self.groups
        )

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: NoScale | None = None,
    ) -> pd.DataFrame:
        """Counts of the built network, one row an architecture; columns and conventions as in NAS-Bench-201."""
        blocks, rest = self._cost_of(self.image_shape(input), classes)
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(self.decisions))
        total = rest
        for d, cost in enumerate(blocks):
            total = total + cost * table[:, d]
        return _cost.closed_form_table(total, total, total.convs, len(table))

    def _cost_of(self, image: ImageShape, classes: int) -> tuple[list[Cost], Cost]:
        """Cost of every block, and of the head."""
        if (image, classes) not in self._costs:
            entering = self.shapes(image)
            blocks = [
                _block_cost(block, shape)
                for layer, shape in zip(self.template.layers, entering, strict=False)
                for block in layer.blocks
            ]
            last = entering[-1]
            if len(last) == 3:
                pooling, linear = _cost.head(last[0], (last[1], last[2]), classes)
                head = pooling + linear
            else:
                head = _dense(last[0], classes)
            self._costs[image, classes] = blocks, head
        return self._costs[image, classes]


def _identical(layer: Layer, members: Sequence[int]) -> list[tuple[int, ...]]:
    """Decisions about blocks of a layer that build the same, where there are several."""
    alike: dict[str, list[int]] = {}
    for block, d in zip(layer.blocks, members, strict=True):
        alike.setdefault(json.dumps(block.to_dict()), []).append(d)
    return [tuple(twins) for twins in alike.values() if len(twins) > 1]


def _names(layer: Layer, number: int) -> list[str]:
    """Names of a layer's decisions: `L2 conv 3×3 16`, later ones of the same label with a letter."""
    names: list[str] = []
    for block in layer.blocks:
        label = f"L{number} {block.label}"
        letters = [label, *(f"{label} {chr(98 + k)}" for k in range(MOST_BLOCKS))]
        names.append(next(name for name in letters if name not in names))
    return names


def _dense(inputs: int, outputs: int) -> Cost:
    return Cost(inputs * outputs + outputs, inputs * outputs, float(np.log(inputs * outputs)))


def _block_cost(block: Block, shape: Shape) -> Cost:
    if block.kind == "identity":
        return Cost()
    if block.kind == "dense":
        return _dense(math.prod(shape), block.filters) + (
            _cost.relu(block.filters, 1) if block.activation != "none" else Cost()
        )
    channels, height, width = output(block, shape)
    pixels = height * width
    if block.kind in ("max_pool", "avg_pool"):
        return _cost.pool(channels, block.kernel, pixels)
    if block.kind == "conv":
        cost = _cost.convolution(shape[0], channels, block.kernel, pixels)
    else:
        cost = _cost.depthwise(shape[0], block.kernel, pixels) + _cost.convolution(shape[0], channels, 1, pixels)
    cost += _cost.norm(channels, pixels) if block.norm == "batch" else Cost(channels)
    return cost + (_cost.relu(channels, pixels) if block.activation != "none" else Cost())


def read_file(path: Path | str) -> Template:
    """The template in a JSON file.

    Raises:
        ValueError: no template.
        OSError: it cannot be read.
    """
    try:
        document: Mapping[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no template: {error}") from error
    return read(document)
