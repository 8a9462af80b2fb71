"""What the Correlation page does."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from flask_caching import Cache

from app import selection
from app.cockpit import Cockpit, View, turned
from app.masks import unpacked
from app.pages.correlation import figures
from app.pages.correlation.laboratory import (
    AGGREGATE,
    LEAST,
    aggregate,
    leader_board,
    measured,
    score_matrix,
    stability,
)
from app.shell import notification
from app.table import column
from nas_core import bench

_REFRESH = 100
_ALONE = "Only these settings are scored: run the score with another seed, batch or data"
_WIDTHS = {"n": 66, "regret": 120, "milliseconds": 130}
_TITLES = {"tau_top_half": "tau, top half", "regret": "regret at 10, %", "milliseconds": "ms an architecture"}


def register(app: Dash, cockpit: Cockpit, cache: Cache) -> None:
    """Callbacks of the page; aggregates are kept by run, cursor, data set and scope."""

    @cache.memoize()
    def board(run: str, _step: int, data_set: str, scope: str, _acts: int, brushed: str | None) -> dict[str, Any]:
        view = cockpit.view(run)
        chosen = _chosen(view, scope, brushed)
        return {"rows": leader_board(view, data_set, chosen), "matrix": score_matrix(view, chosen)}

    @cache.memoize(timeout=60)
    def steady(run: str, metric: str, _step: int) -> tuple[list[str], np.ndarray]:
        return stability(cockpit, cockpit.view(run), metric)

    @app.callback(Output("looked-at", "data"), Output("looked-at", "value"), Input("run", "data"))
    def scores(run: str | None) -> tuple[Any, Any]:
        if not run:
            return no_update, no_update
        view = cockpit.view(run)
        return [AGGREGATE, *view.metrics], view.rank_by

    @app.callback(
        Output("leader-board", "rowData"),
        Output("leader-board", "columnDefs"),
        Output("score-score", "figure"),
        Output("score-truth", "figure"),
        Output("measures", "figure"),
        Output("correlation-state", "children"),
        Input("pulse", "data"),
        Input("truth", "value"),
        Input("scope", "value"),
        Input("looked-at", "value"),
        Input("brushed", "data"),
        Input("crossed", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
        State("run", "data"),
    )
    def draw(
        _pulse: Any,
        data_set: str,
        scope: str,
        looked_at: str | None,
        brushed: str | None,
        crossed: str,
        theme: str,
        arch: str | None,
        run: str | None,
    ) -> tuple[Any, ...]:
        if not run or not looked_at:
            return (no_update,) * 6
        view = cockpit.view(run)
        empty = np.array([])
        names = (turned(looked_at), data_set)
        chosen = _chosen(view, scope, brushed)
        if cockpit.truth(view.run.space) is None or len(chosen) < LEAST:
            return (
                [],
                [],
                figures.matrix([], np.zeros((0, 0)), theme),
                figures.score_against_truth(empty, empty, empty, names, theme),
                figures.measures({}, looked_at, theme),
                _lack(cockpit, view, scope, len(chosen)),
            )
        scored = len(view.indices)
        busy = view.run.state in ("running", "queued")
        found = board(run, scored // _REFRESH if busy else -scored, data_set, scope, len(view.acts), brushed)
        if crossed == "settings":
            rivals, table = steady(run, looked_at, scored // _REFRESH if busy else -scored)
            title = f"{looked_at} under other settings, Spearman" if len(rivals) > 1 else _ALONE
        else:
            (rivals, table), title = found["matrix"], "Score against score, Spearman"
        columns = [column("score", width=190)]
        columns += [
            column(name, _TITLES.get(name, name), width=_WIDTHS.get(name, 142))
            for name in found["rows"][0]
            if name != "score"
        ]
        truth = bench.truth(view.run.space)[data_set].to_numpy()
        values = aggregate(view) if looked_at == AGGREGATE else view.oriented(looked_at)
        bars = measured(view, values, truth, chosen)
        state = f"{len(chosen):,} of {scored:,} scored candidates, 95 % intervals; truth: validation accuracy"
        changed = {trigger["prop_id"].split(".")[0] for trigger in ctx.triggered}
        if changed and not changed - {"brushed", "scope"}:
            # A brush changes what is counted, not where the dots stand nor how anything looks.
            crossing, measuring = figures.matrix_patch(rivals, table), figures.measures_patch(bars)
            return found["rows"], no_update, crossing, no_update, measuring, state
        selected = view.table.index.get(arch or "")
        return (
            found["rows"],
            columns,
            figures.matrix(rivals, table, theme, title),
            figures.score_against_truth(values, truth[view.indices], view.indices, names, theme, selected),
            figures.measures(bars, looked_at, theme),
            state,
        )

    # A lasso on the scatter is a scope of its own: board, matrix and bars follow it.
    app.clientside_callback(
        ClientsideFunction("helm", "brush"),
        Output("score-truth", "id"),
        Input("score-truth", "figure"),
    )

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("score-truth", "clickData"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def select(click: dict[str, Any] | None, run: str) -> Any:
        index = (click or {"points": [{}]})["points"][0].get("customdata")
        return no_update if index is None else selection.write(run, cockpit.view(run).table.texts[int(index)])

    @app.callback(
        Output("leader-board", "exportDataAsCsv"),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("btn-board-csv", "n_clicks"),
        State("leader-board", "rowData"),
        prevent_initial_call=True,
    )
    def export(clicks: int | None, rows: list[Any] | None) -> tuple[Any, Any]:
        if not clicks:  # the button was just drawn
            return no_update, no_update
        if not rows:
            return no_update, notification("There is nothing to export yet: press Start first.")
        return True, no_update


def _chosen(view: View, scope: str, brushed: str | None) -> np.ndarray:
    """Positions among the scored candidates that the statistics are about."""
    if scope == "steering":
        return np.flatnonzero(view.kept[view.indices])
    if scope == "brush":
        return np.flatnonzero(unpacked(brushed, len(view.table.archs))[view.indices])
    return np.arange(len(view.indices))


def _lack(cockpit: Cockpit, view: View, scope: str, number: int) -> str:
    if cockpit.truth(view.run.space) is None:
        return f"No truth is known for the space {view.run.space}: import results with `bench import`."
    if scope == "brush" and not number:
        return "Nothing is brushed: draw a lasso or a box around dots of the scatter below."
    return f"{number} candidates here; at least {LEAST} are needed. Press Start, or widen the scope."
