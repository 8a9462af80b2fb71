"""Sets of edges of NAS-Bench-101 cells as numbers of 21 bits: which are valid, and draws among them. No torch here."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nas_core.spaces._nb101_cell import EDGES, MAX_EDGES, live_edges
from nas_core.spaces.parts import Architecture
from nas_core.spaces.steering import Steering


@lru_cache(maxsize=1)
def valid_edge_sets() -> np.ndarray:
    """Every valid set of edges as a number, ascending; the first edge is the highest of 21 bits."""
    sets = np.arange(1 << len(EDGES), dtype=np.int64)
    few = sets[np.bitwise_count(sets) <= MAX_EDGES]
    return few[live_edges(edge_bits(few)).any(axis=1)]


@lru_cache(maxsize=64)
def edge_sets(allowed: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """The valid sets of edges that obey these choices of every decision, see `valid_edge_sets`."""
    sets, masks = valid_edge_sets(), {(0,): 0, (1,): 0, (0, 1): 0}
    for k, choices in enumerate(allowed[: len(EDGES)]):
        masks[choices] |= 1 << (len(EDGES) - 1 - k)
    return sets[(sets & masks[1,] == masks[1,]) & (sets & masks[0,] == 0)]


def edge_bits(sets: np.ndarray) -> np.ndarray:
    """Sets of edges as zeros and ones: int (n, 21)."""
    return sets[:, None] >> np.arange(len(EDGES))[::-1] & 1


def draw(rng: np.random.Generator, edges: np.ndarray, steering: Steering, n: int) -> np.ndarray:
    """Architectures that obey the choices of a steering, uniformly and with replacement: int (n, 26)."""
    labels = [np.asarray(c)[rng.integers(len(c), size=n)] for c in steering.allowed[len(EDGES) :]]
    return np.column_stack([edge_bits(edges[rng.integers(len(edges), size=n)]), *labels])


def draw_one(rng: np.random.Generator, edges: np.ndarray, steering: Steering) -> Architecture:
    """What `draw` draws first, in a fraction of the time: every training step asks for one."""
    labels = [choices[int(rng.integers(len(choices)))] for choices in steering.allowed[len(EDGES) :]]
    drawn = int(edges[rng.integers(len(edges))])
    return (*(drawn >> k & 1 for k in reversed(range(len(EDGES)))), *labels)
