"""What the Correlation page does."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, no_update, set_props
from flask_caching import Cache

from app import live, selection
from app.cockpit import Cockpit, View
from app.labels import ranking_label, score_label, score_options
from app.laboratory import AGGREGATE, LEAST, measured, one_a_network
from app.pages.correlation import board, checks, figures, panels, weights
from app.pages.correlation.derived import Derived, Scope, chosen_of, weights_of
from app.pages.correlation.label_next import plan
from app.pages.correlation.labelling import EPOCHS, to_train
from app.pages.correlation.verdict import judge, truth_for
from app.presses import notification, notify, pressed, run_of
from nas_core.ladder import TRAINED
from nas_core.store import StoreError


def choices(cockpit: Cockpit, run: str | None) -> tuple[Any, Any]:
    """The scores that can be looked at; the one that ranks the run at first."""
    if not run:
        return no_update, no_update
    view = cockpit.view(run)
    return score_options([AGGREGATE, *(name for name in view.metrics if name != TRAINED)]), view.rank_by


def look_at(cockpit: Cockpit, told: dict[str, Any] | None, run: str | None) -> Any:
    """A press of the headline looks at the score that it names."""
    words = pressed(told, "look-at")
    if not words or not run or run_of(told, run) != run:
        return no_update
    name = ":".join(words[1:])
    return name if name in (AGGREGATE, *cockpit.view(run).metrics) else no_update


def train(cockpit: Cockpit, told: dict[str, Any] | None, run: str | None) -> None:
    """A press of the headline trains candidates, evenly over the ranks of the score, where no table knows results."""
    words = pressed(told, "label")
    if not words or not run:
        return
    if run_of(told, run) != run:
        notify("Another run was opened meanwhile: press there again.")
        return
    begun = 0
    try:
        for text in to_train(cockpit.view(run), int(words[1])):
            cockpit.train(run, text, EPOCHS)
            begun += 1
    except (ValueError, StoreError) as error:
        notify(str(error))
    if begun:
        notify(f"{begun} candidates are trained for {EPOCHS} epochs each.", failed=False)
        set_props("pulse", {"data": live.pulse_of(cockpit, run)})


def check(
    cockpit: Cockpit,
    derived: Derived,
    _pulse: Any,
    choice: str | None,
    scope: str,
    looked_at: str | None,
    brushed: str | None,
    given_weights: dict[str, Any] | None,
    run: str | None,
) -> Any:
    """The four checks of the score looked at, over the candidates chosen."""
    if not run or not looked_at:
        return no_update
    view = cockpit.view(run)
    truth = truth_for(cockpit, view, choice)
    if truth is None:
        return []
    values = derived.looked_at(view, looked_at, weights_of(given_weights, run))
    found = judge(
        view,
        values,
        derived.truth(view, truth),
        chosen_of(view, scope, brushed),
        metric=looked_at,
        by_seed=derived.single_seeds(view, looked_at),
    )
    return [] if found is None else checks.tiles(ranking_label(looked_at), found, truth.unit)


def dots(
    cockpit: Cockpit,
    derived: Derived,
    _pulse: Any,
    choice: str | None,
    looked_at: str | None,
    theme: str,
    arch: str | None,
    given_weights: dict[str, Any] | None,
    run: str | None,
) -> Any:
    """The score against the truth, drawn apart from what a brush restricts: it moves no dot."""
    if not run or not looked_at:
        return no_update
    view = cockpit.view(run)
    truth, none = truth_for(cockpit, view, choice), np.array([])
    names = (ranking_label(looked_at), "truth" if truth is None else truth.axis)
    if truth is None or len(view.indices) < LEAST:
        return figures.score_against_truth(none, none, none, names, theme)
    values, known = (
        derived.looked_at(view, looked_at, weights_of(given_weights, run)),
        truth.over(view.table)[view.indices],
    )
    usable = ~np.isnan(values + known)
    return figures.score_against_truth(
        values[usable], known[usable], view.indices[usable], names, theme, view.table.index.get(arch or "")
    )


def draw(
    cockpit: Cockpit,
    derived: Derived,
    _pulse: Any,
    choice: str | None,
    scope: str,
    looked_at: str | None,
    brushed: str | None,
    crossed: str,
    theme: str,
    given_weights: dict[str, Any] | None,
    columns_shown: list[Any] | None,
    matrix_shown: dict[str, Any] | None,
    measures_shown: dict[str, Any] | None,
    run: str | None,
) -> tuple[Any, ...]:
    """Leader board, matrix, what the score measures, and over how many candidates."""
    if not run or not looked_at:
        return (no_update,) * 5
    view = cockpit.view(run)
    chosen = chosen_of(view, scope, brushed)
    truth = truth_for(cockpit, view, choice)
    known = np.zeros(0) if truth is None else derived.truth(view, truth)
    told = chosen[:0] if truth is None else chosen[~np.isnan(known[chosen])]
    if truth is None or len(one_a_network(view, told)) < LEAST:
        why = lack(cockpit, view, scope, len(one_a_network(view, chosen)), len(one_a_network(view, told)))
        nothing = figures.matrix([], np.zeros((0, 0)), theme), figures.measures({}, score_label(looked_at), theme)
        return [], no_update, *nothing, why
    given = weights_of(given_weights, run)
    about: Scope = (scope, len(view.acts), brushed if scope == "brush" else None)
    rows = board.grid_rows(derived.board(view, chosen, truth, given, about))
    columns = board.columns(truth.unit)
    bars = measured(view, derived.looked_at(view, looked_at, given), known, chosen)
    matrix: Any = no_update
    if crossed != "labels":  # what is not on the screen is not computed
        names, table, title = derived.crossed(view, chosen, crossed, looked_at, about)
        matrix = figures.matrix(names, table, theme, title, matrix_shown)
    partly = "" if len(told) == len(chosen) else f" ({len(told):,} known)"
    number = len(one_a_network(view, chosen))
    same = "" if number == len(chosen) else f" ({number:,} networks)"
    about_what = f"{len(chosen):,} of {len(view.indices):,} scored candidates{same}"
    return (
        rows,
        no_update if columns == columns_shown else columns,
        matrix,
        figures.measures(bars, score_label(looked_at), theme, measures_shown),
        f"{about_what}, {told_seeds(view)}; truth: {truth.axis}{partly}",
    )


def told_seeds(view: View) -> str:
    """What the intervals are about, and how many seeds they know."""
    seeds = view.run.config.settings.seeds
    return "95 % intervals over networks" + (f" and {seeds} seeds" if seeds > 1 else ", one seed")


def lack(cockpit: Cockpit, view: View, scope: str, number: int, known: int) -> str:
    """Why nothing is compared, and what to do."""
    if scope == "brush" and not number:
        return "Nothing is brushed: draw a lasso or a box around dots of the scatter below."
    if cockpit.truth(view.run.space) is None and known < LEAST:
        first = "" if len(view.indices) >= LEAST else f"score at least {LEAST} candidates, then "
        way = f"{first}train some with the button above, or import results with `bench import`"
        trained = f"{known} of {LEAST} candidates are trained; " if known else ""
        return f"No truth is known for the space {view.run.config.space_title}: {trained}{way}."
    return f"{number} distinct networks here; at least {LEAST} are needed: score more, or widen the scope."


def suggest(
    cockpit: Cockpit,
    derived: Derived,
    _wanted: Any,
    choice: str | None,
    scope: str,
    brushed: str | None,
    labels: Any,
    number: Any,
    given_weights: dict[str, Any] | None,
    arch: str | None,
    run: str | None,
) -> Any:
    """Architectures to label next."""
    if not run:
        return no_update
    if not isinstance(labels, int) or not isinstance(number, int):
        return "Give two whole numbers above: labels to learn from, and architectures to suggest."
    view = cockpit.view(run)
    truth = cockpit.truth(view.run.space, choice)
    known = None if truth is None else derived.truth(view, truth)
    prior = derived.aggregate(view, weights_of(given_weights, run)) if len(view.indices) else np.zeros(0)
    try:
        found = plan(view, prior, known, chosen_of(view, scope, brushed), labels=labels, number=number)
    except ValueError as error:
        return str(error)
    return panels.suggestions(found, run, truth, arch)


def select(cockpit: Cockpit, click: dict[str, Any] | None, run: str, search: str | None) -> Any:
    """A click on a dot selects its candidate."""
    index = (click or {"points": [{}]})["points"][0].get("customdata")
    return no_update if index is None else selection.moved(search, run, cockpit.view(run).table.texts[int(index)])


def export(clicks: int | None, rows: list[Any] | None) -> tuple[Any, Any]:
    """A press on Export CSV writes the leader board, its intervals in columns of their own."""
    if not clicks:  # the button was just drawn
        return no_update, no_update
    if not rows:
        return no_update, notification("There is nothing to export yet: nothing is scored.")
    return True, no_update


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above; what is derived is kept by what it is derived from."""
    cache = Cache(app.server, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 3600})
    _register_board(app, cockpit, Derived(cockpit, cache))
    _register_labels(app, cockpit, Derived(cockpit, cache))
    weights.register(app, cockpit)
    _register_presses(app, cockpit)


