"""NAS-Bench-101 (Ying et al., ICML 2019): cells of up to seven vertices and nine edges, operations on the vertices.

Pruning, validity and channel division follow the repository of the benchmark (google-research/nasbench,
`model_spec.py`, `model_builder.py`); the torch code is in `_nb101_network.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nas_core.spaces import _cost
from nas_core.spaces._cost import Cost
from nas_core.spaces._layer_places import PART, block_number, outside_blocks
from nas_core.spaces._nb101_cell import (
    CONV1,
    CONV3,
    EDGES,
    INPUT,
    INTERIOR,
    LEAST_CHANNELS,
    MAX_EDGES,
    OPERATIONS,
    OUTPUT,
    POOL,
    POSITION,
    STACKS,
    SUFFIX,
    VERTICES,
    canonical_form,
    live_edges,
    live_vertices,
    vertex_channels,
)
from nas_core.spaces._nb101_edge_sets import draw, draw_one, edge_bits, edge_sets
from nas_core.spaces._registry import register
from nas_core.spaces.base import (
    OPTIONAL,
    Architecture,
    CellGraph,
    CellScale,
    Count,
    Decision,
    GraphEdge,
    InputShape,
    SearchSpace,
    Steering,
    SteeringConflict,
)

if TYPE_CHECKING:
    from torch import nn

PUBLISHED = CellScale(channels=128, cells=3)
ENUMERATION_LIMIT = 200_000
DRAWS = 20_000
REJECTIONS = (64, 512, 4_096, 32_768)
BLOCK = 64


@register("nb101")
class NasBench101(SearchSpace):
    """21 edges that are on or off and five operations: 2^21 x 3^5 combinations, of which 423,624 are distinct networks.

    An architecture belongs to the space when an input-to-output path exists and at most nine edges are on. (The
    benchmark's own query counts the edges after pruning; every network it knows is in the space either way.) Vertices
    on no path from input to output are pruned, as published, so a built network has no dead parameters.

    `CellScale.channels` is the width of the stem and the first stack (published: 128), `CellScale.cells` the cells in
    each of the three stacks (published: 3). The width of a cell is divided among the vertices that feed its output,
    so fewer than five channels are raised to five. Where the width does not divide evenly, the vertices that come
    first get one channel more: networks of one canonical form then differ by a few channels, and the canonical form
    itself is the one that is scored.
    """

    name = "nb101"
    title = "NAS-Bench-101"
    decisions = (
        *(Decision(f"edge {source}→{target}", OPTIONAL) for source, target in EDGES),
        *(Decision(f"vertex {vertex}", OPERATIONS) for vertex in INTERIOR),
    )
    metric_names = _cost.COLUMNS
    scale_type = CellScale

    def scale(self) -> CellScale:
        """A stem of 128 channels and three cells a stack."""
        return PUBLISHED

    def parse(self, text: str) -> Architecture:
        """Read `0110000-0001000-...-0000000:conv3x3,maxpool3x3,...`: rows of the adjacency matrix, then operations.

        Two to seven rows of zeros and ones, above the diagonal only; an operation for every vertex but the first and
        the last, in the benchmark's names or without their `-bn-relu`. The vertices left out of a smaller matrix are
        those before the output, without edges and with the first operation.

        Raises:
            ValueError: naming the offending part.
        """
        matrix, colon, labels = text.strip().partition(":")
        if not colon:
            raise ValueError(f"malformed cell {text!r}: expected adjacency rows and operations joined by ':'")
        rows = matrix.split("-")
        if not 2 <= len(rows) <= VERTICES:
            raise ValueError(f"malformed cell {text!r}: {len(rows)} adjacency rows, expected 2 to {VERTICES}")
        operations = labels.split(",") if labels else []
        if len(operations) != len(rows) - 2:
            raise ValueError(f"malformed cell {text!r}: {len(operations)} operations, expected {len(rows) - 2}")
        arch = [0] * len(self.decisions)
        for source, row in enumerate(rows):
            if len(row) != len(rows) or set(row) - {"0", "1"}:
                raise ValueError(
                    f"malformed cell {text!r}: row {source} is {row!r}, expected {len(rows)} zeros and ones"
                )
            if "1" in row[: source + 1]:
                raise ValueError(
                    f"malformed cell {text!r}: row {source} is {row!r}, expected ones after column {source}"
                )
            for target in range(source + 1, len(rows)):
                end = OUTPUT if target == len(rows) - 1 else target
                arch[POSITION[source, end]] = int(row[target])
        known = [operation.removesuffix(SUFFIX) for operation in OPERATIONS]
        for vertex, label in enumerate(operations, start=1):
            if label.removesuffix(SUFFIX) not in known:
                raise ValueError(
                    f"malformed cell {text!r}: unknown operation {label!r} at vertex {vertex}, "
                    f"expected {', '.join(OPERATIONS)}"
                )
            arch[len(EDGES) + vertex - 1] = known.index(label.removesuffix(SUFFIX))
        if sum(arch[: len(EDGES)]) > MAX_EDGES:
            raise ValueError(f"malformed cell {text!r}: {sum(arch[: len(EDGES)])} edges, expected at most {MAX_EDGES}")
        if not self.valid(tuple(arch)):
            raise ValueError(f"malformed cell {text!r}: no path from input to output")
        return tuple(arch)

    def format(self, arch: Architecture) -> str:
        """Write seven adjacency rows and five operations, without their `-bn-relu`."""
        rows = (
            "".join(str(arch[POSITION[source, target]]) if source < target else "0" for target in range(VERTICES))
            for source in range(VERTICES)
        )
        return "-".join(rows) + ":" + ",".join(OPERATIONS[op].removesuffix(SUFFIX) for op in arch[len(EDGES) :])

    def valid(self, arch: Architecture) -> bool:
        """Whether a path leads from input to output and at most nine edges are on."""
        return super().valid(arch) and sum(arch[: len(EDGES)]) <= MAX_EDGES and INPUT in live_vertices(arch)

    def canonical(self, arch: Architecture) -> Architecture:
        """The pruned cell, its vertices in the topological order that comes first lexicographically.

        Vertices in use take the positions 1, 2, ...; the others come last, without edges and with the first
        operation. Two architectures share a canonical form exactly when their pruned graphs are isomorphic.
        """
        return canonical_form(tuple(arch))

    def build(
        self,
        arch: Architecture,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: CellScale | None = None,
    ) -> nn.Module:
        """The network of the benchmark: stem, three stacks of `scale.cells` cells, max-pooling between, linear head.

        Images `(batch, channels, height, width)` to logits `(batch, classes)`.

        Raises:
            ValueError: the architecture is not valid.
        """
        from nas_core.spaces._nb101_network import Cell, Network

        if not self.valid(arch):
            raise ValueError(f"cannot build {self.format(arch)}: expected an input-output path and at most 9 edges")
        scale = scale or self.scale()
        return Network(
            partial(Cell, tuple(arch)),
            image_channels=self.image_shape(input).channels,
            classes=classes,
            channels=width(scale),
            cells=scale.cells,
        )

    @property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The edges into a vertex together, then the operation of each vertex."""
        into = ((f"edges into {t}", tuple(POSITION[s, t] for s in range(t))) for t in range(1, VERTICES))
        return (*into, *super().groups[len(EDGES) :])

    @property
    def one_shot_settings(self) -> Mapping[str, Any]:
        """Wide enough to be divided among five vertices; deep paths, without shortcuts, learn from shallow ones."""
        return {"sampling": "uniform", "channels": 16, "learning_rate": 0.1}

    def supernet(self, *, input: InputShape, classes: int, scale: CellScale) -> nn.Module:
        """All operations on shared weights, to be run by paths; see `nas_core.supernet.SharedWeights`.

        Every operation is as wide as the cell; a path runs the first channels of it, as its division of the channels
        says.
        """
        from nas_core.spaces._nb101_network import SharedNetwork

        channels = self.image_shape(input).channels
        return SharedNetwork(image_channels=channels, classes=classes, channels=width(scale), cells=scale.cells)

    def longest_chains(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Vertices that convolve on the longest live path from input to output, int (n,)."""
        table = _as_table(archs)
        live = live_edges(table)
        depth = np.zeros((VERTICES, len(table)), dtype=np.int64)
        for k, (source, target) in enumerate(EDGES):
            convolves = table[:, len(EDGES) + source - 1] != POOL if source != INPUT else 0
            depth[target] = np.where(live[:, k], np.maximum(depth[target], depth[source] + convolves), depth[target])
        return depth[OUTPUT]

    def layer_place(self, module: str, arch: Architecture, *, scale: CellScale | None = None) -> str:
        """The cell, and its vertex or the projection of its input to one."""
        outside = outside_blocks(module)
        if outside:
            return outside
        number, (kind, vertex, *_) = block_number(module)
        cell = number - number // ((scale or self.scale()).cells + 1) + 1  # pooling stands between the stacks
        name = "output" if int(vertex) == OUTPUT else f"vertex {vertex}"
        return f"cell {cell}{PART}{name if kind == 'operations' else f'input to {name}'}"

    def graph(self, arch: Architecture) -> CellGraph:
        """Seven vertices and the edges that are on; an edge is live when it lies on a path from input to output."""
        live = live_edges(np.asarray([arch]))[0]
        interior = (f"{vertex} {OPERATIONS[arch[len(EDGES) + vertex - 1]]}" for vertex in INTERIOR)
        return CellGraph(
            ("input", *interior, "output"),
            tuple(
                GraphEdge(s, t, "on", self.decisions[k].name, bool(live[k]))
                for k, (s, t) in enumerate(EDGES)
                if arch[k]
            ),
        )

    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Adjacency and one-hot operations, then the same of the pruned cell: (n, 72)."""
        table = _as_table(archs)
        live = live_edges(table)
        used = np.stack([live[:, [k for k, edge in enumerate(EDGES) if edge[0] == v]].any(axis=1) for v in INTERIOR], 1)
        one_hot = np.eye(len(OPERATIONS))[table[:, len(EDGES) :]]
        labels = [
            part.reshape(len(table), len(INTERIOR) * len(OPERATIONS)) for part in (one_hot, one_hot * used[..., None])
        ]
        return np.concatenate([table[:, : len(EDGES)], labels[0], live, labels[1]], axis=1).astype(float)

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: CellScale | None = None,
    ) -> pd.DataFrame:
        """Counts of the built network, one row an architecture; columns and conventions as in NAS-Bench-201.

        conv_layers counts convolutions inside cells, the 1 x 1 projections of the cell's input among them.
        """
        image, scale = self.image_shape(input), scale or self.scale()
        table = _as_table(archs)
        height, width_ = image.height, image.width
        outputs = width(scale)
        total = _cost.conv_norm_relu(image.channels, outputs, 3, height * width_)
        inputs, cells = outputs, Cost()
        for stack in range(STACKS):
            if stack:
                height, width_ = _cost.halved(height), _cost.halved(width_)
                total += _cost.pool(outputs, 2, height * width_)
                outputs *= 2
            cells += _cell(table, inputs, outputs, height * width_)
            if scale.cells > 1:
                cells += _cell(table, outputs, outputs, height * width_) * (scale.cells - 1)
            inputs = outputs
        pooling, linear = _cost.head(outputs, (height, width_), classes)
        total += cells + pooling + linear
        return _cost.closed_form_table(total, total, cells.convs, len(table))

    def architectures(self, steering: Steering | None = None) -> Iterator[Architecture]:
        """Every valid architecture that obeys `steering`, in lexicographic order.

        Raises:
            ValueError: more than 200,000 are left.
        """
        steering = steering or Steering.free(self)
        edges, operations = edge_sets(steering.allowed), steering.allowed[len(EDGES) :]
        if len(edges) * math.prod(map(len, operations)) > ENUMERATION_LIMIT:
            raise ValueError(f"{self.name} is too large to enumerate; sample it instead")
        labels = np.stack(np.meshgrid(*operations, indexing="ij"), axis=-1).reshape(-1, len(operations))
        for start in range(0, len(edges), BLOCK):
            block = edge_bits(edges[start : start + BLOCK])
            table = np.concatenate([np.repeat(block, len(labels), axis=0), np.tile(labels, (len(block), 1))], axis=1)
            yield from map(tuple, (table[steering.mask(table)] if steering.ranges else table).tolist())

    def count(self, steering: Steering | None = None) -> Count:
        """How many architectures obey `steering`: exact, but for metric ranges over more than 200,000 of them."""
        steering = steering or Steering.free(self)
        return _count(self, steering.allowed, steering.ranges)

    def sample(self, rng: np.random.Generator, steering: Steering | None = None) -> Architecture:
        """One architecture, uniform over those that obey `steering`.

        Raises:
            SteeringConflict: nothing in the space obeys it.
        """
        steering = steering or Steering.free(self)
        edges = edge_sets(steering.allowed)
        if len(edges) and not steering.ranges:
            return draw_one(rng, edges, steering)
        if len(edges):
            found = self._by_rejection(rng, steering, REJECTIONS, 1)
            if len(found):
                return tuple(found[0].tolist())
            if len(edges) * math.prod(map(len, steering.allowed[len(EDGES) :])) <= ENUMERATION_LIMIT:
                left = list(self.architectures(steering))
                if left:
                    return left[int(rng.integers(len(left)))]
        raise SteeringConflict("no architecture obeys the steering; undo an act")

    def _enumerated(self, steering: Steering) -> None:
        """Few of all combinations are valid: a table of them all would take longer than rejection."""

    def _accepted(self, rng: np.random.Generator, steering: Steering, n: int) -> np.ndarray:
        drawn = draw(rng, edge_sets(steering.allowed), steering, n)
        return drawn[steering.mask(drawn)]


def width(scale: CellScale) -> int:
    """Channels of the first stack: those asked for, at least one for every vertex that can feed the output."""
    return max(scale.channels, LEAST_CHANNELS)


def _cell(table: np.ndarray, inputs: int, outputs: int, pixels: int) -> Cost:
    edges = live_edges(table)
    live, channels = edges.astype(np.int64), vertex_channels(edges, outputs)
    cost = _cost.conv_norm_relu(inputs, outputs, 1, pixels) * live[:, POSITION[INPUT, OUTPUT]]
    for vertex in INTERIOR:
        wide, operation = channels[:, vertex], table[:, len(EDGES) + vertex - 1]
        cost += _cost.conv_norm_relu(inputs, wide, 1, pixels) * live[:, POSITION[INPUT, vertex]]
        cost += _cost.conv_norm_relu(wide, wide, 3, pixels) * ((wide > 0) & (operation == CONV3)).astype(np.int64)
        cost += _cost.conv_norm_relu(wide, wide, 1, pixels) * ((wide > 0) & (operation == CONV1)).astype(np.int64)
        cost += _cost.pool(wide, 3, pixels) * (operation == POOL).astype(np.int64)
    return cost


def _as_table(archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
    return np.asarray(archs, dtype=np.int64).reshape(-1, len(EDGES) + len(INTERIOR))


@lru_cache(maxsize=64)
def _count(
    space: NasBench101, allowed: tuple[tuple[int, ...], ...], ranges: tuple[tuple[str, float, float], ...]
) -> Count:
    steering = Steering(allowed, ranges, metrics=space.metrics)
    edges = edge_sets(steering.allowed)
    left = len(edges) * math.prod(map(len, allowed[len(EDGES) :]))
    if not ranges or not left:
        return Count(left)
    if left <= ENUMERATION_LIMIT:
        return Count(sum(1 for _ in space.architectures(steering)))
    share = steering.mask(draw(np.random.default_rng(0), edges, steering, DRAWS)).mean()
    return Count(round(float(share) * left), exact=False)
