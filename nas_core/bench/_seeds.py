"""What seeds add to an interval: of the score, of labels drawn at random, of pairs of runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from nas_core.bench._agreement import Estimate


def widened(estimate: Estimate, by_seed: Sequence[float], bounds: tuple[float, float] = (-np.inf, np.inf)) -> Estimate:
    """The interval of a statistic of a score averaged over seeds, with what other seeds would give.

    The reach over networks and that of the mean over seeds, by Student's t, add in squares: in simulations that holds
    with two seeds too, where degrees of freedom by Welch and Satterthwaite held .88 of the time. Nothing is added where
    there are no two seeds.

    Args:
        estimate: the statistic of the averaged score, with its interval over networks.
        by_seed: the statistic of the score of every seed alone.
        bounds: the least and greatest value that the statistic can have.
    """
    known = np.asarray(by_seed, dtype=float)
    known = known[np.isfinite(known)]
    half = (estimate.high - estimate.low) / 2
    if len(known) < 2 or not np.isfinite(half):
        return estimate
    over_seeds = mean_over_seeds(known.tolist())
    reach = float(np.hypot(half, over_seeds.high - over_seeds.value))
    below, above = estimate.value - estimate.low, estimate.high - estimate.value
    low, high = (estimate.value - reach, estimate.value + reach)
    if half:
        low, high = estimate.value - below * reach / half, estimate.value + above * reach / half
    return Estimate(estimate.value, max(low, bounds[0]), min(high, bounds[1]))


def mean_over_seeds(values: Sequence[float]) -> Estimate:
    """The mean over seeds with its 95 % interval by Student's t; NaN bounds for a single seed.

    Raises:
        ValueError: no value.
    """
    known = np.asarray(values, dtype=float)
    if not len(known):
        raise ValueError("no value of any seed; expected at least one")
    mean = float(known.mean())
    if len(known) < 2:
        return Estimate(mean, np.nan, np.nan)
    reach = float(stdtrit(len(known) - 1, 0.975)) * float(known.std(ddof=1)) / len(known) ** 0.5
    return Estimate(mean, mean - reach, mean + reach)


def one_of_many(draws: Sequence[Estimate], bounds: tuple[float, float] = (-np.inf, np.inf)) -> Estimate:
    """What a single draw gives, on other networks too: the median of the `draws` with a 95 % interval.

    Its reach is that of the middle 95 % of their values and the mean one of their own intervals, added in squares; a
    draw without an interval counts as exact.

    Raises:
        ValueError: no draw.
    """
    if not draws:
        raise ValueError("no draw; expected at least one")
    low, middle, high = np.nanpercentile([one.value for one in draws], [2.5, 50, 97.5])
    below = np.mean([np.nan_to_num(one.value - one.low) for one in draws])
    above = np.mean([np.nan_to_num(one.high - one.value) for one in draws])
    reach = np.hypot([middle - low, high - middle], [below, above])
    return Estimate(float(middle), float(max(middle - reach[0], bounds[0])), float(min(middle + reach[1], bounds[1])))
