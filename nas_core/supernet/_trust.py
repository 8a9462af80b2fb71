"""How far a one-shot score is to be trusted, measured, and what it adds to other scores. Torch-free."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from nas_core import bench, predict
from nas_core.bench import Estimate
from nas_core.ranks import tau_b

_BAGS = 20
_UNITS = 10
_LEAST_GAIN = 0.005
"""Tau that another unit must add; less is what chance adds."""


@dataclass(frozen=True)
class Trust:
    """What a score is worth over `n` distinct networks whose truth is known, with 95 % intervals.

    `tau` Kendall's tau-b, `tau_top_half` among the truly better half; `pick` the truth of the highest score and
    `regret` what the best of these networks has more, both in units of the truth. Intervals are those of
    `nas_core.bench.RankStatistics`: over networks, not over seeds of the training.
    """

    n: int
    tau: Estimate
    tau_top_half: Estimate
    pick: Estimate
    regret: Estimate

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self)


def trust(
    score: Sequence[float] | np.ndarray,
    truth: Sequence[float] | np.ndarray,
    *,
    networks: Sequence[Hashable] | None = None,
    bootstrap: int = 200,
) -> Trust:
    """Hold `score` (n,) against `truth` (n,), both higher is better; rows of one of the `networks` (n,) count once.

    Raises:
        ValueError: lengths that differ, or fewer than three networks without NaN.
    """
    numbers = None if networks is None else bench.numbered(networks)
    found = bench.rank_statistics(score, truth, networks=numbers, bootstrap=bootstrap, top_k=1)
    return Trust(found.n, found.tau, found.tau_top_half, found.pick, found.regret)


def trust_weights(scores: pd.DataFrame, truth: Sequence[float] | np.ndarray) -> dict[str, float]:
    """Weights of `scores` (n, scores; higher is better) in a log-rank sum, from architectures whose `truth` is known.

    Over each of `_BAGS` bootstrap resamples: begin with the score of the highest tau and add, one unit at a time,
    whichever raises the tau of the sum most, as long as it does so by .005. The weights are the mean shares, so that
    no chance of a few architectures decides; they sum to 1. No promise: over 24 draws of 100 NAS-Bench-201 cells with
    the closed forms and simulated one-shot scores, the sum was .026 of tau above its best part on 500 other cells in
    the mean, and below it by more than .01 once (.033, where the one-shot scores were pure noise). Source: Caruana et
    al., ensemble selection from libraries of models, ICML 2004.

    Raises:
        ValueError: no score, or fewer than three architectures.
    """
    target = np.asarray(truth, dtype=float)
    names = [str(name) for name in scores]
    if not names or len(scores) != len(target) or len(target) < 3:
        raise ValueError(
            f"{len(names)} scores of {len(scores)} architectures and {len(target)} truths; "
            "expected at least one score, and as many truths as architectures, at least 3"
        )
    rng = np.random.default_rng(0)
    total = dict.fromkeys(names, 0.0)
    for _ in range(_BAGS):
        draw = rng.integers(len(target), size=len(target))
        units = _selected(scores.iloc[draw], target[draw])
        for name, unit in units.items():
            total[name] += unit / sum(units.values()) / _BAGS
    return total


def _selected(scores: pd.DataFrame, truth: np.ndarray) -> dict[str, float]:
    """Units of each score after greedy selection with replacement."""
    units = {str(name): 0.0 for name in scores}
    reached = -np.inf
    for _ in range(_UNITS):
        taus = {name: _tau(scores, {**units, name: units[name] + 1}, truth) for name in units}
        best = max(units, key=lambda name: taus[name])
        if taus[best] < reached + _LEAST_GAIN:
            break
        units[best] += 1
        reached = taus[best]
    return units


def _tau(scores: pd.DataFrame, weights: dict[str, float], truth: np.ndarray) -> float:
    tau = tau_b(predict.log_rank_sum(scores, weights), truth)
    return tau if np.isfinite(tau) else -1.0  # a constant score tells nothing
