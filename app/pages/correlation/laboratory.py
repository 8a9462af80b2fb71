"""How well scores rank, what they share, and what they may merely be counting. Pure functions of a view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from app.cockpit import Cockpit, View, turned
from nas_core import bench, predict
from nas_core.proxies.settings import ScoreSettings

LEAST = 10
AGGREGATE = "aggregate"
_BOOTSTRAP = 50
_BOOTSTRAPPED = 2000
"""Candidates above which intervals come from the large-sample formula: a brush must answer at once."""
_STATISTICS = ("tau", "rho", "tau_top_half", "regret", "ndcg")
_SETTINGS = 12
"""Settings compared at most: as many as a matrix can name."""
_SIZES = ("live_params", "sum_log_layer_size")


def aggregate(view: View) -> np.ndarray:
    """Log-rank sum of those of the run's own scores that agree, and of the live parameters (n,), by candidate."""
    names = [*view.values, *(name for name in _SIZES[:1] if name in view.table.closed and name not in view.values)]
    frame = pd.DataFrame({name: view.oriented(name) for name in names})
    return predict.log_rank_sum(frame[predict.agreeing(frame, anchor=_SIZES[0])])


def leader_board(view: View, data_set: str, chosen: np.ndarray) -> list[dict[str, Any]]:
    """A row a score: rank statistics against the truth over the `chosen` scored candidates; best tau first."""
    truth = bench.truth(view.run.space)[data_set].to_numpy()[view.indices][chosen]
    rankings = {AGGREGATE: aggregate(view)} | {metric: view.oriented(metric) for metric in view.metrics}
    rows = []
    for metric, values in rankings.items():
        if (~np.isnan(values[chosen])).sum() < LEAST:
            continue
        large = len(chosen) > _BOOTSTRAPPED
        found = bench.rank_statistics(values[chosen], truth, bootstrap=0 if large else _BOOTSTRAP)
        kind = " (no label)" if metric == AGGREGATE else ("" if metric in view.values else " (baseline)")
        row: dict[str, Any] = {"score": turned(metric) + kind, "n": found.n}
        for name in _STATISTICS:
            estimate = getattr(found, name)
            low, high = large_sample_interval(name, estimate.value, found.n) if large else (estimate.low, estimate.high)
            row[name] = f"{estimate.value:.3f}" + ("" if np.isnan(low) else f" [{low:.3f}, {high:.3f}]")
        taken = view.milliseconds(metric)
        row["milliseconds"] = "–" if np.isnan(taken) else f"{taken:.3g}"
        rows.append((found.tau.value, row))
    return [row for _, row in sorted(rows, key=lambda pair: -np.nan_to_num(pair[0], nan=-2))]


def large_sample_interval(statistic: str, value: float, n: int) -> tuple[float, float]:
    """95 % interval by Fisher's transformation; NaN for statistics that are no correlation.

    Variances .437 / (n - 4) for tau and 1.06 / (n - 3) for rho: Fieller, Hartley & Pearson, Biometrika 44 (1957).
    """
    variances = {"tau": 0.437 / (n - 4), "rho": 1.06 / (n - 3), "tau_top_half": 0.437 / max(n // 2 - 4, 1)}
    if statistic not in variances or not abs(value) < 1:
        return float("nan"), float("nan")
    reach = 1.96 * variances[statistic] ** 0.5
    return float(np.tanh(np.arctanh(value) - reach)), float(np.tanh(np.arctanh(value) + reach))


def score_matrix(view: View, chosen: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the scores, and their Spearman correlations with each other over the `chosen` candidates."""
    ranks = []
    for metric in view.metrics:
        values = view.oriented(metric)[chosen]
        ranks.append(rankdata(np.where(np.isnan(values), -np.inf, values)))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(np.array(ranks))
    return [turned(metric) for metric in view.metrics], np.atleast_2d(found)


def stability(cockpit: Cockpit, view: View, metric: str) -> tuple[list[str], np.ndarray]:
    """How `metric` agrees with itself under other settings that the store holds scores of: seeds, batches, data.

    Names say what differs from the run's own settings, which come first; Spearman correlations over the networks that
    two settings share, NaN for fewer than `LEAST`.
    """
    own = ScoreSettings.from_dict(view.run.config.get("settings") or {})
    held = [ScoreSettings.from_key(key) for key in cockpit.store.settings(view.run.space, metric)]
    others = [settings for settings in held if settings is not None and settings != own][: _SETTINGS - 1]
    scores = [cockpit.store.scores(view.run.space, metric, settings.key()) for settings in (own, *others)]
    frame = pd.concat([pd.Series(values, dtype=float) for values in scores], axis=1).set_axis(
        range(len(scores)), axis=1
    )
    names = ["these settings", *(other.difference(own) for other in others)]
    return names, frame.corr(method="spearman", min_periods=LEAST).to_numpy()


def measured(view: View, values: np.ndarray, truth: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    """Spearman correlations of `values`: with the truth, with sizes, and with the truth once a size is taken out."""
    usable = chosen[~np.isnan(values[chosen])]
    score, known = values[usable], truth[view.indices][usable]
    if len(usable) < 3:
        return {}
    sizes = {name: view.over_space(name)[view.indices][usable] for name in _SIZES if name in view.table.closed}
    bars = {"with the truth": float(spearmanr(score, known).statistic)}
    bars |= {f"with {name}": float(spearmanr(score, size).statistic) for name, size in sizes.items()}
    for name, size in sizes.items():
        bars[f"with the truth, {name} taken out"] = bench.partial_correlation(score, known, [size])
    return bars
