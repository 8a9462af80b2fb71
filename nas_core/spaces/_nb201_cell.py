"""The cell of NAS-Bench-201: its edges and operations, by number. No space and no torch here.

Shared with NATS-Bench and TransNAS-Bench-101, whose cells have the same nodes and edges.
"""

from __future__ import annotations

import numpy as np

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NONE, SKIP, CONV1, CONV3, POOL = range(5)
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""Positions of the edges on each of the four input-to-output paths."""


def live_edges(table: np.ndarray) -> np.ndarray:
    """Which edges lie on an input-to-output path without `none`: bool (n, 6) for architectures (n, 6)."""
    open_edge = np.asarray(table) != NONE
    live = np.zeros_like(open_edge)
    for path in PATHS:
        whole = open_edge[:, list(path)].all(axis=1)
        live[:, list(path)] |= whole[:, None]
    return live
