"""NAS-Bench-201 (Dong & Yang, ICLR 2020): cells of four nodes, one of five operations on each of six edges.

Notation, canonical form, closed forms, graph and encoding are torch-free; the network is in `_nb201_network.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nas_core.spaces._registry import register
from nas_core.spaces.base import Architecture, CellGraph, Decision, GraphEdge, ImageShape, Scale, SearchSpace

if TYPE_CHECKING:
    from torch import nn

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NONE, SKIP, CONV1, CONV3, POOL = range(5)
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""Positions of the edges on each of the four input-to-output paths."""


@register("nb201")
class NasBench201(SearchSpace):
    """The 15,625 cells of NAS-Bench-201; 6,466 of them are distinct networks."""

    name = "nb201"
    title = "NAS-Bench-201"
    decisions = tuple(Decision(f"edge {source}→{target}", OPERATIONS) for source, target in EDGES)
    metric_names = ("params", "flops", "live_params", "sum_log_layer_size", "conv_layers")

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
        image: ImageShape = ImageShape(),  # noqa: B008 - frozen value
        classes: int = 10,
        scale: Scale = Scale(),  # noqa: B008 - frozen value
    ) -> nn.Module:
        """The network of the benchmark: stem, three stages of `scale.cells` cells, two residual reductions, head.

        Input `(batch, image.channels, image.height, image.width)`, output logits `(batch, classes)`.
        """
        from nas_core.spaces._nb201_network import Network

        return Network(arch, image_channels=image.channels, classes=classes, channels=scale.channels, cells=scale.cells)

    def stack(
        self, archs: Sequence[Architecture], *, seeds: Sequence[int], image: ImageShape, classes: int, scale: Scale
    ) -> Any:
        """The networks of `archs` side by side, by grouped convolutions."""
        from nas_core.spaces._nb201_stack import Stack

        return Stack(
            archs,
            seeds=seeds,
            image_channels=image.channels,
            classes=classes,
            channels=scale.channels,
            cells=scale.cells,
        )

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
        image: ImageShape | None = None,
        classes: int = 10,
        scale: Scale | None = None,
    ) -> pd.DataFrame:
        """Counts of the built network, one row an architecture.

        Columns: params, flops (multiply-accumulates of convolutions, pooling windows and the head, two operations an
        element for batch norm and one for ReLU), live_params (operations on a `none`-free input-to-output path
        only), sum_log_layer_size (natural logarithm of weights, summed over live convolutions and linear layers),
        conv_layers (live convolutions inside cells, all stages). Source: Dong & Yang 2020, fig. 1; checked against
        built modules.
        """
        image, scale = image or ImageShape(), scale or Scale()
        table = np.asarray(archs, dtype=np.int64).reshape(-1, 6)
        live = live_edges(table)
        any_live = live.any(axis=1)
        conv1, conv3, pool = ((table == op).sum(axis=1) for op in (CONV1, CONV3, POOL))
        live1, live3 = (((table == op) & live).sum(axis=1) for op in (CONV1, CONV3))
        widths = np.array([scale.channels * factor for factor in (1, 2, 4)])
        height, width = image.height, image.width
        pixels = []
        for _ in range(3):
            pixels.append(height * width)
            height, width = (height + 1) // 2, (width + 1) // 2
        size1 = int(sum(w * w + 2 * w for w in widths)) * scale.cells
        size3 = int(sum(9 * w * w + 2 * w for w in widths)) * scale.cells
        stem = 9 * image.channels * int(widths[0]) + 2 * int(widths[0])
        reduction = sum(9 * a * b + 9 * b * b + a * b + 4 * b for a, b in pairwise(widths))
        head = 2 * int(widths[2]) + int(widths[2]) * classes + classes
        rest = stem + int(reduction) + head
        elements = [p * int(w) for p, w in zip(pixels, widths, strict=True)]
        macs1 = sum(n * int(w) + 3 * n for n, w in zip(elements, widths, strict=True)) * scale.cells
        macs3 = sum(9 * n * int(w) + 3 * n for n, w in zip(elements, widths, strict=True)) * scale.cells
        macs_pool = 9 * sum(elements) * scale.cells
        macs_rest = elements[0] * (9 * image.channels + 2) + 4 * elements[2] + int(widths[2]) * classes
        for k in (1, 2):
            before, after = int(widths[k - 1]), int(widths[k])
            macs_rest += elements[k - 1] + elements[k] * (10 * before + 9 * after + 5) + 4 * pixels[k] * before
        log_rest = np.log(9 * image.channels * widths[0]) + np.log(widths[2] * classes)
        for a, b in pairwise(widths):
            log_rest += np.log(9 * a * b) + np.log(9 * b * b) + np.log(a * b)
        log1 = float(np.log(widths * widths).sum()) * scale.cells
        log3 = float(np.log(9 * widths * widths).sum()) * scale.cells
        return pd.DataFrame(
            {
                "params": rest + size1 * conv1 + size3 * conv3,
                "flops": macs_rest + macs1 * conv1 + macs3 * conv3 + macs_pool * pool,
                "live_params": np.where(any_live, rest, int(widths[2]) * classes + classes)
                + size1 * live1
                + size3 * live3,
                "sum_log_layer_size": np.where(any_live, log_rest, np.log(widths[2] * classes))
                + log1 * live1
                + log3 * live3,
                "conv_layers": 3 * scale.cells * (live1 + live3),
            }
        )


def live_edges(table: np.ndarray) -> np.ndarray:
    """Which edges lie on an input-to-output path without `none`: bool (n, 6) for architectures (n, 6)."""
    open_edge = np.asarray(table) != NONE
    live = np.zeros_like(open_edge)
    for path in PATHS:
        whole = open_edge[:, list(path)].all(axis=1)
        live[:, list(path)] |= whole[:, None]
    return live


def expression(arch: Architecture) -> str:
    """The benchmark's own identity of a cell (Dong & Yang 2020, section 3): sorted sums of nested operations.

    Identity edges vanish; `#` stands for a branch cut by `none`. Cells of equal expression are one of the
    6,466 distinct networks.
    """
    edges = dict(zip(EDGES, arch, strict=True))
    nodes = ["x"]
    for target in (1, 2, 3):
        terms = []
        for source in range(target):
            operation, inputs = edges[source, target], nodes[source]
            if operation == NONE or inputs == "#":
                terms.append("#")
            else:
                terms.append(inputs if operation == SKIP else f"({inputs})@{operation}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


@lru_cache(maxsize=1)
def _canonical_forms() -> dict[Architecture, Architecture]:
    first: dict[str, Architecture] = {}
    return {arch: first.setdefault(expression(arch), arch) for arch in np.ndindex(5, 5, 5, 5, 5, 5)}
