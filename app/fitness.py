"""What the evaluated candidates say about blocks, and what a prune would remove. Pure functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from nas_core.spaces import Decision, Steering

PRIOR_WEIGHT = 5
TOP = 20
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


@dataclass(frozen=True)
class Preview:
    """What an act would remove: architectures, their share, how many of the top 20, chance that the best is lost."""

    removed: int
    share: float
    top: int
    top_of: int
    best_lost: float
    mask: np.ndarray

    def sentence(self) -> str:
        """The preview for people."""
        text = f"removes {self.removed:,} architectures ({self.share:.0%})"
        if self.top_of:
            text += f", {self.top} of the current top {self.top_of}, "
            text += f"{self.best_lost:.0%} chance that the best is among them"
        return text


def preview(
    before: Steering, after: Steering, archs: np.ndarray, scored: np.ndarray, values: np.ndarray, *, seed: int = 0
) -> Preview:
    """Compare two steerings over all `archs` (n, decisions); `scored` are indices of scored ones with `values`.

    The chance is the share of bootstrap resamples of the scored candidates whose best one would go.
    """
    kept_before, kept_after = before.mask(archs), after.mask(archs)
    gone = kept_before & ~kept_after
    usable = kept_before[scored] & ~np.isnan(values)
    scored, values = scored[usable], values[usable]
    order = np.argsort(-values, kind="stable")
    top = scored[order[:TOP]]
    lost = 0.0
    if len(scored):
        ranked_gone = gone[scored[order]]
        # The best of a resample is the first in rank order that was drawn: rank k with probability (1-1/n)^k-ish.
        draws = np.random.default_rng(seed).integers(len(order), size=(_RESAMPLES, len(order))).min(axis=1)
        lost = float(ranked_gone[draws].mean())
    removed = int(gone.sum())
    return Preview(removed, removed / max(int(kept_before.sum()), 1), int(gone[top].sum()), len(top), lost, gone)
