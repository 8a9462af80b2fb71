"""How well scores rank, what they share, and what they may merely be counting. Pure functions of a view."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.cockpit import Cockpit, View
from app.labels import explanation, lower_is_better, ranking_label, score_label
from nas_core import bench, predict
from nas_core.ladder import AGGREGATE, TRAINED
from nas_core.proxies.settings import ScoreSettings
from nas_core.ranks import rankdata

LEAST = 10
_SETS = 100
"""Sets drawn for the intervals of regret and nDCG: a brush must answer at once."""
_STATISTICS = ("tau", "rho", "tau_top_half", "regret_at_1", "regret", "ndcg")
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


def one_a_network(view: View, chosen: np.ndarray) -> np.ndarray:
    """Of the `chosen` candidates the first of every network."""
    _, first = np.unique(view.networks[chosen], return_index=True)
    return chosen[np.sort(first)]


def estimates(
    values: np.ndarray, known: np.ndarray, networks: np.ndarray | None = None, by_seed: Sequence[np.ndarray] = ()
) -> bench.RankStatistics:
    """Rank statistics of `values` against `known`, both (n,), with 95 % intervals; candidates of one of the `networks`
    (n,) are one observation. Where `values` are means over seeds, `by_seed` are those of every seed, (n,) each.

    Raises:
        ValueError: fewer than three networks without NaN.
    """
    return bench.rank_statistics(values, known, networks=networks, by_seed=by_seed, bootstrap=_SETS)


def single_seeds(cockpit: Cockpit, view: View, metric: str) -> list[np.ndarray]:
    """Values (n,) by candidate of `metric` for every seed that it is averaged over, better ones larger.

    None where the run scores with one seed, the score has none, or the store does not hold them all.
    """
    settings = view.run.config.settings
    if settings.seeds < 2 or metric not in view.values:
        return []
    held = [cockpit.store.scores(view.run.space, metric, single.key()) for single in settings.single()]
    if not all(held):
        return []
    texts = [view.table.texts[k] for k in view.networks]
    sign = -1 if metric in lower_is_better() else 1
    return [sign * np.array([one.get(text, np.nan) for text in texts]) for one in held]


def leader_board(
    view: View,
    truth: np.ndarray,
    chosen: np.ndarray,
    summed: np.ndarray,
    *,
    weighted: bool = False,
    without: Collection[str] = (),
    by_seed: Mapping[str, Sequence[np.ndarray]] | None = None,
) -> list[dict[str, Any]]:
    """A row a score: rank statistics over the `chosen` scored candidates; best tau first.

    `truth` and `summed`, the aggregate, are (n,) by candidate, higher is better; `weighted` where a user chose its
    weights; scores `without` a row are what the truth was made of; `by_seed` has the values of single seeds, see
    `single_seeds`. Of every statistic a row has its text, and in `numbers` value, low and high.
    """
    known, same = truth[chosen], view.networks[chosen]
    metrics = [metric for metric in view.metrics if metric not in without]
    rankings = {AGGREGATE: summed[chosen]} | {metric: view.oriented(metric)[chosen] for metric in metrics}
    seeds = {metric: [one[chosen] for one in single] for metric, single in (by_seed or {}).items()}
    found = {
        metric: estimates(values, known, same, seeds.get(metric, ()))
        for metric, values in rankings.items()
        if len(np.unique(same[~np.isnan(values + known)])) >= LEAST
    }
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


def score_matrix(view: View, chosen: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the scores, and their Spearman correlations with each other over the networks of the `chosen` ones."""
    chosen = one_a_network(view, chosen)
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

    `values` and `truth` are (n,) by candidate, `chosen` positions among them; a network counts once.
    """
    usable = chosen[~np.isnan(values[chosen] + truth[chosen])]
    names = [name for name in _SIZES if name in view.table.closed]
    columns = [values[usable], truth[usable], *(view.over_space(name)[view.indices][usable] for name in names)]
    score, known, *counts = bench.distinct(view.networks[usable], *columns)
    if len(score) < 3:
        return {}
    sizes = dict(zip(names, counts, strict=True))
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
