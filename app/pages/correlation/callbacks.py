"""What the Correlation page does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from flask_caching import Cache

from app import selection
from app.cockpit import Cockpit, View
from app.labels import ranking_label, score_label, score_options
from app.laboratory import (
    AGGREGATE,
    LEAST,
    aggregate,
    equal_weights,
    leader_board,
    measured,
    score_matrix,
    stability,
    usable_weights,
)
from app.masks import unpacked
from app.pages.correlation import figures, panels
from app.pages.correlation.label_next import plan
from app.presses import notification
from app.table import column
from app.truth import Truth
from nas_core.ladder import TRAINED

Weights = tuple[tuple[str, float], ...]
Scope = tuple[str, int, str | None]
"""Which candidates are counted: the choice made, acts so far, and the brush where it is the choice."""

_REFRESH = 100
_ALONE = "Only these settings are scored: run the score with another seed, batch or data"
_WIDTHS = {"n": 66, "regret": 120, "milliseconds": 130}
_TITLES = {"tau_top_half": "tau, top half", "milliseconds": "ms an architecture"}
_MEANINGS = {
    "n": "candidates whose score and truth are known",
    "tau": "Kendall's tau-b: share of pairs in the right order minus share in the wrong one",
    "rho": "Spearman's rank correlation",
    "tau_top_half": "tau among the truly better half",
    "regret": "the best truth minus the best truth among the ten highest scores",
    "ndcg": "normalised discounted cumulative gain of the whole ranking",
    "milliseconds": "mean time that the score took an architecture",
}


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page; what is derived is kept by what it is derived from."""
    cache = Cache(app.server, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 3600})
    _register_board(app, cockpit, _Derived(cockpit, cache))
    _register_weights(app, cockpit)
    _register_selection(app, cockpit)


class _Derived:
    """What a view says under given choices, computed once for all drawings that need it."""

    def __init__(self, cockpit: Cockpit, cache: Cache) -> None:
        self._cockpit, self._cache = cockpit, cache

    def aggregate(self, view: View, weights: Weights) -> np.ndarray:
        """Values (n,) by candidate."""
        return self._once(lambda: aggregate(view, dict(weights)), "aggregate", view, len(view.indices), weights)

    def looked_at(self, view: View, name: str, weights: Weights) -> np.ndarray:
        """Values (n,) by candidate of a score or of the aggregate, better ones larger."""
        return self.aggregate(view, weights) if name == AGGREGATE else view.oriented(name)

    def truth(self, view: View, truth: Truth) -> np.ndarray:
        """Values (n,) by candidate, better ones larger."""
        return truth.oriented(truth.over(view.table)[view.indices])

    def board(self, view: View, chosen: np.ndarray, truth: Truth, weights: Weights, scope: Scope) -> list[Any]:
        """Rows of the leader board."""

        def rows() -> list[Any]:
            known, summed = self.truth(view, truth), self.aggregate(view, weights)
            return leader_board(view, known, chosen, summed, weighted=bool(weights))

        return self._once(rows, "board", view, _step(view), truth.version, weights, scope)

    def crossed(
        self, view: View, chosen: np.ndarray, crossed: str, looked_at: str, scope: Scope
    ) -> tuple[list[str], np.ndarray, str]:
        """Names, correlations and title of the matrix that is shown."""
        if crossed != "settings":
            found = self._once(lambda: score_matrix(view, chosen), "matrix", view, _step(view), scope)
            return *found, "Score against score, Spearman"
        # Scores under other settings may come from any run, so these are not kept for long.
        rivals, table = self._once(
            lambda: stability(self._cockpit, view, looked_at), "stability", view, _step(view), looked_at, seconds=60
        )
        return rivals, table, f"{score_label(looked_at)} under other settings, Spearman" if len(rivals) > 1 else _ALONE

    def _once(self, make: Callable[[], Any], what: str, view: View, *given: Any, seconds: int | None = None) -> Any:
        key = repr((what, view.run.id, *given))
        found = self._cache.get(key)
        if found is None:
            found = make()
            self._cache.set(key, found, timeout=seconds)
        return found


def _step(view: View) -> int:
    """A number that changes when statistics are worth computing anew."""
    scored = len(view.indices)
    return scored // _REFRESH if view.run.state in ("running", "queued") else -scored


