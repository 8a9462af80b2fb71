"""How deep a cell computes: its longest chain of convolutions, the classes that balanced sampling draws from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nas_core.spaces import Architecture, SearchSpace

DEAD = -1
"""Chain length of a cell whose output no input reaches."""


def longest_chains(space: SearchSpace, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
    """Convolutions on the longest input-to-output path of each of `archs`: int (n,), `DEAD` where there is no path.

    For spaces whose cells share one graph, one decision an edge, nodes in topological order; an operation `none`
    closes its edge and one with `conv` in its name counts. A space may have a method `longest_chains` of its own.

    Raises:
        ValueError: the space is of another kind.
    """
    table = np.asarray(archs, dtype=np.int64).reshape(-1, len(space.decisions))
    if not len(table):
        return np.zeros(0, dtype=np.int64)
    own = getattr(space, "longest_chains", None)
    if own is not None:
        return own(table)
    edges = {edge.decision: edge for edge in space.graph(tuple(int(c) for c in table[0])).edges}
    if set(edges) != {decision.name for decision in space.decisions}:
        raise ValueError(f"space {space.name} has no cell with one decision an edge; depth classes need one")
    nodes = 1 + max(edge.target for edge in edges.values())
    depth = np.full((len(table), nodes), DEAD)
    depth[:, 0] = 0
    columns = sorted(range(len(space.decisions)), key=lambda k: edges[space.decisions[k].name].target)
    for column in columns:
        decision = space.decisions[column]
        edge = edges[decision.name]
        opens = np.array([choice != "none" for choice in decision.choices])[table[:, column]]
        convolves = np.array(["conv" in choice for choice in decision.choices])[table[:, column]]
        origin = depth[:, edge.source]
        arriving = np.where(opens & (origin != DEAD), origin + convolves, DEAD)
        depth[:, edge.target] = np.maximum(depth[:, edge.target], arriving)
    return depth[:, -1]


def depth_classes(space: SearchSpace, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
    """Class of each of `archs`: its longest chain, 0 and 1 taken together; `DEAD` for dead cells."""
    chains = longest_chains(space, archs)
    return np.where(chains == DEAD, DEAD, np.maximum(chains, 1))
