"""What the Runs page does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from app import selection
from app.best_so_far import best_positions
from app.cockpit import Cockpit
from app.labels import ranking_label
from app.pages.runs import cards, figures
from app.pages.runs.cards import FACTS, ORDERS
from app.pages.runs.layout import COMPARE_HINT, COSTS
from app.pages.runs.wanted import Wanted, missing_path
from app.palette import short
from app.presses import notification, pressed
from app.report import report
from nas_core import bench
from nas_core.config import SEARCH, strategy_names
from nas_core.store import RunRow, session_script


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""

    @app.callback(
        Output("run-cards", "children"),
        Output("run-cards-shown", "data"),
        Output(FACTS, "children"),
        Output(ORDERS, "children"),
        Input("pulse", "data"),
        Input("timer", "n_intervals"),
        State("run-cards-shown", "data"),
        State(FACTS, "id"),
    )
    def draw(_pulse: Any, tick: int | None, shown: cards.Shown | None, drawn: list[dict[str, str]]) -> Any:
        """What has not changed is not drawn again: it may have the focus, or be held under the pointer."""
        if drawn and ctx.triggered_id == "timer" and (tick or 0) % 4:
            raise PreventUpdate
        return cards.update(cockpit, shown or {}, [identifier["run"] for identifier in drawn])

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("btn-new", "n_clicks"),
        State("new-name", "value"),
        State("new-strategy", "value"),
        State("new-budget", "value"),
        State("new-seed", "value"),
        State("new-data", "value"),
        State("new-space", "value"),
        State("new-proxies", "value"),
        State("new-preset", "value"),
        State("new-cost", "value"),
        State("new-task", "value"),
        State("new-options", "value"),
        prevent_initial_call=True,
    )
    def create(
        _clicks: int,
        name: str,
        strategy: str,
        budget: Any,
        seed: Any,
        data: str,
        space: str,
        scores: list[str],
        preset: str,
        cost: str,
        task: str,
        options: str,
    ) -> tuple[Any, Any]:
        if not _clicks:
            return no_update, no_update
        wanted = Wanted(strategy, budget, seed, data, space, scores, preset, cost, task, options)
        try:
            config = wanted.config()
            run = cockpit.store.create_run(config, name or "")
        except ValueError as error:
            return no_update, notification(str(error))
        path = missing_path(config.data)
        text = "The run is ready; press Start."
        text += f" There is no {path!r} on this machine: the engine's must have it." if path else ""
        return selection.write(run, None), notification(text, failed=False)

    @app.callback(
        Output("new-cost", "disabled"),
        Output("new-options", "disabled"),
        Input("new-strategy", "value"),
        Input("new-task", "value"),
    )
    def priced(strategy: str, task: str) -> tuple[bool, bool]:
        """Only a search for several objectives has a cost, and only work that was added has options."""
        return strategy not in strategy_names(several_objectives=True) or task != SEARCH, task == SEARCH

    @app.callback(Output("new-cost", "data"), Input("new-space", "value"))
    def costs(space: str) -> list[str]:
        """Counts, a measured latency, and every column of the space's tables of which less is better."""
        columns = [
            f"{table.name}/{column.name}"
            for table in bench.tables(space)
            for column in table.columns
            if not column.higher_is_better
        ]
        return [*COSTS, *columns]

    @app.callback(
        Output("compared-runs", "data"),
        Input("run-cards", "children"),
        State("compared-runs", "data"),
    )
    def comparable(_cards: Any, before: Any) -> Any:
        found = [{"value": run.id, "label": run.name} for run in cockpit.store.runs()]
        return no_update if found == before else found

    @app.callback(
        Output("comparison", "figure"),
        Output("comparison-figure", "hidden"),
        Output("comparison-text", "children"),
        Input("compared-runs", "value"),
        Input("theme", "data"),
        Input("truth", "data"),
        prevent_initial_call=True,
    )
    def compare(chosen: list[str] | None, theme: str, truth: str | None) -> tuple[Any, Any, Any]:
        held = {run.id for run in cockpit.store.runs()}
        found = [_course(cockpit, run, truth) for run in chosen or () if run in held]
        if len(found) < 2:
            return no_update, True, COMPARE_HINT
        text = "; ".join(_outcome(course) for course in found)
        return figures.courses(found, theme), False, text + _gain(cockpit, [run for run in chosen or () if run in held])

    @app.callback(
        Output("session-download", "data"),
        Input("pressed", "data"),
        State("truth", "data"),
        prevent_initial_call=True,
    )
    def download(told: dict[str, Any] | None, truth: str | None) -> Any:
        words = pressed(told, "script", "report")
        if not words:
            return no_update
        if words[0] == "report":
            document = report(cockpit, words[1], truth)
            return {"content": document, "filename": f"report-{words[1]}.html", "type": "text/html"}
        script = session_script(cockpit.store, words[1])
        return {
            "content": json.dumps(script, indent=1),
            "filename": f"session-{words[1]}.json",
            "type": "application/json",
        }

    @app.callback(
        Output("delete-modal", "opened"),
        Output("delete-modal", "title"),
        Output("delete-text", "children"),
        Output("delete-run", "data"),
        Input("pressed", "data"),
        prevent_initial_call=True,
    )
    def ask(told: dict[str, Any] | None) -> tuple[Any, ...]:
        words = pressed(told, "delete")
        if not words or not cockpit.holds(words[1]):
            return (no_update,) * 4
        run = cockpit.store.run(words[1])
        return True, f"Delete “{run.name}”?", _lost(cockpit, run), run.id

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("delete-modal", "opened", allow_duplicate=True),
        Input("btn-delete-yes", "n_clicks"),
        State("delete-run", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def delete(_clicks: int, run: str | None, current: str) -> tuple[Any, Any]:
        if not _clicks or not run:
            return no_update, no_update
        if cockpit.holds(run):  # another browser may have been first
            if cockpit.store.run(run).state in ("running", "queued"):
                cockpit.store.command(run, "stop")
            cockpit.store.delete_run(run)
        return (selection.write(cockpit.ensure_run(), None) if run == current else no_update), False


def _lost(cockpit: Cockpit, run: RunRow) -> str:
    """What goes with a run that is deleted, and what stays."""
    acts = cockpit.store.log_counts(run.id).get("act", 0)
    lost = [f"scored candidates ({run.scored:,})", f"acts ({acts:,})"]
    lost += ["trained weights"] if run.config.supernet is not None else []
    return f"Run {run.id} is deleted with its {', '.join(lost[:-1])} and {lost[-1]}. Cached scores stay."


def _course(cockpit: Cockpit, run: str, choice: str | None) -> figures.Course:
    view = cockpit.view(run)
    truth = cockpit.truth(view.run.space, choice)
    known = np.full(len(view.indices), np.nan) if truth is None else truth.over(view.table)[view.indices]
    about = ("", "") if truth is None else (truth.axis, truth.unit)
    return figures.Course(view.run.name, ranking_label(view.rank_by), view.ranked, known, *about)


def _outcome(course: figures.Course) -> str:
    """What came of a run, in a sentence."""
    if not np.isfinite(course.values).any():
        return f"{course.name}: nothing scored yet"
    best = best_positions(course.values)[-1]
    text = f"{course.name}: best {course.metric} {short(float(course.values[best]))} of {len(course.values):,}"
    return text if np.isnan(course.truth[best]) else f"{text}, truly {short(float(course.truth[best]))}{course.unit}"


def _gain(cockpit: Cockpit, chosen: list[str]) -> str:
    """What steering gained, where one of two runs is the other's twin; else nothing."""
    runs = {run: cockpit.store.run(run) for run in chosen}
    pair = next(((run.config.twin_of, run.id) for run in runs.values() if run.config.twin_of in runs), None)
    if pair is None:
        return ""
    try:
        found = bench.compare_twins(*(cockpit.view(run).ranked for run in pair))
    except ValueError as error:
        return f". No comparison of the twins yet: {error}"
    difference = found.difference
    text = f". Steered minus unsteered, mean of the {found.best} best after {found.n}: {difference.value:+.3g} "
    text += f"[{difference.low:+.3g}, {difference.high:+.3g}] (95 %, over candidates, not over seeds)"
    if found.reached is None:
        return text + "; the steered run never reached the unsteered one's"
    return text + f"; the unsteered one's was reached after {found.reached} ({found.reached / found.n:.0%})"
