"""One ranking out of many scores, without any label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from nas_core.ranks import rankdata

LEAST_AGREEMENT = 0.4
"""Chosen on NAS-Bench-201: of the 127 sets of eight scores with the live parameters in them, the log-rank sum is then
more than .01 of tau below its best part for one set on CIFAR-10 (by .015) and none on CIFAR-100 and ImageNet16-120;
without it for one on CIFAR-10 and one on CIFAR-100 (by .037)."""


def log_rank_sum(
    scores: pd.DataFrame, weights: Mapping[str, float] | None = None, lower_is_better: tuple[str, ...] = ()
) -> np.ndarray:
    """`sum_j w_j log(rank_j / n)`, rank n the best: an architecture must be good by every score.

    `scores` (n, scores), one row an architecture; NaN ranks below every number. Weights are 1 where none is given.
    Higher is better. Source: Lee & Ham, AZ-NAS, CVPR 2024, equation 10.

    Raises:
        ValueError: no score, or a weight that is unknown, negative or no number, or none above zero.
    """
    return _summed(scores, weights, lower_is_better, np.log)


def borda(
    scores: pd.DataFrame, weights: Mapping[str, float] | None = None, lower_is_better: tuple[str, ...] = ()
) -> np.ndarray:
    """`sum_j w_j rank_j / n`, rank n the best: good scores make up for bad ones. Arguments as in `log_rank_sum`.

    Source: de Borda, 1781.
    """
    return _summed(scores, weights, lower_is_better, lambda shares: shares)


def agreeing(scores: pd.DataFrame, anchor: str = "", lower_is_better: tuple[str, ...] = ()) -> list[str]:
    """Names of the scores that may be aggregated without a label: those that agree with the others.

    A score whose ranks correlate with the mean rank of all others by less than `LEAST_AGREEMENT` is left out, as
    nothing but labels could tell that it is right and they are wrong; the `anchor` always stays, and so does the
    first score where nothing else would. Columns as in `log_rank_sum`.
    """
    names = [str(name) for name in scores]
    ranks = pd.DataFrame({name: rankdata(_higher_is_better_values(scores, name, lower_is_better)) for name in names})
    kept = []
    for name in names:
        others = ranks.drop(columns=name)
        with np.errstate(invalid="ignore", divide="ignore"):
            agreement = 1.0 if not len(others.columns) else np.corrcoef(ranks[name], others.mean(axis=1))[0, 1]
        if name == anchor or agreement >= LEAST_AGREEMENT:
            kept.append(name)
    return kept or names[:1]


def aggregate(
    scores: pd.DataFrame, lower_is_better: Sequence[str] = (), weights: Mapping[str, float] | None = None
) -> np.ndarray:
    """What "aggregate" means everywhere: the log-rank sum of those `scores` that agree, the first as the anchor.

    A search by several scores ranks by it, and so do the pages, the report and the commands. `scores` (n, scores), one
    row an architecture: it ranks among all rows. With `weights` nothing is left out: every score counts as given, one
    that is not named not at all. An architecture without any score has NaN, (n,); higher is better.

    Raises:
        ValueError: weights that `log_rank_sum` refuses.
    """
    if not len(scores):
        return np.zeros(0)
    given = aggregate_weights(scores, lower_is_better) if weights is None else weights
    found = log_rank_sum(scores, {**{str(name): 0.0 for name in scores}, **given}, tuple(lower_is_better))
    return np.where(scores.isna().all(axis=1), np.nan, found)


def aggregate_weights(scores: pd.DataFrame, lower_is_better: Sequence[str] = ()) -> dict[str, float]:
    """The weights that `aggregate` takes where none are given: 1 for the scores that agree, 0 for the others."""
    kept = agreeing(scores, str(scores.columns[0]), tuple(lower_is_better))
    return {str(name): float(name in kept) for name in scores}


AGGREGATES = {"log_rank_sum": log_rank_sum, "borda": borda}


def _summed(
    scores: pd.DataFrame,
    weights: Mapping[str, float] | None,
    lower_is_better: tuple[str, ...],
    transform: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    names = [str(name) for name in scores]
    chosen = {name: 1.0 for name in names} | dict(weights or {})
    unknown = sorted(set(chosen) - set(names))
    if not names or unknown:
        found = f"weight of unknown score {unknown[0]!r}" if unknown else "no score"
        raise ValueError(f"{found}; expected weights of: {', '.join(names) or 'at least one score'}")
    if not all(np.isfinite(w) and w >= 0 for w in chosen.values()) or not any(chosen.values()):
        raise ValueError(f"weights {chosen}: expected numbers from 0 up, at least one of them above 0")
    total = np.zeros(len(scores))
    for name in names:
        values = _higher_is_better_values(scores, name, lower_is_better)
        total += chosen[name] * transform(rankdata(values) / len(values)) if chosen[name] else 0.0
    return total


def _higher_is_better_values(scores: pd.DataFrame, name: str, lower_is_better: tuple[str, ...]) -> np.ndarray:
    """A score as it ranks: higher is better, NaN below every number."""
    values = scores[name].to_numpy(dtype=float)
    values = -values if name in lower_is_better else values
    return np.where(np.isnan(values), -np.inf, values)
