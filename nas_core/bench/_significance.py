"""What a difference of two rankings, or the best of a few networks, is worth against chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import kendalltau

from nas_core.bench._rank import Estimate

_MOST = 1000
"""Networks that the error of a difference is estimated from: pairs grow with their square."""
_NORMAL = 1.96


@dataclass(frozen=True)
class RandomBest:
    """The best of some networks drawn at random: its mean `regret`, how far it falls short of the best there is, and
    the `chance` that it falls short by no more than a given regret."""

    regret: float
    chance: float


def tau_difference(score: ArrayLike, other: ArrayLike, truth: ArrayLike, *, seed: int = 0) -> Estimate:
    """Kendall's tau-b of `score` minus that of `other`, both against `truth`, over the same networks.

    The 95 % interval is for paired scores: the variance of tau is four times that of every network's share of pairs in
    the right order, over n (Cliff & Charlin, Multivariate Behavioral Research 26, 1991), here of the difference of
    these shares.

    Args:
        score: values (n,), higher is better; networks with a NaN in any of the three are left out.
        other: values (n,) of the score that it is compared with, higher is better.
        truth: known results (n,), higher is better.
        seed: of the networks that the error is estimated from, where there are more than 1,000.

    Raises:
        ValueError: lengths that differ, or fewer than three networks.
    """
    values = [np.asarray(one, dtype=float) for one in (score, other, truth)]
    if len({one.shape for one in values}) > 1 or values[0].ndim != 1:
        raise ValueError(f"shapes {[one.shape for one in values]}; expected three lists of one length")
    usable = ~np.isnan(sum(values))
    x, z, y = (one[usable] for one in values)
    n = len(y)
    if n < 3:
        raise ValueError(f"{n} networks without NaN; expected at least 3")
    value = float(kendalltau(x, y).statistic - kendalltau(z, y).statistic)
    if n > _MOST:
        drawn = np.random.default_rng(seed).choice(n, _MOST, replace=False)
        x, z, y = x[drawn], z[drawn], y[drawn]
    shares = [_shares(one, y) for one in (x, z)]
    reach = _NORMAL * 2 * float(np.std(shares[0] - shares[1], ddof=1)) / n**0.5
    return Estimate(value, value - reach, value + reach)


def _shares(score: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Pairs of every network in the right order less those in the wrong one (n,); their mean is tau-b."""
    x, y = (np.subtract(one[:, None] > one, one[:, None] < one, dtype=np.int8) for one in (score, truth))
    untied = float(np.count_nonzero(x)) * float(np.count_nonzero(y))
    return (x * y).sum(axis=1, dtype=np.int32) * len(score) / untied**0.5 if untied else np.full(len(score), np.nan)


def random_best(truth: ArrayLike, *, draws: int, regret: float) -> RandomBest:
    """What the best of `draws` different networks is worth that are drawn blindly, exactly.

    Args:
        truth: known results (n,), higher is better, without NaN.
        draws: networks drawn.
        regret: the regret that is compared with, in units of the truth.

    Raises:
        ValueError: more draws than networks, or none.
    """
    known = np.sort(np.asarray(truth, dtype=float))
    n = len(known)
    if not 1 <= draws <= n:
        raise ValueError(f"draws is {draws}; expected 1 to {n}")
    rank = np.arange(draws, n + 1)  # the best drawn is the rank-th from below: C(rank - 1, draws - 1) of C(n, draws)
    chances = np.exp(_log_choose(rank - 1, draws - 1) - _log_choose(np.array(n), draws))
    short = known[-1] - known[rank - 1]
    return RandomBest(float(chances @ short), float(min(chances[short <= regret + 1e-12].sum(), 1.0)))


def _log_choose(n: np.ndarray, k: int) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
