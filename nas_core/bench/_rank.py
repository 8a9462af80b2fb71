"""How well a score ranks: tau-b, rho, the top half, regret at k and nDCG, each with a bootstrap interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import kendalltau, rankdata

_FEW = 200


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % bootstrap percentile interval; NaN bounds where no resample gave a value."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class RankStatistics:
    """Agreement of a score with the truth over `n` architectures; `dropped` pairs had a NaN.

    `tau` Kendall's tau-b; `rho` Spearman; `tau_top_half` tau-b among the truly better half; `regret` the best truth
    minus the best truth among the `top_k` highest scores, in units of the truth; `ndcg` over the whole ranking with
    gains from the truth scaled to [0, 1].
    """

    n: int
    dropped: int
    top_k: int
    tau: Estimate
    rho: Estimate
    tau_top_half: Estimate
    regret: Estimate
    ndcg: Estimate

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self)


def rank_statistics(
    score: ArrayLike, truth: ArrayLike, *, bootstrap: int = 200, seed: int = 0, top_k: int = 10
) -> RankStatistics:
    """Hold `score` (n,) against `truth` (n,), both higher is better.

    Raises:
        ValueError: lengths that differ, or fewer than three pairs without NaN.
    """
    x, y = np.asarray(score, dtype=float), np.asarray(truth, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"score has shape {x.shape} and truth {y.shape}; expected two lists of one length")
    usable = ~(np.isnan(x) | np.isnan(y))
    x, y = x[usable], y[usable]
    if len(x) < 3:
        raise ValueError(f"{len(x)} pairs of score and truth without NaN; expected at least 3")
    rng = np.random.default_rng(seed)
    draws = [rng.integers(len(x), size=len(x)) for _ in range(bootstrap)]

    everything = _Pairs(x, y)
    resamples = [_Pairs(x[draw], y[draw]) for draw in draws]

    def estimate(statistic: Callable[[_Pairs], float]) -> Estimate:
        value = statistic(everything)
        sampled = [statistic(resample) for resample in resamples]
        sampled = [v for v in sampled if not np.isnan(v)]
        if not sampled:
            return Estimate(value, float("nan"), float("nan"))
        low, high = np.percentile(sampled, [2.5, 97.5])
        return Estimate(value, float(low), float(high))

    return RankStatistics(
        n=len(x),
        dropped=int((~usable).sum()),
        top_k=top_k,
        tau=estimate(_tau),
        rho=estimate(_rho),
        tau_top_half=estimate(_tau_top_half),
        regret=estimate(lambda pairs: _regret(pairs, top_k)),
        ndcg=estimate(_ndcg),
    )


def partial_correlation(score: ArrayLike, truth: ArrayLike, controls: Sequence[ArrayLike]) -> float:
    """Spearman correlation of `score` and `truth` once the ranks of `controls` are regressed out of both.

    NaN where the controls explain one of them entirely.
    """
    x, y = rankdata(np.asarray(score, dtype=float)), rankdata(np.asarray(truth, dtype=float))
    design = np.column_stack([np.ones(len(x)), *(rankdata(np.asarray(c, dtype=float)) for c in controls)])
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y)]
    if min(float(np.std(r)) for r in left) < 1e-9 * len(x):
        return float("nan")
    return float(np.corrcoef(left[0], left[1])[0, 1])


class _Pairs:
    """Scores (n,) with their truth (n,); orders and ranks are found once, however many statistics read them."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = x, y

    @cached_property
    def by_score(self) -> np.ndarray:
        """Positions, highest score first; ties as they came."""
        return np.argsort(-self.x, kind="stable")

    @cached_property
    def by_truth(self) -> np.ndarray:
        return np.argsort(-self.y, kind="stable")


def _tau(pairs: _Pairs) -> float:
    if len(pairs.x) > _FEW:
        return float(kendalltau(pairs.x, pairs.y).statistic)
    # All pairs at once: for a few, the checks of the library take ten times as long as the counting.
    x, y = (np.subtract(v[:, None] > v, v[:, None] < v, dtype=np.float32) for v in (pairs.x, pairs.y))
    untied = float(np.vdot(x, x)) * float(np.vdot(y, y))
    return float(np.vdot(x, y)) / untied**0.5 if untied else float("nan")


def _rho(pairs: _Pairs) -> float:
    a, b = _average_ranks(pairs.x, pairs.by_score), _average_ranks(pairs.y, pairs.by_truth)
    a, b = a - a.mean(), b - b.mean()
    spread = float(a @ a) * float(b @ b)
    return float(a @ b) / spread**0.5 if spread else float("nan")


def _average_ranks(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Ranks of `values` (n,), whose sorted `order` is known; ties share the mean of theirs."""
    along = values[order]
    first = np.concatenate([[True], along[1:] != along[:-1]])
    group = np.cumsum(first)
    bounds = np.append(np.flatnonzero(first), len(along))
    ranks = np.empty(len(along))
    ranks[order] = 0.5 * (bounds[group] + bounds[group - 1] + 1)
    return ranks


def _tau_top_half(pairs: _Pairs) -> float:
    top = pairs.y >= np.median(pairs.y)
    return _tau(_Pairs(pairs.x[top], pairs.y[top]))


def _regret(pairs: _Pairs, top_k: int) -> float:
    return float(pairs.y.max() - pairs.y[pairs.by_score[:top_k]].max())


def _ndcg(pairs: _Pairs) -> float:
    best, least = pairs.y[pairs.by_truth[0]], pairs.y[pairs.by_truth[-1]]
    gains = (pairs.y - least) / (best - least) if best > least else np.ones_like(pairs.y)
    discounts = 1 / np.log2(np.arange(2, len(gains) + 2))
    return float(gains[pairs.by_score] @ discounts / (gains[pairs.by_truth] @ discounts))
