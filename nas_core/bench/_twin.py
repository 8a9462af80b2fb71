"""Did steering help? A steered run against its unsteered twin: same seed, same budget, no acts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nas_core.bench._agreement import Estimate

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
    draws = _resampled(one, best, bootstrap, rng) - _resampled(other, best, bootstrap, rng)
    draws = draws[np.isfinite(draws)]
    low, high = np.percentile(draws, [2.5, 97.5]) if len(draws) else (np.nan, np.nan)
    reached = next((k for k in range(best, n + 1) if _best_mean(one[:k], best) >= goal), None)
    found = _best_mean(one, best)
    return TwinComparison(n, best, found, goal, Estimate(found - goal, float(low), float(high)), reached)


def _resampled(values: np.ndarray, best: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Means of the `best` highest of as many values drawn with replacement (draws,), without drawing the rest.

    The highest of n uniform numbers are sums of exponential ones over the sum of n + 1 of these (Rényi, Acta
    Mathematica Hungarica 4, 1953); between two values it is interpolated.
    """
    n = len(values)
    steps = rng.standard_exponential((draws, best)).cumsum(axis=1)
    shares = steps / (steps[:, -1:] + rng.standard_gamma(n + 1 - best, (draws, 1)))
    return np.interp(n * shares - 0.5, np.arange(n), np.sort(values)[::-1]).mean(axis=1)


def _best_mean(values: np.ndarray, best: int) -> float:
    return float(np.partition(values, len(values) - best)[len(values) - best :].mean())
