"""A list of numbers as a distribution: the normal scores of its ranks, and back from normal scores to its units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri


def normal_scores(values: ArrayLike) -> np.ndarray:
    """Standard normal quantiles of (rank - 1/2) / n of `values` (n,); ties share a rank, NaN ranks lowest.

    Source: Blom, Statistical Estimates and Transformed Beta-Variables, 1958.
    """
    known = np.asarray(values, dtype=float)
    _, level, counts = np.unique(np.where(np.isnan(known), -np.inf, known), return_inverse=True, return_counts=True)
    return ndtri((np.cumsum(counts) - counts / 2) / max(len(known), 1))[level]


@dataclass(frozen=True)
class Margin:
    """Values in ascending order (n,), their normal scores (n,), and how steeply values go on below and above them."""

    scores: np.ndarray
    values: np.ndarray
    below: float
    above: float

    @classmethod
    def of(cls, values: ArrayLike, *, ends: Sequence[float] = (0.2,)) -> Margin:
        """The margin of `values` (n,), without NaN; beyond its ends it is as steep as over one of the shares `ends` of
        the values, whichever is steepest."""
        ordered = np.sort(np.asarray(values, dtype=float))
        scores, last = normal_scores(ordered), len(ordered) - 1
        reaches = [min(max(round(end * len(ordered)), 1), last) for end in ends]
        below = max((_slope(scores, ordered, 0, reach) for reach in reaches), default=0.0)
        above = max((_slope(scores, ordered, last - reach, last) for reach in reaches), default=0.0)
        return cls(scores, ordered, below, above)

    def at(self, scores: np.ndarray) -> np.ndarray:
        """Values at normal `scores`, of any shape: interpolated, and on a straight line beyond the ends."""
        beyond, short = np.maximum(scores - self.scores[-1], 0), np.minimum(scores - self.scores[0], 0)
        return np.interp(scores, self.scores, self.values) + beyond * self.above + short * self.below


def _slope(scores: np.ndarray, values: np.ndarray, first: int, last: int) -> float:
    run = float(scores[last] - scores[first])
    return float(values[last] - values[first]) / run if run > 0 else 0.0