def _register_board(app: Dash, cockpit: Cockpit, derived: Derived) -> None:
    run = State("run", "data")
    app.callback(Output("looked-at", "data"), Output("looked-at", "value"), Input("run", "data"))(
        partial(choices, cockpit)
    )
    app.callback(
        Output("score-truth", "figure"),
        Input("pulse", "data"),
        Input("truth", "data"),
        Input("looked-at", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
        Input("weights", "data"),
        run,
    )(partial(dots, cockpit, derived))
    restricted = [
        Input("pulse", "data"),
        Input("truth", "data"),
        Input("scope", "value"),
        Input("looked-at", "value"),
        Input("brushed", "data"),
    ]
    app.callback(Output("checks", "children"), *restricted, Input("weights", "data"), run)(
        partial(check, cockpit, derived)
    )
    app.callback(
        Output("leader-board", "rowData"),
        Output("leader-board", "columnDefs"),
        Output("score-score", "figure"),
        Output("measures", "figure"),
        Output("correlation-state", "children"),
        *restricted,
        Input("crossed", "value"),
        Input("theme", "data"),
        Input("weights", "data"),
        State("leader-board", "columnDefs"),
        State("score-score", "figure"),
        State("measures", "figure"),
        run,
    )(partial(draw, cockpit, derived))


def _register_labels(app: Dash, cockpit: Cockpit, derived: Derived) -> None:
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
    app.callback(
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
    )(partial(suggest, cockpit, derived))


def _register_presses(app: Dash, cockpit: Cockpit) -> None:
    # A lasso on the scatter is a scope of its own: checks, board, matrix and bars follow it.
    app.clientside_callback(
        ClientsideFunction("correlation", "brush"),
        Output("score-truth", "id"),
        Input("score-truth", "figure"),
    )
    app.callback(
        Output("looked-at", "value", allow_duplicate=True),
        Input("pressed", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )(partial(look_at, cockpit))
    app.callback(
        Output("correlation-told", "data"), Input("pressed", "data"), State("run", "data"), prevent_initial_call=True
    )(partial(train, cockpit))
    app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("score-truth", "clickData"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )(partial(select, cockpit))
    app.callback(
        Output("leader-board", "exportDataAsCsv"),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("btn-board-csv", "n_clicks"),
        State("leader-board", "rowData"),
        prevent_initial_call=True,
    )(export)
