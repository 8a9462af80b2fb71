"""Made-up populations of networks with a score and a truth, for tests of what intervals say. Everything is drawn anew.

Each kind has what makes intervals lie: skew, ties, isomorphic copies, a score that fails where it matters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nas_core import bench


@dataclass(frozen=True)
class Set:
    """Scores, truths and networks of rows (n,)."""

    score: np.ndarray
    truth: np.ndarray
    networks: np.ndarray


def _pairs(rng: np.random.Generator, n: int, r: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=n)
    return x, r * x + (1 - r**2) ** 0.5 * rng.normal(size=n)


def normal(rng: np.random.Generator, n: int) -> Set:
    """Score and truth of a correlation of .7."""
    return Set(*_pairs(rng, n), np.arange(n))


def skewed(rng: np.random.Generator, n: int) -> Set:
    """Accuracies: most are good, a few very bad."""
    x, y = _pairs(rng, n)
    return Set(np.exp(x), 95 - 3 * np.exp(-y), np.arange(n))


def long_top(rng: np.random.Generator, n: int) -> Set:
    """A truth whose best are far above all others."""
    x, y = _pairs(rng, n, 0.5)
    return Set(x, np.exp(y), np.arange(n))


def tied(rng: np.random.Generator, n: int) -> Set:
    """A count with six values against results of ten."""
    x, y = _pairs(rng, n)
    return Set(np.clip(np.round(1.5 * x), -3, 2), np.clip(np.round(2 * y), -5, 4), np.arange(n))


def copies(rng: np.random.Generator, n: int) -> Set:
    """Networks of up to fifty isomorphic architectures, trained with seeds of their own; bad ones have more of them."""
    x, y = _pairs(rng, n)
    number = np.minimum(1 + rng.geometric(1 / np.exp(1.5 - 0.7 * y).clip(1, 25)), 50)
    networks = np.repeat(np.arange(n), number)
    rows = rng.permutation(len(networks))
    return Set(x[networks][rows], (y[networks] + 0.3 * rng.normal(size=len(networks)))[rows], networks[rows])


def blind_top(rng: np.random.Generator, n: int) -> Set:
    """A score that tells bad networks from good ones, and among the better half nothing: as zero-cost scores do."""
    y = rng.normal(size=n)
    return Set(np.minimum(y, 0) + 0.3 * rng.normal(size=n), 90 + 2 * y, np.arange(n))


KINDS: dict[str, Callable[[np.random.Generator, int], Set]] = {
    one.__name__: one for one in (normal, skewed, long_top, tied, copies, blind_top)
}


@lru_cache(maxsize=32)
def true_correlations(kind: str, count: str = "networks") -> dict[str, float]:
    """Tau, rho and tau of the top half over very many networks."""
    made = KINDS[kind](np.random.default_rng(99), 20_000)
    found = bench.rank_statistics(made.score, made.truth, networks=made.networks, count=count, bootstrap=0)
    return {name: getattr(found, name).value for name in ("tau", "rho", "tau_top_half")}


@lru_cache(maxsize=64)
def other_outcomes(kind: str, n: int, sets: int) -> dict[str, np.ndarray]:
    """Pick, regrets and nDCG of so many other sets of n networks (sets,)."""
    rng = np.random.default_rng(98)
    names = ("pick", "regret_at_1", "regret", "ndcg")
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(sets):
        made = KINDS[kind](rng, n)
        one = bench.rank_statistics(made.score, made.truth, networks=made.networks, bootstrap=0)
        for name in names:
            found[name].append(getattr(one, name).value)
    return {name: np.array(values) for name, values in found.items()}
