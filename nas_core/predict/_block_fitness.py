"""What the evaluated candidates say about blocks: how good those are that hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

if TYPE_CHECKING:
    from nas_core.spaces import Decision

PRIOR_WEIGHT = 5
_RESAMPLES = 200


def block_fitness(
    decisions: tuple[Decision, ...], archs: np.ndarray, values: np.ndarray, *, seed: int = 0
) -> pd.DataFrame:
    """Fitness of every block: the mean rank in [0, 1] of the candidates that hold it, shrunk to the overall mean.

    `archs` (n, decisions) and `values` (n,), higher is better; NaN ranks lowest. One row a block: decision, choice
    (indices), fitness, low, high (95 % bootstrap), n (support). With support 0 the fitness is the overall mean.
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
        rng = np.random.default_rng(seed)
        weights = rng.multinomial(len(ranks), np.full(len(ranks), 1 / len(ranks)), size=_RESAMPLES).astype(float)
        sampled = ((weights * ranks) @ member + PRIOR_WEIGHT * mean) / (weights @ member + PRIOR_WEIGHT)
        low, high = np.percentile(sampled, [2.5, 97.5], axis=0)
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
