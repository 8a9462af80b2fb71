"""How well a score ranks: tau-b, rho, the top half, regret, pick and nDCG, each with an interval, over networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from nas_core.bench._agreement import Estimate, Levels, Measured, interval, kendall, spearman
from nas_core.bench._networks import distinct
from nas_core.bench._other_sets import other_sets
from nas_core.bench._picks import best_of_top, ndcg
from nas_core.bench._seeds import widened
from nas_core.ranks import rankdata

Count = Literal["networks", "architectures"]
"""What is counted once: a distinct network, or every architecture, as most publications do."""
BOUNDS = {
    "tau": (-1.0, 1.0),
    "rho": (-1.0, 1.0),
    "tau_top_half": (-1.0, 1.0),
    "regret_at_1": (0.0, np.inf),
    "regret": (0.0, np.inf),
    "ndcg": (0.0, 1.0),
    "pick": (-np.inf, np.inf),
}
"""The statistics by name, with the least and the greatest value that each can have."""


_MIDDLE = 99
"""Percent of the sets drawn that an interval holds. Drawn from few rows, sets differ too little from each other: the
middle 95 % of them held .68 to .98 of the outcomes of truly other sets in simulations."""


@dataclass(frozen=True)
class RankStatistics:
    """Agreement of a score with the truth over `n` distinct networks, from `rows` architectures; `dropped` rows had a
    NaN.

    `tau` Kendall's tau-b; `rho` Spearman; `tau_top_half` tau-b among the truly better half. `pick` the truth of the
    highest score, `regret_at_1` what the best network has more, `regret` the same for the best of the `top_k` highest
    scores; in units of the truth. `ndcg` compares the 100 highest scores with the 100 best networks.

    Intervals hold 95 %: of tau and rho for all networks of the kind that these were drawn from; of `pick`, the regrets
    and nDCG for another set of `n` of them.
    """

    n: int
    rows: int
    dropped: int
    top_k: int
    tau: Estimate
    rho: Estimate
    tau_top_half: Estimate
    pick: Estimate
    regret_at_1: Estimate
    regret: Estimate
    ndcg: Estimate

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self)


def rank_statistics(
    score: ArrayLike,
    truth: ArrayLike,
    *,
    networks: ArrayLike | None = None,
    by_seed: Sequence[ArrayLike] = (),
    count: Count = "networks",
    bootstrap: int = 200,
    seed: int = 0,
    top_k: int = 10,
) -> RankStatistics:
    """Hold `score` (n,) against `truth` (n,), both higher is better. The order of rows makes no difference.

    Args:
        score: values (n,).
        truth: known results (n,).
        networks: a number or name (n,) of every row's network; rows of one network are one observation, with their
            mean score and truth. None where every row is another network.
        by_seed: where `score` is a mean over seeds, the scores (n,) of every seed alone. Intervals then hold what as
            many other seeds would give, see `widened`.
        count: "architectures" lets every row count in tau and rho, as publications do. Intervals then still take the
            rows of a network for one observation; picks are of networks.
        bootstrap: sets drawn for the intervals of pick, regret and nDCG; 0 for no intervals at all.
        seed: of these sets.
        top_k: highest scores of which `regret` takes the best.

    Raises:
        ValueError: lengths that differ, fewer than three networks without NaN, a `count` or `top_k` there is not.
    """
    x, y = np.asarray(score, dtype=float), np.asarray(truth, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"score has shape {x.shape} and truth {y.shape}; expected two lists of one length")
    if count not in get_args(Count):
        raise ValueError(f"count is {count!r}; expected one of: {', '.join(get_args(Count))}")
    if top_k < 1:
        raise ValueError(f"top_k is {top_k}; expected at least 1")
    names = np.arange(len(x)) if networks is None else np.asarray(networks)
    if names.shape != x.shape:
        raise ValueError(f"networks has shape {names.shape} and score {x.shape}; expected a network for every row")
    usable = ~(np.isnan(x) | np.isnan(y))
    rows_x, rows_y, names = x[usable], y[usable], names[usable]
    x, y = distinct(names, rows_x, rows_y)
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    if len(x) < 3:
        what = "pairs of score and truth" if networks is None else "distinct networks with score and truth,"
        raise ValueError(f"{len(x)} {what} without NaN; expected at least 3")
    levels = Levels(x), Levels(y)
    if count == "networks":
        correlations = _correlations(x, y, levels, None, bootstrap > 0)
    else:
        groups = np.unique(names, return_inverse=True)[1]
        correlations = _correlations(rows_x, rows_y, (Levels(rows_x), Levels(rows_y)), groups, bootstrap > 0)
    found = RankStatistics(
        n=len(x),
        rows=len(rows_x),
        dropped=int((~usable).sum()),
        top_k=top_k,
        **correlations,
        **_outcomes(x, y, levels, correlations["tau"].value, top_k, bootstrap, seed),
    )
    if len(by_seed) < 2 or not bootstrap:
        return found
    alone = [rank_statistics(one, truth, networks=networks, count=count, bootstrap=0, top_k=top_k) for one in by_seed]
    wider: dict[str, Any] = {
        name: widened(getattr(found, name), [getattr(one, name).value for one in alone], bounds)
        for name, bounds in BOUNDS.items()
    }
    return replace(found, **wider)


def partial_correlation(score: ArrayLike, truth: ArrayLike, controls: Sequence[ArrayLike]) -> float:
    """Spearman correlation of `score` and `truth` once the ranks of `controls` are regressed out of both.

    NaN where the controls explain one of them entirely.
    """
    x, y = rankdata(np.asarray(score, dtype=float)), rankdata(np.asarray(truth, dtype=float))
    design = np.column_stack([np.ones(len(x)), *(rankdata(np.asarray(c, dtype=float)) for c in controls)])
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y)]
    if min(float(np.std(r)) for r in left) < 1e-9 * len(x):
        return float("nan")
    return float(np.corrcoef(left[0], left[1])[0, 1])


def _correlations(
    x: np.ndarray, y: np.ndarray, levels: tuple[Levels, Levels], groups: np.ndarray | None, bounded: bool
) -> dict[str, Estimate]:
    top = y >= np.median(y)
    of_top = None if groups is None else np.unique(groups[top], return_inverse=True)[1]
    found: dict[str, tuple[Measured, np.ndarray | None]] = {
        "tau": (kendall(*levels), groups),
        "rho": (spearman(*levels), groups),
        "tau_top_half": (kendall(Levels(x[top]), Levels(y[top])), of_top),
    }
    if bounded:
        return {name: interval(*one) for name, one in found.items()}
    return {name: Estimate(one.value, np.nan, np.nan) for name, (one, _) in found.items()}


def _outcomes(
    x: np.ndarray, y: np.ndarray, levels: tuple[Levels, Levels], tau: float, top_k: int, draws: int, seed: int
) -> dict[str, Estimate]:
    best, first = float(y.max()), best_of_top(x, y, 1)
    values = {
        "pick": first,
        "regret_at_1": _short(best, first),
        "regret": _short(best, best_of_top(x, y, top_k)),
        "ndcg": ndcg(*levels),
    }
    if not draws:
        return {name: Estimate(value, np.nan, np.nan) for name, value in values.items()}
    sets = other_sets(x, y, tau=tau, top=top_k, draws=draws, rng=np.random.default_rng(seed))
    drawn = {
        "pick": sets.first,
        "regret_at_1": np.maximum(sets.best - sets.first, 0),
        "regret": np.maximum(sets.best - sets.top, 0),
        "ndcg": sets.ndcg,
    }
    return {name: _holding(value, drawn[name]) for name, value in values.items()}


def _short(best: float, found: float) -> float:
    """How far `found` falls short of the best; nothing where the two differ by the rounding of a mean over ties."""
    return 0.0 if np.isclose(found, best, rtol=1e-12, atol=0) else max(best - found, 0.0)


def _holding(value: float, drawn: np.ndarray) -> Estimate:
    """The middle of what was drawn, stretched to the value and to the mean where these lie beyond: where ten of twenty
    are picked, a regret is rare, and its mean above nearly all outcomes."""
    low, high = (float(bound) for bound in np.percentile(drawn, [50 - _MIDDLE / 2, 50 + _MIDDLE / 2]))
    mean = float(drawn.mean())
    return Estimate(value, min(low, value, mean), max(high, value, mean))
