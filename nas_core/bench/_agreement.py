"""Kendall's tau-b and Spearman's rho with the influence of every row, and the interval that follows from it.

Everything takes O(n log n): intervals over a whole space are there as soon as the value is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

_CHUNK = 64
"""Rows that are compared with each other directly before sorted halves are merged."""
_FEWEST = 5
"""Observations below which an interval says nothing."""


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval; NaN bounds where none was asked for, or the statistic is undefined."""

    value: float
    low: float
    high: float


class Levels:
    """Values (n,) by their order alone: `level` counts distinct values from 0, `tied` rows of the same value (itself
    included), `below` rows of a lower one."""

    def __init__(self, values: np.ndarray) -> None:
        _, self.level, self.counts = np.unique(values, return_inverse=True, return_counts=True)
        self.tied = self.counts[self.level]
        self.below = (np.cumsum(self.counts) - self.counts)[self.level]

    def __len__(self) -> int:
        return len(self.level)


@dataclass(frozen=True)
class Measured:
    """A correlation and the influence of every row on it (n,): the statistic is about its value plus the mean influence
    of the rows drawn. Influences have mean 0."""

    value: float
    influence: np.ndarray


def kendall(x: Levels, y: Levels) -> Measured:
    """Tau-b: pairs in the right order less those in the wrong one, over the geometric mean of pairs untied in either.

    NaN where all rows are tied. Influence: that of a ratio of U-statistics (Hoeffding, Annals of Mathematical
    Statistics 19, 1948; for tau Cliff & Charlin, Multivariate Behavioral Research 26, 1991).
    """
    n = len(x)
    agreed, apart_x, apart_y = _concordance(x, y).astype(float), n - x.tied, n - y.tied
    mean, mean_x, mean_y = agreed.mean(), apart_x.mean(), apart_y.mean()
    if not mean_x or not mean_y:
        return Measured(math.nan, np.full(n, np.nan))
    scale = 1 / math.sqrt(mean_x * mean_y)
    value = float(mean * scale)
    influence = 2 * scale * (agreed - mean) - value * ((apart_x / mean_x - 1) + (apart_y / mean_y - 1))
    return Measured(value, influence)


def spearman(x: Levels, y: Levels) -> Measured:
    """Rho: the correlation of average ranks; NaN where all rows are tied.

    Influence: a row counts itself, and moves the ranks of all others.
    """
    n = len(x)
    a, b = ((one.below + 0.5 * one.tied) / n - 0.5 for one in (x, y))
    together, spread_a, spread_b = float(a @ b) / n, float(a @ a) / n, float(b @ b) / n
    if not spread_a or not spread_b:
        return Measured(math.nan, np.full(n, np.nan))
    moved = a * b + _mean_above(x, b) + _mean_above(y, a) - 3 * together
    moved_a = a * a + 2 * _mean_above(x, a) - 3 * spread_a
    moved_b = b * b + 2 * _mean_above(y, b) - 3 * spread_b
    scale = 1 / math.sqrt(spread_a * spread_b)
    value = together * scale
    return Measured(value, moved * scale - 0.5 * value * (moved_a / spread_a + moved_b / spread_b))


def interval(found: Measured, groups: np.ndarray | None = None) -> Estimate:
    """The value with its 95 % interval by Fisher's transformation, of rows or, with `groups` (n,), of groups of rows.

    Rows of one group are one observation: their influences are summed (Liang & Zeger, Biometrika 73, 1986). A perfect
    correlation has no spread to estimate from; it has that of a normal sample whose correlation is one pair short of
    perfect, .437 / (n - 4) (Fieller, Hartley & Pearson, Biometrika 44, 1957). Of fewer than five observations nothing
    is known: -1 to 1.
    """
    value, influence = found.value, found.influence
    if math.isnan(value):
        return Estimate(value, math.nan, math.nan)
    n = len(influence)
    if groups is not None:
        influence = np.bincount(groups, influence)
    count = len(influence)
    if count < _FEWEST:
        return Estimate(value, -1.0, 1.0)
    error = math.sqrt(count / (count - 1) * float(influence @ influence)) / n
    most = 1 - 2 / (count * (count - 1))
    inside = min(max(value, -most), most)
    error = error / (1 - inside**2) if abs(value) < most else max(error, math.sqrt(0.437 / max(count - 4, 1)))
    reach = float(stdtrit(count - 1, 0.975)) * error
    low, high = (math.tanh(math.atanh(inside) + way * reach) for way in (-1, 1))
    return Estimate(value, min(low, value), max(high, value))