def _register_board(app: Dash, cockpit: Cockpit, derived: _Derived) -> None:
    @app.callback(
        Output("looked-at", "data"),
        Output("looked-at", "value"),
        Input("run", "data"),
    )
    def choices(run: str | None) -> tuple[Any, ...]:
        if not run:
            return no_update, no_update
        view = cockpit.view(run)
        return score_options([AGGREGATE, *(name for name in view.metrics if name != TRAINED)]), view.rank_by

    # The dots are drawn apart from what a brush restricts: it changes what is counted, not where they stand.
    @app.callback(
        Output("score-truth", "figure"),
        Input("pulse", "data"),
        Input("truth", "data"),
        Input("looked-at", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
        Input("weights", "data"),
        State("run", "data"),
    )
    def dots(
        _pulse: Any,
        choice: str | None,
        looked_at: str | None,
        theme: str,
        arch: str | None,
        weights: dict[str, Any] | None,
        run: str | None,
    ) -> Any:
        if not run or not looked_at:
            return no_update
        view = cockpit.view(run)
        truth, none = cockpit.truth(view.run.space, choice), np.array([])
        names = (ranking_label(looked_at), "truth" if truth is None else truth.axis)
        if truth is None or len(view.indices) < LEAST:
            return figures.score_against_truth(none, none, none, names, theme)
        values, known = derived.looked_at(view, looked_at, _weights(weights, run)), truth.over(view.table)[view.indices]
        return figures.score_against_truth(values, known, view.indices, names, theme, view.table.index.get(arch or ""))

    @app.callback(
        Output("leader-board", "rowData"),
        Output("leader-board", "columnDefs"),
        Output("score-score", "figure"),
        Output("measures", "figure"),
        Output("correlation-state", "children"),
        Input("pulse", "data"),
        Input("truth", "data"),
        Input("scope", "value"),
        Input("looked-at", "value"),
        Input("brushed", "data"),
        Input("crossed", "value"),
        Input("theme", "data"),
        Input("weights", "data"),
        State("leader-board", "columnDefs"),
        State("score-score", "figure"),
        State("measures", "figure"),
        State("run", "data"),
    )
    def draw(
        _pulse: Any,
        choice: str | None,
        scope: str,
        looked_at: str | None,
        brushed: str | None,
        crossed: str,
        theme: str,
        weights: dict[str, Any] | None,
        columns_shown: list[Any] | None,
        matrix_shown: dict[str, Any] | None,
        measures_shown: dict[str, Any] | None,
        run: str | None,
    ) -> tuple[Any, ...]:
        if not run or not looked_at:
            return (no_update,) * 5
        view = cockpit.view(run)
        chosen = _chosen(view, scope, brushed)
        truth = cockpit.truth(view.run.space, choice)
        if truth is None or len(chosen) < LEAST:
            return _nothing(looked_at, theme, _lack(cockpit, view, scope, len(chosen)))
        given = _weights(weights, run)
        about: Scope = (scope, len(view.acts), brushed if scope == "brush" else None)
        rows = derived.board(view, chosen, truth, given, about)
        columns = _columns(rows, truth)
        bars = measured(view, derived.looked_at(view, looked_at, given), derived.truth(view, truth), chosen)
        matrix: Any = no_update
        if crossed != "labels":  # what is not on the screen is not computed
            names, table, title = derived.crossed(view, chosen, crossed, looked_at, about)
            matrix = figures.matrix(names, table, theme, title, matrix_shown)
        return (
            rows,
            no_update if columns == columns_shown else columns,
            matrix,
            figures.measures(bars, score_label(looked_at), theme, measures_shown),
            f"{len(chosen):,} of {len(view.indices):,} scored candidates, 95 % intervals; truth: {truth.axis}",
        )

    # What is not on the screen is not asked for: a brush would wait behind it.
    app.clientside_callback(
        ClientsideFunction("correlation", "labels"),
        Output("labels-wanted", "data"),
        Output("label-next", "hidden"),
        Output("crossed-graph", "hidden"),
        Input("crossed", "value"),
        Input("pulse", "data"),
        Input("truth", "data"),
        Input("scope", "value"),
        Input("brushed", "data"),
        Input("labels-known", "value"),
        Input("labels-next", "value"),
        Input("weights", "data"),
        Input("arch", "data"),
    )

    @app.callback(
        Output("suggested", "children"),
        Input("labels-wanted", "data"),
        State("truth", "data"),
        State("scope", "value"),
        State("brushed", "data"),
        State("labels-known", "value"),
        State("labels-next", "value"),
        State("weights", "data"),
        State("arch", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def suggest(
        _wanted: Any,
        choice: str | None,
        scope: str,
        brushed: str | None,
        labels: Any,
        number: Any,
        weights: dict[str, Any] | None,
        arch: str | None,
        run: str | None,
    ) -> Any:
        if not run:
            return no_update
        if not isinstance(labels, int) or not isinstance(number, int):
            return "Give two whole numbers above: labels to learn from, and architectures to suggest."
        view = cockpit.view(run)
        truth = cockpit.truth(view.run.space, choice)
        known = None if truth is None else derived.truth(view, truth)
        prior = derived.aggregate(view, _weights(weights, run)) if len(view.indices) else np.zeros(0)
        try:
            found = plan(view, prior, known, _chosen(view, scope, brushed), labels=labels, number=number)
        except ValueError as error:
            return str(error)
        return panels.suggestions(found, run, truth, arch)


def _register_weights(app: Dash, cockpit: Cockpit) -> None:
    @app.callback(
        Output("weight-inputs", "children"),
        Output("weights-equal", "data"),
        Input("btn-weights", "n_clicks"),
        Input("btn-weights-equal", "n_clicks"),
        Input("run", "data"),
        State("weights", "data"),
    )
    def inputs(_open: Any, _equal: Any, run: str | None, weights: dict[str, Any] | None) -> tuple[Any, Any]:
        """The numbers are drawn when the panel opens, so that no redraw takes what is being typed."""
        if not run:
            return no_update, no_update
        view = cockpit.view(run)
        if not len(view.indices):
            return [], {}
        equal = equal_weights(view)
        given = {} if ctx.triggered_id == "btn-weights-equal" else dict(_weights(weights, run))
        return panels.weight_inputs(usable_weights(view, given) if given else equal), equal

    # In the browser: neither a reset nor a number typed is lost to a panel that is drawn anew meanwhile.
    app.clientside_callback(
        ClientsideFunction("correlation", "weigh"),
        Output("weights", "data"),
        Output("weights-text", "children"),
        Input({"type": "weight", "score": ALL}, "value"),
        State({"type": "weight", "score": ALL}, "id"),
        State("weights-equal", "data"),
        State("weights", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("correlation", "unweigh"),
        Output("weights", "data", allow_duplicate=True),
        Output("weights-text", "children", allow_duplicate=True),
        Input("btn-weights-equal", "n_clicks"),
        State("weights", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )


def _register_selection(app: Dash, cockpit: Cockpit) -> None:
    # A lasso on the scatter is a scope of its own: board, matrix and bars follow it.
    app.clientside_callback(
        ClientsideFunction("correlation", "brush"),
        Output("score-truth", "id"),
        Input("score-truth", "figure"),
    )

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("score-truth", "clickData"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def select(click: dict[str, Any] | None, run: str, search: str | None) -> Any:
        index = (click or {"points": [{}]})["points"][0].get("customdata")
        return no_update if index is None else selection.moved(search, run, cockpit.view(run).table.texts[int(index)])

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
            return no_update, notification("There is nothing to export yet: nothing is scored.")
        return True, no_update


def _weights(held: dict[str, Any] | None, run: str) -> Weights:
    """Weights that the user gave for this run; none for equal ones."""
    return tuple(sorted(((held or {}).get(run) or {}).items()))


def _columns(rows: list[dict[str, Any]], truth: Truth) -> list[Any]:
    names = [name for name in rows[0] if name not in ("score", "meaning")]
    titles = _TITLES | {"regret": f"regret at 10{',' if truth.unit else ''}{truth.unit}"}
    return [
        column("score", width=190, tooltipField="meaning"),
        *(
            column(name, titles.get(name, name), width=_WIDTHS.get(name, 142), headerTooltip=_MEANINGS.get(name, ""))
            for name in names
        ),
    ]


def _nothing(looked_at: str, theme: str, why: str) -> tuple[Any, ...]:
    return [], [], figures.matrix([], np.zeros((0, 0)), theme), figures.measures({}, score_label(looked_at), theme), why


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
    return f"{number} candidates here; at least {LEAST} are needed: score more, or widen the scope."
