"""Did steering help? A steered run against its unsteered twin: same seed, same budget, no acts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nas_core.bench._rank import Estimate

BEST = 10


@dataclass(frozen=True)
class TwinComparison:
    """What steering gained, in units of the value compared.

    `steered` and `unsteered` are the means of the `best` highest values of either run after `n` evaluations;
    `difference` steered minus unsteered with a 95 % bootstrap interval over the candidates of both runs (it says
    nothing of other seeds); `reached` the evaluations after which the steered run's mean was as high as the unsteered
    one's at the end, None where it never was.
    """

    n: int
    best: int
    steered: float
    unsteered: float
    difference: Estimate
    reached: int | None


def compare_twins(
    steered: ArrayLike, unsteered: ArrayLike, *, best: int = BEST, bootstrap: int = 1000, seed: int = 0
) -> TwinComparison:
    """Hold two runs against each other by their values in the order of evaluation, higher is better, NaN none.

    The longer run is cut to the length of the shorter.

    Raises:
        ValueError: fewer than `best` values in one of them.
    """
    one, other = (np.asarray(values, dtype=float) for values in (steered, unsteered))
    n = min(len(one), len(other))
    one, other = (np.where(np.isnan(values), -np.inf, values)[:n] for values in (one, other))
    usable = min(int(np.isfinite(one).sum()), int(np.isfinite(other).sum()))
    if usable < best:
        raise ValueError(f"{usable} values in one of the runs; expected at least {best} in both")
    goal = _best_mean(other, best)
    rng = np.random.default_rng(seed)
    draws = [
        _best_mean(one[rng.integers(n, size=n)], best) - _best_mean(other[rng.integers(n, size=n)], best)
        for _ in range(bootstrap)
    ]
    draws = [draw for draw in draws if np.isfinite(draw)]
    low, high = np.percentile(draws, [2.5, 97.5]) if draws else (np.nan, np.nan)
    reached = next((k for k in range(best, n + 1) if _best_mean(one[:k], best) >= goal), None)
    found = _best_mean(one, best)
    return TwinComparison(n, best, found, goal, Estimate(found - goal, float(low), float(high)), reached)


def _best_mean(values: np.ndarray, best: int) -> float:
    return float(np.partition(values, len(values) - best)[len(values) - best :].mean())
