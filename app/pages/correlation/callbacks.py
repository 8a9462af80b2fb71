"""What the Correlation page does."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, no_update
from flask_caching import Cache
from scipy.stats import spearmanr

from app.cockpit import Cockpit, View
from app.pages.correlation import figures
from nas_core import bench

_LEAST = 10
_REFRESH = 100
_BOOTSTRAP = 50


def register(app: Dash, cockpit: Cockpit, cache: Cache) -> None:
    """Callbacks of the page; aggregates are kept by run, cursor and data set."""

    @cache.memoize()
    def board(run: str, _step: int, data_set: str) -> dict[str, Any]:
        return _aggregate(cockpit.view(run), data_set)

    @app.callback(
        Output("leader-board", "rowData"),
        Output("leader-board", "columnDefs"),
        Output("score-truth", "figure"),
        Output("measures", "figure"),
        Output("correlation-state", "children"),
        Input("pulse", "data"),
        Input("truth", "value"),
        Input("theme", "data"),
        State("run", "data"),
    )
    def draw(_pulse: Any, data_set: str, theme: str, run: str | None) -> tuple[Any, ...]:
        if not run:
            return (no_update,) * 5
        view = cockpit.view(run)
        empty = np.array([])
        names = (view.rank_by, data_set)
        if cockpit.truth(view.run.space) is None or len(view.indices) < _LEAST:
            text = f"{len(view.indices)} candidates scored; at least {_LEAST} are needed. Press Start."
            return (
                [],
                [],
                figures.score_against_truth(empty, empty, names, theme),
                figures.measures({}, view.rank_by, theme),
                text,
            )
        scored = len(view.indices)
        busy = view.run.state in ("running", "queued")
        found = board(run, scored // _REFRESH if busy else -scored, data_set)
        columns = [{"field": "score", "minWidth": 190}] + [{"field": c} for c in found["rows"][0] if c != "score"]
        truth = bench.truth(view.run.space)[data_set].to_numpy()[view.indices]
        text = f"{found['n']:,} scored candidates, 95 % bootstrap intervals; truth: tabular validation accuracy"
        return (
            found["rows"],
            columns,
            figures.score_against_truth(view.ranked, truth, names, theme),
            figures.measures(found["bars"], view.rank_by, theme),
            text,
        )

    @app.callback(
        Output("leader-board", "exportDataAsCsv"), Input("btn-board-csv", "n_clicks"), prevent_initial_call=True
    )
    def export(clicks: int | None) -> bool:
        return bool(clicks)


def _aggregate(view: View, data_set: str) -> dict[str, Any]:
    truth = bench.truth(view.run.space)[data_set].to_numpy()[view.indices]
    rows = []
    for metric in view.metrics:
        values = view.over_space(metric)[view.indices]
        found = bench.rank_statistics(values, truth, bootstrap=_BOOTSTRAP)
        row: dict[str, Any] = {"score": metric + ("" if metric in view.values else " (baseline)"), "n": found.n}
        for name in ("tau", "rho", "tau_top_half", "regret", "ndcg"):
            estimate = getattr(found, name)
            row[name] = f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
        rows.append(row)
    score = view.ranked
    usable = ~np.isnan(score)
    score, truth = score[usable], truth[usable]
    sizes = {
        name: view.over_space(name)[view.indices][usable]
        for name in ("live_params", "sum_log_layer_size")
        if name in view.table.closed
    }
    bars = {"with the truth": float(spearmanr(score, truth).statistic)}
    bars |= {f"with {name}": float(spearmanr(score, values).statistic) for name, values in sizes.items()}
    for name, values in sizes.items():
        bars[f"with the truth, {name} taken out"] = bench.partial_correlation(score, truth, [values])
    return {"rows": rows, "bars": bars, "n": len(score)}
