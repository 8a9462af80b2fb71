"""NAS-Bench-201 (Dong & Yang, ICLR 2020): cells of four nodes, one of five operations on each of six edges.

Notation, canonical form, closed forms, graph and encoding are torch-free; the network is in `_nb201_network.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nas_core.spaces import _cost
from nas_core.spaces._layer_places import cell_place
from nas_core.spaces._nb201_cell import CONV1, CONV3, EDGES, NONE, OPERATIONS, PATHS, POOL, SKIP, live_edges
from nas_core.spaces._registry import register
from nas_core.spaces.base import Architecture, CellGraph, CellScale, Decision, GraphEdge, InputShape, SearchSpace

if TYPE_CHECKING:
    from torch import nn

__all__ = ["EDGES", "OPERATIONS", "PATHS", "NasBench201", "expression", "live_edges"]


@register("nb201")
class NasBench201(SearchSpace):
    """The 15,625 cells of NAS-Bench-201; 6,466 of them are distinct networks."""

    name = "nb201"
    title = "NAS-Bench-201"
    decisions = tuple(Decision(f"edge {source}→{target}", OPERATIONS) for source, target in EDGES)
    metric_names = _cost.COLUMNS
    scale_type = CellScale

    def parse(self, text: str) -> Architecture:
        """Read `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`. Raises ValueError naming the offending part."""
        nodes = text.strip().split("+")
        if len(nodes) != 3:
            raise ValueError(f"malformed cell {text!r}: expected 3 nodes joined by '+', found {len(nodes)}")
        chosen: dict[tuple[int, int], int] = {}
        for target, node in enumerate(nodes, start=1):
            if len(node) < 2 or not (node.startswith("|") and node.endswith("|")):
                raise ValueError(f"malformed cell {text!r}: node {target} is {node!r}, expected '|op~input|...|'")
            parts = node[1:-1].split("|")
            if len(parts) != target:
                raise ValueError(f"malformed cell {text!r}: node {target} has {len(parts)} inputs, expected {target}")
            for part in parts:
                operation, tilde, source = part.partition("~")
                if operation not in OPERATIONS:
                    known = ", ".join(OPERATIONS)
                    raise ValueError(f"malformed cell {text!r}: unknown operation {operation!r}, expected {known}")
                if not tilde or not source.isascii() or not source.isdigit() or (int(source), target) not in EDGES:
                    raise ValueError(f"malformed cell {text!r}: {part!r} is no input of node {target}")
                if (int(source), target) in chosen:
                    raise ValueError(f"malformed cell {text!r}: node {target} names input {source} twice")
                chosen[int(source), target] = OPERATIONS.index(operation)
        return tuple(chosen[edge] for edge in EDGES)

    def format(self, arch: Architecture) -> str:
        """Write the notation of the benchmark."""
        labels = {edge: f"{OPERATIONS[choice]}~{edge[0]}" for edge, choice in zip(EDGES, arch, strict=True)}
        return "+".join("|" + "|".join(labels[s, t] for s in range(t)) + "|" for t in (1, 2, 3))

    def canonical(self, arch: Architecture) -> Architecture:
        """The lexicographically first cell of equal `expression` (Dong & Yang 2020, section 3)."""
        return _canonical_forms()[tuple(arch)]

    def build(
        self,
        arch: Architecture,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: CellScale | None = None,
    ) -> nn.Module:
        """The network of the benchmark: stem, three stages of `scale.cells` cells, two residual reductions, head.

        Images `(batch, channels, height, width)` to logits `(batch, classes)`.
        """
        from nas_core.spaces._nb201_network import Network

        image, scale = self.image_shape(input), scale or self.scale()
        return Network(arch, image_channels=image.channels, classes=classes, channels=scale.channels, cells=scale.cells)

    def stack(
        self, archs: Sequence[Architecture], *, seeds: Sequence[int], input: InputShape, classes: int, scale: CellScale
    ) -> Any:
        """The networks of `archs` side by side, by grouped convolutions."""
        from nas_core.spaces._nb201_stack import Stack

        return Stack(
            archs,
            seeds=seeds,
            image_channels=self.image_shape(input).channels,
            classes=classes,
            channels=scale.channels,
            cells=scale.cells,
        )

    def layer_place(self, module: str, arch: Architecture, *, scale: CellScale | None = None) -> str:
        """The cell and its edge, or which of the blocks between the stages."""
        return cell_place(module, [decision.name for decision in self.decisions], cells=(scale or self.scale()).cells)

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
        """One-hot operations of live edges, edge by edge, then how often each occurs alive: (n, 35).

        A dead edge is no part of the network, so cells that differ only in dead edges are encoded alike.
        """
        table = np.asarray(archs, dtype=np.int64).reshape(-1, 6)
        live = np.eye(5)[table] * live_edges(table)[:, :, None]
        return np.concatenate([live.reshape(len(table), 30), live.sum(axis=1)], axis=1)

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: CellScale | None = None,
    ) -> pd.DataFrame:
        """Counts of the built network, one row an architecture.

        Columns: params, flops (multiply-accumulates and more, counted as `_cost` says), live_params (operations on a
        `none`-free input-to-output path only), sum_log_layer_size (natural logarithm of weights, summed over live
        convolutions and linear layers), conv_layers (live convolutions inside cells, all stages). Source: Dong & Yang
        2020, fig. 1; checked against built modules.
        """
        image, scale = self.image_shape(input), scale or self.scale()
        table = np.asarray(archs, dtype=np.int64).reshape(-1, 6)
        live = live_edges(table)
        widths = [scale.channels * factor for factor in (1, 2, 4)]
        sides = _cost.stage_sides(image)
        pixels = [height * width for height, width in sides]
        pooling, linear = _cost.head(widths[2], sides[2], classes)
        rest = _cost.convolution(image.channels, widths[0], 3, pixels[0]) + _cost.norm(widths[0], pixels[0])
        for stage in (1, 2):
            rest += _cost.reduction(widths[stage - 1], widths[stage], pixels[stage - 1], pixels[stage])
        rest += _cost.norm(widths[2], pixels[2]) + _cost.relu(widths[2], pixels[2]) + pooling
        total, alive = rest + linear, rest * np.any(live, axis=1).astype(np.int64) + linear
        convs: _cost.Number = 0
        for width, positions in zip(widths, pixels, strict=True):
            for operation, kernel in ((CONV1, 1), (CONV3, 3)):
                cost = _cost.relu_conv_norm(width, width, kernel, positions, positions) * scale.cells
                on_live = ((table == operation) & live).sum(axis=1)
                total += cost * (table == operation).sum(axis=1)
                alive += cost * on_live
                convs = convs + scale.cells * on_live
            total += _cost.pool(width, 3, positions) * scale.cells * (table == POOL).sum(axis=1)
        return _cost.closed_form_table(total, alive, convs, len(table))


def expression(arch: Architecture) -> str:
    """The benchmark's own identity of a cell (Dong & Yang 2020, section 3): sorted sums of nested operations.

    Identity edges vanish; `#` stands for a branch cut by `none`. Cells of equal expression are one of the
    6,466 distinct networks.
    """
    edges = dict(zip(EDGES, arch, strict=True))
    nodes = ["x"]
    for target in (1, 2, 3):
        nodes.append(_sum(_term(edges[source, target], nodes[source]) for source in range(target)))
    return nodes[-1]


def _term(operation: int, inputs: str) -> str:
    if operation == NONE or inputs == "#":
        return "#"
    return inputs if operation == SKIP else f"({inputs})@{operation}"


def _sum(terms: Iterable[str]) -> str:
    return "+".join(sorted(terms))


@lru_cache(maxsize=1)
def _canonical_forms() -> dict[Architecture, Architecture]:
    """The first cell of equal `expression` for every cell.

    Only the sums of node 3 are many; they are told apart by the ranks of their three terms, and written once each.
    """
    choices = range(len(OPERATIONS))
    direct = [_term(choice, "x") for choice in choices]  # also what node 1 is: its one edge comes from the input
    through_1 = [[_term(choice, node) for choice in choices] for node in direct]
    node_2 = [[[_sum((one, two)) for two in terms] for terms in through_1] for one in direct]
    through_2 = [[[[_term(choice, node) for choice in choices] for node in row] for row in rows] for rows in node_2]
    every = [*direct, *np.ravel(through_1).tolist(), *np.ravel(through_2).tolist()]
    texts = sorted(set(every))
    rank = {text: number for number, text in enumerate(texts)}
    from_0, from_1, from_2 = np.split(
        np.array([rank[text] for text in every]), [len(direct), len(direct) + np.size(through_1)]
    )
    axes = {edge: axis for axis, edge in enumerate(EDGES)}

    def spread(values: np.ndarray, *edges: tuple[int, int]) -> np.ndarray:
        """Values by the operations of `edges`, in that order, over all cells."""
        order = np.argsort([axes[edge] for edge in edges])
        shape = [len(OPERATIONS) if edge in edges else 1 for edge in EDGES]
        values = values.reshape([len(OPERATIONS)] * len(edges)).transpose(order).reshape(shape)
        return np.broadcast_to(values, [len(OPERATIONS)] * len(EDGES)).ravel()

    terms = [spread(from_0, (0, 3)), spread(from_1, (0, 1), (1, 3)), spread(from_2, (0, 2), (0, 1), (1, 2), (2, 3))]
    sums = np.sort(terms, axis=0)
    _, place, which = np.unique(np.ravel_multi_index(sums, [len(texts)] * 3), return_index=True, return_inverse=True)
    written = ["+".join(map(texts.__getitem__, ranks)) for ranks in sums[:, place].T.tolist()]
    first: dict[str, int] = {}
    for text, cell in sorted(zip(written, place.tolist(), strict=True), key=itemgetter(1)):
        first.setdefault(text, cell)
    cells = list(product(choices, repeat=len(EDGES)))
    canonical = [cells[first[text]] for text in written]
    return {cell: canonical[number] for cell, number in zip(cells, which.tolist(), strict=True)}