def _mean_above(x: Levels, values: np.ndarray) -> np.ndarray:
    """For every row the sum of `values` over rows of a higher x, and half of it over its ties, over n."""
    sums = np.bincount(x.level, values)
    above = sums.sum() - np.cumsum(sums)
    return (above + 0.5 * sums)[x.level] / len(x)


def _concordance(x: Levels, y: Levels) -> np.ndarray:
    """For every row the number of others that it is in the right order with, less those in the wrong one."""
    n = len(x)
    tied_x_below_y, tied_y_below_x, same = _tied_and_below(x, y), _tied_and_below(y, x), _same(x, y)
    both_below = _both_below(x.level, y.level)
    x_below = x.below - both_below - tied_y_below_x  # and y above
    y_below = y.below - both_below - tied_x_below_y
    x_above_y_tied = y.tied - same - tied_y_below_x
    both_above = (n - x.below - x.tied) - y_below - x_above_y_tied
    return both_below + both_above - x_below - y_below


def _tied_and_below(x: Levels, y: Levels) -> np.ndarray:
    """Rows of the same x and a lower y."""
    if len(x.counts) == len(x):
        return np.zeros(len(x), dtype=int)
    _, place, counts = np.unique(x.level * len(y.counts) + y.level, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - counts)[place] - x.below


def _same(x: Levels, y: Levels) -> np.ndarray:
    """Rows of the same x and the same y, the row itself included."""
    if len(x) in (len(x.counts), len(y.counts)):
        return np.ones(len(x), dtype=int)
    _, place, counts = np.unique(x.level * len(y.counts) + y.level, return_inverse=True, return_counts=True)
    return counts[place]


def _both_below(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rows of a lower x and a lower y; both are levels."""
    order = np.lexsort((-y, x))  # within a level of x from above, so that none of it counts as below
    found = np.empty(len(x), dtype=int)
    found[order] = _smaller_before(y[order])
    return found


def _smaller_before(levels: np.ndarray) -> np.ndarray:
    """For every element the number of smaller ones before it: chunks at once, then by merging sorted halves."""
    n = len(levels)
    size = 1 << max(n - 1, 1).bit_length()
    bits, mask = size.bit_length() - 1, size - 1
    keys = (np.append(levels, np.full(size - n, n)).astype(np.int64) << bits) | np.arange(size)
    width = min(_CHUNK, size)
    chunks = keys.reshape(-1, width) >> bits
    before = np.tri(width, k=-1, dtype=bool)
    found = np.count_nonzero((chunks[:, None, :] < chunks[:, :, None]) & before, axis=2).ravel()
    keys = np.sort(keys.reshape(-1, width), axis=1)
    while width < size:
        halves = keys.reshape(-1, 2, width)
        shift = (np.arange(len(halves), dtype=np.int64) * ((n + 1) << bits))[:, None]
        left, right = halves[:, 0], halves[:, 1]
        places = np.searchsorted((left + shift).ravel(), ((right >> bits << bits) + shift).ravel())
        found[(right & mask).ravel()] += places - np.repeat(np.arange(len(halves)) * width, width)
        keys = np.sort(keys.reshape(-1, 2 * width), axis=1, kind="stable")
        width *= 2
    return found[:n]
