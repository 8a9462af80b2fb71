"""One ranking out of many scores, without any label."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import rankdata


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
        values = scores[name].to_numpy(dtype=float)
        values = -values if name in lower_is_better else values
        values = np.where(np.isnan(values), -np.inf, values)
        total += chosen[name] * transform(rankdata(values) / len(values)) if chosen[name] else 0.0
    return total
