"""The cell-level space of TransNAS-Bench-101 (Duan et al., CVPR 2021): four nodes, one of four operations on each edge.

Notation and layout follow the repository of the benchmark (yawen-d/TransNASBench, `cell_micro.py`, `net_macro.py`);
the torch code is in `_transnas_micro_network.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby, permutations, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nas_core.spaces import _cost
from nas_core.spaces._cost import Cost
from nas_core.spaces._layer_places import cell_place
from nas_core.spaces._nb201_cell import CONV1, EDGES, NONE, SKIP, live_edges
from nas_core.spaces._registry import register
from nas_core.spaces._transnas_micro_skeleton import HALVING, MODULES, SKELETON, stem_width
from nas_core.spaces.base import (
    Architecture,
    CellGraph,
    CellScale,
    Decision,
    GraphEdge,
    ImageShape,
    InputShape,
    SearchSpace,
)

if TYPE_CHECKING:
    from torch import nn

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
"""The digits 0 to 3 of the notation; the first four operations of NAS-Bench-201, under its names."""
PUBLISHED = CellScale(channels=64, cells=2)
PUBLISHED_CLASSES = 75
"""Object classification on Taskonomy, the task the closed forms describe unless told otherwise."""


@register("transnas_micro")
class TransNasMicro(SearchSpace):
    """The 4,096 = 4^6 cells of TransNAS-Bench-101's micro space, in the skeleton `64-41414`.

    A strided 3 x 3 convolution and a second one quarter the resolution; five modules of `CellScale.cells` cells follow
    (published: 2), the first, third and fifth of which halve the resolution and double the channels. In the cell that
    does so, the edges from the input carry the stride, and a skip there has weights (two strided 1 x 1 convolutions).
    `CellScale.channels` is the base of the skeleton (published: 64).
    """

    name = "transnas_micro"
    title = "TransNAS-Bench-101 micro"
    decisions = tuple(Decision(f"edge {source}→{target}", OPERATIONS) for source, target in EDGES)
    metric_names = _cost.COLUMNS
    scale_type = CellScale
    input = ImageShape(3, 256, 256)
    classes = PUBLISHED_CLASSES

    def scale(self) -> CellScale:
        """The base of 64 channels and two cells a module."""
        return PUBLISHED

    def parse(self, text: str) -> Architecture:
        """Read `64-41414-1_02_333`: a group a node, a digit an input. Raises ValueError naming the offending part."""
        base, _, rest = text.strip().partition("-")
        skeleton, _, cell = rest.partition("-")
        if f"{base}-{skeleton}" != SKELETON:
            raise ValueError(f"malformed network {text!r}: skeleton is '{base}-{skeleton}', expected {SKELETON!r}")
        nodes = cell.split("_")
        if len(nodes) != 3:
            raise ValueError(
                f"malformed network {text!r}: cell {cell!r} has {len(nodes)} nodes joined by '_', expected 3"
            )
        for target, node in enumerate(nodes, start=1):
            if len(node) != target:
                raise ValueError(f"malformed network {text!r}: node {target} is {node!r}, expected {target} digits")
            for digit in node:
                if digit not in ("0", "1", "2", "3"):
                    raise ValueError(f"malformed network {text!r}: node {target} has {digit!r}, expected 0, 1, 2 or 3")
        return tuple(int(digit) for node in nodes for digit in node)

    def format(self, arch: Architecture) -> str:
        """Write the notation of the benchmark."""
        digits = "".join(map(str, arch))
        return f"{SKELETON}-{digits[:1]}_{digits[1:3]}_{digits[3:]}"

    def canonical(self, arch: Architecture) -> Architecture:
        """The lexicographically first cell that builds the same network, in both kinds of cell (see `identity`)."""
        return _canonical_forms()[tuple(arch)]

    def build(
        self,
        arch: Architecture,
        *,
        input: InputShape | None = None,
        classes: int = PUBLISHED_CLASSES,
        scale: CellScale | None = None,
    ) -> nn.Module:
        """The network of the benchmark with the head of its classification tasks: global pooling and a linear layer.

        Images `(batch, channels, height, width)` to logits `(batch, classes)`.
        """
        from nas_core.spaces._transnas_micro_network import Network

        image, scale = self.image_shape(input), scale or self.scale()
        return Network(arch, image_channels=image.channels, classes=classes, channels=scale.channels, cells=scale.cells)

    def layer_place(self, module: str, arch: Architecture, *, scale: CellScale | None = None) -> str:
        """The cell and its edge; no block stands between the stages."""
        return cell_place(module, [decision.name for decision in self.decisions], cells=1, reductions=False)

    def graph(self, arch: Architecture) -> CellGraph:
        """Four nodes, six labelled edges; an edge is live when a path without `none` runs through it."""
        live = live_edges(np.asarray([arch]))[0]
        return CellGraph(
            ("input", "node 1", "node 2", "output"),
            tuple(
                GraphEdge(s, t, OPERATIONS[arch[k]], self.decisions[k].name, bool(live[k]))
                for k, (s, t) in enumerate(EDGES)
            ),
        )

    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """One-hot operations of every edge, then the same for live edges only: (n, 48)."""
        table = np.asarray(archs, dtype=np.int64).reshape(-1, 6)
        one_hot = np.eye(4)[table]
        live = one_hot * live_edges(table)[:, :, None]
        return np.concatenate([one_hot.reshape(len(table), 24), live.reshape(len(table), 24)], axis=1)

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = PUBLISHED_CLASSES,
        scale: CellScale | None = None,
    ) -> pd.DataFrame:
        """Counts of the built network, one row an architecture; columns and conventions as in NAS-Bench-201.

        By default those of the published network: base of 64 channels, two cells a module, 256 x 256 pixels, 75
        classes. A skip that halves the resolution counts as the two convolutions it is.
        """
        image, scale = self.image_shape(input), scale or self.scale()
        table = np.asarray(archs, dtype=np.int64).reshape(-1, 6)
        live = live_edges(table)
        base = scale.channels
        height, width = _cost.halved(image.height), _cost.halved(image.width)
        half, first = stem_width(base), height * width
        height, width = _cost.halved(height), _cost.halved(width)
        rest = _cost.convolution(image.channels, half, 3, first) + _cost.norm(half, first)
        rest += _cost.relu_conv_norm(half, base, 3, first, height * width)
        wide = base
        built, reached = Cost(), Cost()
        for module in MODULES:
            for cell in range(scale.cells):
                halves = module == HALVING and cell == 0
                inputs, pixels_in = wide, height * width
                if halves:
                    wide, height, width = 2 * wide, _cost.halved(height), _cost.halved(width)
                for position, (source, _) in enumerate(EDGES):
                    from_input = source == 0
                    arriving = (inputs, pixels_in) if from_input else (wide, height * width)
                    for choice in (SKIP, CONV1, CONV1 + 1):
                        cost = _edge(choice, *arriving, wide, height * width, halves and from_input)
                        chosen = (table[:, position] == choice).astype(np.int64)
                        built += cost * chosen
                        reached += cost * (chosen * live[:, position])
        pooling, linear = _cost.head(wide, (height, width), classes)
        alive = live.any(axis=1).astype(np.int64)
        return _cost.closed_form_table(
            rest + built + pooling + linear, (rest + reached) * alive + linear, reached.convs, len(table)
        )


def _edge(choice: int, inputs: int, pixels_in: int, outputs: int, pixels: int, halves: bool) -> Cost:
    if choice != SKIP:
        return _cost.relu_conv_norm(inputs, outputs, 1 if choice == CONV1 else 3, pixels_in, pixels)
    if not halves:
        return Cost()
    parts = (outputs // 2, outputs - outputs // 2)
    even, odd = (_cost.convolution(inputs, part, 1, pixels) for part in parts)
    return _cost.relu(inputs, pixels_in) + even + odd + _cost.norm(outputs, pixels)


def identity(arch: Architecture, *, halves: bool) -> tuple[object, ...]:
    """What a cell computes, up to the names of its weights: cells of equal identity are one network.

    The output is a sum of terms; a term is an operation with weights of its own, applied to a sum of terms or of the
    input. A skip passes a sum on, weights and all, except from the input of a cell that halves the resolution, where
    it is an operation. Unlike NAS-Bench-201's expression, this tells one convolution used twice from two.
    """
    sums: list[tuple[int, ...]] = [(_INPUT,), (), (), ()]
    for position, ((source, target), choice) in enumerate(zip(EDGES, arch, strict=True)):
        if choice == NONE or not sums[source]:
            continue
        passes = choice == SKIP and not (halves and source == 0)
        sums[target] += sums[source] if passes else (position,)
    spelled = {_INPUT: "x"}
    for position, choice in sorted(enumerate(arch), key=lambda item: EDGES[item[0]][0]):
        spelled[position] = f"{choice}({'+'.join(sorted(spelled[term] for term in sums[EDGES[position][0]]))})"
    terms = sorted(_reached(sums), key=spelled.__getitem__)
    # Terms of one spelling may still differ in what they share: of all orders among them, the first encoding counts.
    ties = [permutations(group) for _, group in groupby(terms, key=spelled.__getitem__)]
    return min(_encoding([t for group in order for t in group], arch, sums) for order in product(*ties))


_INPUT = -1


def _reached(sums: list[tuple[int, ...]]) -> set[int]:
    found: set[int] = set()
    left = [term for term in sums[3] if term != _INPUT]
    while left:
        term = left.pop()
        if term not in found:
            found.add(term)
            left += [other for other in sums[EDGES[term][0]] if other != _INPUT]
    return found


def _encoding(order: list[int], arch: Architecture, sums: list[tuple[int, ...]]) -> tuple[object, ...]:
    number = {term: k for k, term in enumerate(order)} | {_INPUT: _INPUT}
    inputs = tuple((arch[term], tuple(sorted(number[t] for t in sums[EDGES[term][0]]))) for term in order)
    return inputs, tuple(sorted(number[term] for term in sums[3]))


@lru_cache(maxsize=1)
def _canonical_forms() -> dict[Architecture, Architecture]:
    first: dict[object, Architecture] = {}
    return {
        arch: first.setdefault((identity(arch, halves=False), identity(arch, halves=True)), arch)
        for arch in np.ndindex(4, 4, 4, 4, 4, 4)
    }
