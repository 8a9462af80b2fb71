"""The scripted analyst: a plain way to steer by hand, written down, so that steering can be held against none."""

from __future__ import annotations

import numpy as np

from nas_core.predict import block_fitness
from nas_core.spaces import Act, SearchSpace, Steering, SteeringConflict
from nas_core.store import Store

SHARE = 1 / 3
"""Of all choices of a space: how many the analyst prunes before it leaves the search to itself."""
_LEAST_SUPPORT = 2


def next_act(
    store: Store, identifier: str, space: SearchSpace, steering: Steering, rank_by: str, higher_is_better: bool
) -> Act | None:
    """Prune the block of lowest fitness among those still allowed; None once a third of the choices is gone."""
    choices = sum(len(decision.choices) for decision in space.decisions)
    if choices - sum(map(len, steering.allowed)) >= SHARE * choices:
        return None
    rows = sorted(store.candidates(identifier), key=lambda row: row.position)
    values = np.array([(row.values or {}).get(rank_by, np.nan) for row in rows])
    archs = np.array([space.parse(row.arch) for row in rows])
    blocks = block_fitness(space.decisions, archs, values if higher_is_better else -values)
    for block in blocks[blocks["n"] >= _LEAST_SUPPORT].sort_values("fitness", kind="stable").itertuples():
        decision = space.decisions[block.decision]
        if block.choice not in steering.allowed[block.decision]:
            continue
        note = f"lowest fitness, {block.fitness:.2f}, n = {block.n}"
        act = Act("prune", decision.name, (decision.choices[block.choice],), author="analyst", note=note)
        try:
            steering.extended(space, act)
        except SteeringConflict:
            continue  # the last choice of its decision
        return act
    return None
