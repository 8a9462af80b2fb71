"""What a score would do on other sets of as many networks of the same kind: the intervals of regret and nDCG.

The best few of a set tell little of themselves: resampling the same rows draws the same best again and again. So rows
are drawn with a little noise, between the two ways of knowing nothing of the tops: the rows alone, and a smooth law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from nas_core.bench._picks import discounts, gains
from nas_core.predict import Margin, normal_scores

_ROWS = 300
"""Rows from the top of score and of truth that can be among the best of another set, of many."""
_DOUBTFUL, _ALL_NOISE = 0.1, 30.0
"""Share of the sets that doubt the rows, and a noise that leaves nothing of them."""
_BEST = 100
"""Places from the top whose share of the law is drawn one by one."""
_ENDS = (0.2, 0.05, 0.01)
"""Shares of the truths, the best and the worst, that say how the law of the truth goes on beyond them."""
_NOISE = 1.0
"""Noise of a row, in normal scores, over n^(-1/6): the rule of Scott (1992) for two dimensions."""


@dataclass(frozen=True)
class OtherSets:
    """Outcomes (draws,) on other sets: the truth of the `best` network, of the `first` pick, of the best of the `top`
    picks, all in units of the truth, and the nDCG."""

    best: np.ndarray
    first: np.ndarray
    top: np.ndarray
    ndcg: np.ndarray


def other_sets(
    score: np.ndarray, truth: np.ndarray, *, tau: float, top: int, draws: int, rng: np.random.Generator
) -> OtherSets:
    """Draw sets of n networks like those with `score` and `truth` (n,), whose correlation is `tau`.

    Twice with replacement, which carries what n rows leave open of the law and what another set adds by chance; each
    row is moved by normal noise in normal scores, correlated as the rows are: a smoothed bootstrap (Silverman & Young,
    Biometrika 74, 1987) that many rows take to the rows themselves, and few to a binormal copula with r = sin(pi tau /
    2). Unless there are many rows, a tenth of the sets is from a binormal copula alone, three standard errors of half
    the rows below that r, but not below zero: twenty rows do not show how often the best is missed by a score that
    tells bad networks from good ones, and good ones not from each other. Normal scores become truths by the margin of
    the truth, drawn anew too. Tied scores stay tied, and chance picks among them.
    """
    n = len(score)
    u, v = normal_scores(score), normal_scores(truth)
    rows = _near_the_top(u, v, max(_ROWS, 10 * top))
    size = len(rows)
    drawn = np.take_along_axis(rng.integers(size, size=(draws, size)), rng.integers(size, size=(draws, size)), axis=1)
    at = np.arctanh(np.clip(np.sin(np.pi * np.nan_to_num(tau) / 2), -0.995, 0.995))
    r = np.tanh(at + _error(n) * rng.standard_normal((draws, 1)))
    width = np.full((draws, 1), _NOISE * n ** (-1 / 6))
    doubtful = round(_DOUBTFUL * draws) if size == n else 0
    r[:doubtful], width[:doubtful] = np.tanh(max(at - 3 * _error(n / 2), min(at, 0))), _ALL_NOISE
    noise = rng.standard_normal((2, draws, size))
    shrink = (1 + width**2) ** -0.5
    scores = shrink * (u[rows][drawn] + width * noise[0])
    truths = shrink * (v[rows][drawn] + width * (r * noise[0] + (1 - r**2) ** 0.5 * noise[1]))
    levels = np.unique(u)
    if len(levels) < n:
        upper = np.append((levels[1:] + levels[:-1]) / 2, np.inf)
        scores = np.searchsorted(upper, scores) + rng.random(scores.shape)
    best, first, picked, reached = _outcomes(scores, truths, top, n)
    places = -ndtri(_redrawn(ndtr(-np.stack([best, first, picked])), n, rng))
    margin = Margin.of(truth, ends=_ENDS)
    places += np.maximum(places - margin.scores[-1], 0) ** 2  # the best of some laws lie ever further apart
    best, first, picked = margin.at(places)
    return OtherSets(best, first, picked, reached)


def _error(n: float) -> float:
    """Standard error of the inverse hyperbolic tangent of r = sin(pi tau / 2) from n pairs."""
    return float(1.1 / max(n - 3, 1) ** 0.5)


def _outcomes(scores: np.ndarray, truths: np.ndarray, top: int, n: int) -> tuple[np.ndarray, ...]:
    """By set: the best truth, that of the first pick and the best of the picks, as normal scores; and the nDCG."""
    weights = discounts(n)
    seen = max(min(top, n), len(weights))
    picks = np.argpartition(-scores, seen - 1, axis=1)[:, :seen] if seen < scores.shape[1] else None
    picks = np.broadcast_to(np.arange(scores.shape[1]), scores.shape) if picks is None else picks
    order = np.argsort(-np.take_along_axis(scores, picks, axis=1), axis=1)
    found = np.take_along_axis(truths, np.take_along_axis(picks, order, axis=1), axis=1)
    ideal = -np.sort(np.partition(-truths, len(weights) - 1, axis=1)[:, : len(weights)], axis=1)
    reached = gains(ndtr(found[:, : len(weights)])) @ weights / (gains(ndtr(ideal)) @ weights)
    return truths.max(axis=1), found[:, 0], found[:, :top].max(axis=1), reached


def _redrawn(shares: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Where in the law of the truth these `shares` from the top of n known truths may truly stand, (outcomes, draws).

    The j-th best of n stands at a uniform order statistic: sums of exponential numbers over that of n + 1 (Rényi, Acta
    Mathematica Hungarica 4, 1953). Beyond the best hundred they are taken to lie evenly.
    """
    draws, known = shares.shape[1], min(n, _BEST)
    steps = rng.standard_exponential((draws, known)).cumsum(axis=1)
    truly = steps / (steps[:, -1:] + rng.standard_gamma(n + 1 - known, (draws, 1)))
    truly = np.concatenate([np.zeros((draws, 1)), truly, np.ones((draws, 1))], axis=1)
    places = np.concatenate([[0.0], (np.arange(known) + 0.5) / n, [1.0]])
    at = np.clip(np.searchsorted(places, shares) - 1, 0, known)
    part = (shares - places[at]) / (places[at + 1] - places[at])
    low, high = truly[np.arange(draws), at], truly[np.arange(draws), at + 1]
    return np.clip(low + part * (high - low), 1e-9, 1 - 1e-9)


def _near_the_top(u: np.ndarray, v: np.ndarray, most: int) -> np.ndarray:
    """Rows that are among the `most` highest of u or of v; all, where there are not many more."""
    if len(u) <= 2 * most:
        return np.arange(len(u))
    return np.union1d(np.argpartition(-u, most)[:most], np.argpartition(-v, most)[:most])
