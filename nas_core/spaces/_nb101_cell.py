"""The cell of NAS-Bench-101: vertices, edges, what is live in it, its channels, its canonical form. No torch here."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nas_core.spaces.parts import Architecture

VERTICES = 7
INPUT, OUTPUT = 0, VERTICES - 1
INTERIOR = range(1, OUTPUT)
MAX_EDGES = 9
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
CONV3, CONV1, POOL = range(3)
EDGES = tuple((source, target) for target in range(1, VERTICES) for source in range(target))
POSITION = {edge: k for k, edge in enumerate(EDGES)}
SUFFIX = "-bn-relu"
STACKS = 3
LEAST_CHANNELS = len(INTERIOR)
"""Every vertex that feeds the output needs a channel, and up to five do."""


def live_edges(table: np.ndarray) -> np.ndarray:
    """Which edges lie on an input-to-output path: bool (n, 21) for architectures (n, 26)."""
    on = np.asarray(table)[:, : len(EDGES)] == 1
    forward = np.zeros((VERTICES, len(on)), dtype=bool)
    backward = np.zeros_like(forward)
    forward[INPUT], backward[OUTPUT] = True, True
    for k, (source, target) in enumerate(EDGES):
        forward[target] |= forward[source] & on[:, k]
    for k, (source, target) in reversed(list(enumerate(EDGES))):
        backward[source] |= backward[target] & on[:, k]
    used = forward & backward
    sources, targets = zip(*EDGES, strict=True)
    return on & (used[list(sources)] & used[list(targets)]).T


def vertex_channels(live: np.ndarray, outputs: int | np.ndarray) -> np.ndarray:
    """Output channels of every vertex: int (n, 7), 0 for pruned ones and for the input (`compute_vertex_channels`).

    Of cells with the live edges (n, 21) and so many outputs, one number for all or (n,). The output's channels are
    divided among the vertices that feed it, the first ones getting what is left over; any other vertex is as wide as
    the widest vertex it feeds.
    """
    channels = np.zeros((len(live), VERTICES), dtype=np.int64)
    channels[:, OUTPUT] = outputs
    feeding = np.stack([live[:, POSITION[vertex, OUTPUT]] for vertex in INTERIOR], axis=1)
    fan_in = feeding.sum(axis=1)
    share, remainder = np.divmod(outputs, np.maximum(fan_in, 1))
    rank = feeding.cumsum(axis=1) - 1
    channels[:, 1:OUTPUT] = feeding * (share[:, None] + (rank < remainder[:, None]))
    for vertex in reversed(INTERIOR):
        widest = np.zeros(len(live), dtype=np.int64)
        for target in range(vertex + 1, OUTPUT):
            widest = np.maximum(widest, channels[:, target] * live[:, POSITION[vertex, target]])
        channels[:, vertex] = np.where(feeding[:, vertex - 1], channels[:, vertex], widest)
    return channels


def live_vertices(arch: Architecture) -> list[int]:
    """Vertices on a path from input to output, ascending; none where there is no such path."""
    forward, backward = 1 << INPUT, 1 << OUTPUT
    for k, (source, target) in enumerate(EDGES):
        if arch[k] and forward >> source & 1:
            forward |= 1 << target
    for k in reversed(range(len(EDGES))):
        source, target = EDGES[k]
        if arch[k] and backward >> target & 1:
            backward |= 1 << source
    used = forward & backward
    return [vertex for vertex in range(VERTICES) if used >> vertex & 1]


@lru_cache(maxsize=1 << 16)
def canonical_form(arch: Architecture) -> Architecture:
    """The architecture of the pruned cell whose vertices are in the topological order that comes first."""
    live = live_vertices(arch)
    into: dict[int, set[int]] = {
        target: {source for source in live if source < target and arch[POSITION[source, target]]} for target in live
    }
    interior = [vertex for vertex in live if vertex not in (INPUT, OUTPUT)]
    orders: list[tuple[int, ...]] = [(INPUT,)]
    for _ in interior:
        # The edges into a position are settled once it is filled, so only the orders that are first so far can win.
        longer = [
            (*order, vertex)
            for order in orders
            for vertex in interior
            if vertex not in order and into[vertex] <= set(order)
        ]
        columns = [[source in into[order[-1]] for source in order[:-1]] for order in longer]
        first = min(columns)
        orders = [order for order, column in zip(longer, columns, strict=True) if column == first]
    return min(_placed(order, into, arch) for order in orders)


def _placed(order: tuple[int, ...], into: dict[int, set[int]], arch: Architecture) -> Architecture:
    """The architecture whose vertex `k` is `order[k]`, and whose other interior vertices are unused."""
    at = {vertex: position for position, vertex in enumerate(order)} | {OUTPUT: OUTPUT}
    placed = [0] * len(arch)
    for target, sources in into.items():
        for source in sources:
            placed[POSITION[at[source], at[target]]] = 1
    for position, vertex in enumerate(order[1:], start=1):
        placed[len(EDGES) + position - 1] = arch[len(EDGES) + vertex - 1]
    return tuple(placed)
