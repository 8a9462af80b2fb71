"""What the evaluated candidates say about blocks: how good those are that hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from nas_core.ranks import rankdata

if TYPE_CHECKING:
    from nas_core.spaces import Decision

PRIOR_WEIGHT = 5
"""Candidates that the overall mean counts for in a block's fitness, and their spread in its interval."""


def block_fitness(
    decisions: tuple[Decision, ...], archs: np.ndarray, values: np.ndarray, *, networks: ArrayLike | None = None
) -> pd.DataFrame:
    """Fitness of every block: the mean rank in [0, 1] of the candidates that hold it, shrunk to the overall mean.

    Args:
        decisions: of the space.
        archs: choices (n, decisions) of the candidates.
        values: their values (n,), higher is better; NaN ranks lowest.
        networks: a number (n,) of every candidate's network: those of one network are one observation of the interval.
            None where every candidate is another network.

    Returns:
        A row a block: decision, choice (indices), fitness, low, high (95 % interval of the mean rank, by Student's t,
        stretched to the fitness), n (support). With support 0 the fitness is the overall mean.
    """
    ranks = rankdata(np.nan_to_num(values, nan=-np.inf)) if len(values) else np.zeros(0)
    ranks = (ranks - 1) / max(len(ranks) - 1, 1)
    mean = float(ranks.mean()) if len(ranks) else 0.5
    blocks = [(d, c) for d, decision in enumerate(decisions) for c in range(len(decision.choices))]
    table = np.asarray(archs).reshape(-1, len(decisions))
    member = np.stack([table[:, d] == c for d, c in blocks], axis=1).astype(float)
    support = member.sum(axis=0)
    fitness = (ranks @ member + PRIOR_WEIGHT * mean) / (support + PRIOR_WEIGHT)
    low, high = np.zeros(len(blocks)), np.ones(len(blocks))
    if len(ranks):
        seen = np.maximum(support, 1)
        means = ranks @ member / seen
        reach = _reach(ranks, means, member, None if networks is None else np.asarray(networks))
        low, high = np.minimum(np.maximum(means - reach, 0), fitness), np.maximum(np.minimum(means + reach, 1), fitness)
        low, high = np.where(support > 0, low, 0.0), np.where(support > 0, high, 1.0)
    return pd.DataFrame(
        {
            "decision": [d for d, _ in blocks],
            "choice": [c for _, c in blocks],
            "fitness": fitness,
            "low": low,
            "high": high,
            "n": support.astype(int),
        }
    )


def _reach(ranks: np.ndarray, means: np.ndarray, member: np.ndarray, networks: np.ndarray | None) -> np.ndarray:
    """How far the 95 % interval of every block's mean rank reaches (blocks,).

    Deviations are summed by network; few of them are taken together with `PRIOR_WEIGHT` that deviate as all do.
    """
    deviations, sizes = (ranks[:, None] - means) * member, member
    if networks is not None:
        _, place, counts = np.unique(networks, return_inverse=True, return_counts=True)
        order, starts = np.argsort(place, kind="stable"), np.cumsum(counts) - counts
        deviations, sizes = (np.add.reduceat(one[order], starts, axis=0) for one in (deviations, sizes))
    observed = np.maximum((sizes > 0).sum(axis=0), 1)
    expected = float(ranks.var()) * (sizes**2).sum(axis=0) / observed
    freedom = observed - 1 + PRIOR_WEIGHT
    variance = ((deviations**2).sum(axis=0) + PRIOR_WEIGHT * expected) * observed / freedom
    return stdtrit(freedom, 0.975) * np.sqrt(variance) / np.maximum(sizes.sum(axis=0), 1)
