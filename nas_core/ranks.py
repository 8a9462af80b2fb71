"""Ranks and rank correlations of scipy, whose statistics take a second to import: not before the first is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def rankdata(values: ArrayLike) -> np.ndarray:
    """Ranks (n,) of `values` (n,) from 1; equal values share the mean of theirs."""
    from scipy import stats

    return np.asarray(stats.rankdata(values))


def tau_b(one: ArrayLike, other: ArrayLike) -> float:
    """Kendall's tau-b of two lists (n,); NaN where one is constant."""
    from scipy import stats

    return float(stats.kendalltau(one, other).statistic)


def spearman(one: ArrayLike, other: ArrayLike) -> float:
    """Spearman's rank correlation of two lists (n,); NaN where one is constant."""
    from scipy import stats

    return float(stats.spearmanr(one, other).statistic)
