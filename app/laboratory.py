"""How well scores rank, what they share, and what they may merely be counting. Pure functions of a view."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from app.cockpit import Cockpit, View
from app.labels import explanation, lower_is_better, ranking_label, score_label
from nas_core import bench, predict
from nas_core.ladder import AGGREGATE, TRAINED
from nas_core.proxies.settings import ScoreSettings

LEAST = 10
_BOOTSTRAP = 50
_BOOTSTRAPPED = 100
"""Candidates above which intervals come from the large-sample formula: a brush must answer at once."""
_STATISTICS = ("tau", "rho", "tau_top_half", "regret", "ndcg")
_SETTINGS = 12
"""Settings compared at most: as many as a matrix can name."""
_SIZES = ("live_params", "sum_log_layer_size")


def weighable(view: View) -> list[str]:
    """Scores that a user may weigh in the aggregate: the run's own, which need no label, and the live parameters."""
    own = [str(name) for name in view.own_scores if name != TRAINED]
    return own + [name for name in _SIZES[:1] if name in view.table.closed and name not in own]


def equal_weights(view: View) -> dict[str, float]:
    """The weights of the aggregate that ranks a run: 1 for its own scores that agree, 0 for all else `weighable`."""
    own = view.own_scores
    weights = predict.aggregate_weights(own, tuple(lower_is_better())) if len(own.columns) else {}
    return {name: weights.get(name, 0.0) for name in weighable(view)}


def usable_weights(view: View, weights: Mapping[str, Any] | None) -> dict[str, float]:
    """What a user gave, brought to what the aggregate takes: `equal_weights` where nothing usable is above 0."""
    given = {name: (weights or {}).get(name) for name in weighable(view)}
    numbers = {name: float(w) if isinstance(w, int | float) and 0 < w < np.inf else 0.0 for name, w in given.items()}
    return numbers if any(numbers.values()) else equal_weights(view)


def aggregate(view: View, weights: Mapping[str, Any] | None = None) -> np.ndarray:
    """The aggregate (n,), by candidate: the one that ranks a run, or by the weights of a user over `weighable`."""
    chosen = usable_weights(view, weights)
    if chosen == equal_weights(view):
        return view.aggregate
    frame = pd.DataFrame({name: view.over_space(name)[view.indices] for name in chosen})
    return predict.aggregate(frame, tuple(lower_is_better()), chosen)


def estimates(values: np.ndarray, known: np.ndarray) -> bench.RankStatistics:
    """Rank statistics of `values` against `known`, both (n,), with 95 % intervals: of many by formula, which is quick.

    Raises:
        ValueError: fewer than three pairs without NaN.
    """
    if len(known) <= _BOOTSTRAPPED:
        return bench.rank_statistics(values, known, bootstrap=_BOOTSTRAP)
    found = bench.rank_statistics(values, known, bootstrap=0)
    bounded: dict[str, Any] = {}
    for name in _STATISTICS:
        value = getattr(found, name).value
        bounded[name] = bench.Estimate(value, *large_sample_interval(name, value, found.n))
    return replace(found, **bounded)


def leader_board(
    view: View,
    truth: np.ndarray,
    chosen: np.ndarray,
    summed: np.ndarray,
    *,
    weighted: bool = False,
    without: Collection[str] = (),
) -> list[dict[str, Any]]:
    """A row a score: rank statistics over the `chosen` scored candidates; best tau first.

    `truth` and `summed`, the aggregate, are (n,) by candidate, higher is better; `weighted` where a user chose its
    weights; scores `without` a row are what the truth was made of. Of every statistic a row has its text, and in
    `numbers` value, low and high.
    """
    known = truth[chosen]
    metrics = [metric for metric in view.metrics if metric not in without]
    rankings = {AGGREGATE: summed[chosen]} | {metric: view.oriented(metric)[chosen] for metric in metrics}
    rankings = {metric: values for metric, values in rankings.items() if (~np.isnan(values + known)).sum() >= LEAST}
    found = {metric: estimates(values, known) for metric, values in rankings.items()}
    order = sorted(found, key=lambda metric: -np.nan_to_num(found[metric].tau.value, nan=-2))
    return [_row(view, metric, found[metric], weighted) for metric in order]


def _row(view: View, metric: str, found: bench.RankStatistics, weighted: bool) -> dict[str, Any]:
    kind = "" if metric in view.values else " (baseline)"
    if metric == AGGREGATE:
        kind = " (your weights)" if weighted else " (no label)"
    row: dict[str, Any] = {"score": ranking_label(metric) + kind, "meaning": explanation(metric), "n": found.n}
    numbers: dict[str, float] = {}
    for name in _STATISTICS:
        one = getattr(found, name)
        row[name] = f"{one.value:.3f}" + ("" if np.isnan(one.low) else f" [{one.low:.3f}, {one.high:.3f}]")
        numbers |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    taken = view.milliseconds(metric)
    return row | {"milliseconds": "–" if np.isnan(taken) else f"{taken:.3g}", "numbers": numbers | {"ms": taken}}


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
    scores = {metric: view.oriented(metric)[chosen] for metric in view.metrics}
    scores = {metric: values for metric, values in scores.items() if (~np.isnan(values)).sum() >= LEAST}
    ranks = [rankdata(np.where(np.isnan(values), -np.inf, values)) for values in scores.values()]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.corrcoef(np.array(ranks))
    return [ranking_label(metric) for metric in scores], np.atleast_2d(found)


def stability(cockpit: Cockpit, view: View, metric: str) -> tuple[list[str], np.ndarray]:
    """How `metric` agrees with itself under other settings that the store holds scores of: seeds, batches, data.

    Names say what differs from the run's own settings, which come first; Spearman correlations over the networks that
    two settings share, NaN for fewer than `LEAST`.
    """
    own = view.run.config.settings
    held = [ScoreSettings.from_key(key) for key in cockpit.store.settings(view.run.space, metric)]
    others = [settings for settings in held if settings is not None and settings != own][: _SETTINGS - 1]
    scores = [cockpit.store.scores(view.run.space, metric, settings.key()) for settings in (own, *others)]
    frame = pd.concat([pd.Series(values, dtype=float) for values in scores], axis=1).set_axis(
        range(len(scores)), axis=1
    )
    names = ["these settings", *(other.difference(own) for other in others)]
    return names, frame.corr(method="spearman", min_periods=LEAST).to_numpy()


def measured(view: View, values: np.ndarray, truth: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    """Spearman correlations of `values`: with the truth, with sizes, and with the truth once a size is taken out.

    `values` and `truth` are (n,) by candidate, `chosen` positions among them.
    """
    usable = chosen[~np.isnan(values[chosen] + truth[chosen])]
    score, known = values[usable], truth[usable]
    if len(usable) < 3:
        return {}
    sizes = {name: view.over_space(name)[view.indices][usable] for name in _SIZES if name in view.table.closed}
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = np.corrcoef([rankdata(ranked) for ranked in (score, known, *sizes.values())])
    bars = {"with the truth": float(rho[0, 1])}
    bars |= {f"with {score_label(name)}": float(rho[0, k]) for k, name in enumerate(sizes, start=2)}
    for k, name in enumerate(sizes, start=2):
        bars[f"with the truth, {score_label(name)} taken out"] = _partial(rho[0, 1], rho[0, k], rho[1, k])
    return bars


def _partial(together: float, first: float, second: float) -> float:
    """Correlation of two variables that correlate `together`, once one that they correlate with is taken out of both;
    NaN where that one explains either of them entirely."""
    left = (1 - first**2) * (1 - second**2)
    return float((together - first * second) / left**0.5) if left > 1e-9 else float("nan")
