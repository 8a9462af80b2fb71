"""What comes of training the networks that a score likes best: regret and nDCG, the same whatever the order of rows.

Where scores are tied, chance picks among them: values here are expectations over all ways to break the ties.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from nas_core.bench._agreement import Levels

CUT = 100
"""Networks from the top of a ranking that nDCG looks at."""
DOUBLINGS = 10
"""A network is worth twice as much as one that this part of the ranking (a tenth) lies below it."""


def chances_of_best(n: int, draws: int) -> np.ndarray:
    """Chance that the best of `draws` of n different networks, drawn blindly, is the j-th from below, j from `draws` to
    n: C(j - 1, draws - 1) of C(n, draws)."""
    below = np.arange(draws, n + 1) - 1
    return np.exp(_log_choose(below, draws - 1) - _log_choose(np.array(n), draws))


def best_of_top(score: np.ndarray, truth: np.ndarray, top: int) -> float:
    """The best truth among the `top` highest scores, both (n,)."""
    if top >= len(score):
        return float(truth.max())
    last = np.partition(score, -top)[-top]
    sure, tied = truth[score > last], np.sort(truth[score == last])
    draws = top - len(sure)
    best = np.maximum(tied[draws - 1 :], sure.max(initial=-np.inf))
    return float(chances_of_best(len(tied), draws) @ best)


def gains(shares: np.ndarray) -> np.ndarray:
    """What networks are worth whose truth lies above these `shares` of all: 2^(10 share) - 1, any shape.

    Exponential gains are those of Burges et al., Learning to rank using gradient descent, ICML 2005, with the rank in
    the place of a grade.
    """
    return np.exp2(DOUBLINGS * shares) - 1


def discounts(n: int) -> np.ndarray:
    """Weights of the first places of a ranking of n, `CUT` at most: 1 / log2(1 + place).

    Source: Järvelin & Kekäläinen, ACM Transactions on Information Systems 20, 2002.
    """
    return 1 / np.log2(np.arange(2, min(n, CUT) + 2))


def ndcg(score: Levels, truth: Levels) -> float:
    """Discounted gains of the 100 highest scores over those of the 100 best networks: 1 is the best order, and over
    many networks chance gives about .15.

    Tied networks share their mean gain (McSherry & Najork, ECIR 2008).
    """
    worth, weights = gains((truth.below + truth.tied / 2) / len(truth)), discounts(len(truth))
    shared = np.repeat(np.bincount(score.level, worth) / score.counts, score.counts)[: -len(weights) - 1 : -1]
    ideal = np.sort(worth)[: -len(weights) - 1 : -1]
    return float(min(shared @ weights / (ideal @ weights), 1.0))


def _log_choose(n: np.ndarray, k: int) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
