"""What the Runs page does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from app import selection
from app.cockpit import DEFAULT_CONFIG, Cockpit, turned
from app.pages.runs import figures
from app.pages.runs.layout import COMPARE_HINT
from app.palette import short
from app.report import report
from app.shell import EXTENSION, HINTS, TRAINING, notification, press, pressed
from nas_core import bench, spaces
from nas_core.ladder import AGGREGATE
from nas_core.proxies.settings import ScoreSettings
from nas_core.store import RunRow, StoreError, session_script

_SPARKS = 60
_LABELS = {"extend": f"Extend by {EXTENSION}"}
_ENDED = ("paused", "stopped", "finished")
_ORDERS = {
    "created": ("start",),
    "queued": ("pause", "stop"),
    "running": ("pause", "stop"),
    "paused": ("resume", "stop"),
    "stopped": ("start",),
    "finished": ("extend",),
    "failed": ("start",),
}
"""What can be done with a run in each state."""


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""

    @app.callback(
        Output("run-cards", "children"),
        Input("pulse", "data"),
        Input("timer", "n_intervals"),
        State("run-cards", "children"),
    )
    def cards(_pulse: Any, tick: int | None, before: Any) -> Any:
        if before and ctx.triggered_id == "timer" and (tick or 0) % 4:
            return no_update
        return [_card(cockpit, run) for run in cockpit.store.runs()]

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
    ) -> tuple[Any, Any]:
        if not _clicks:
            return no_update, no_update
        if not isinstance(budget, int) or budget < 1 or not isinstance(seed, int):
            return no_update, notification(
                f"budget {budget!r}, seed {seed!r}: expected whole numbers, budget at least 1"
            )
        if not scores:
            return no_update, notification("no score chosen: expected at least one; the first ranks the candidates")
        rank_by = AGGREGATE if AGGREGATE in scores else scores[0]
        scores = [score for score in scores if score != AGGREGATE]
        if rank_by == AGGREGATE and len(scores) < 2:
            return no_update, notification("an aggregate sums the ranks of several scores: expected at least two")
        costs = [cost] if strategy == "pareto" else []
        if rank_by in costs:
            return no_update, notification(
                f"{cost} ranks the candidates: expected another cost, or another first score"
            )
        base = getattr(ScoreSettings, preset)()
        settings = replace(base, data=data or "digits", seed=seed).to_dict()
        config = {
            **DEFAULT_CONFIG,
            "proxies": [*scores, *(c for c in costs if c not in (*scores, *spaces.get(space).metric_names))],
            "rank_by": rank_by,
            "strategy": strategy,
            "budget": budget,
            "seed": seed,
            "settings": settings,
        }
        config |= {"costs": costs} if costs else {}
        config["batch"] = DEFAULT_CONFIG["batch"] if strategy == "scan" else 8  # a strategy that learns asks often
        try:
            run = cockpit.store.create_run(space, config, name or "")
        except StoreError as error:
            return no_update, notification(str(error))
        return selection.write(run, None), notification("The run is ready; press Start.", failed=False)

    @app.callback(Output("new-cost", "disabled"), Input("new-strategy", "value"))
    def priced(strategy: str) -> bool:
        """Only a Pareto search has a cost."""
        return strategy != "pareto"

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
        prevent_initial_call=True,
    )
    def compare(chosen: list[str] | None, theme: str) -> tuple[Any, Any, Any]:
        held = {run.id for run in cockpit.store.runs()}
        found = [_course(cockpit, run) for run in chosen or () if run in held]
        if len(found) < 2:
            return no_update, True, COMPARE_HINT
        text = "; ".join(_outcome(course) for course in found)
        return figures.courses(found, theme), False, text + _gain(cockpit, [run for run in chosen or () if run in held])

    @app.callback(Output("session-download", "data"), Input("pressed", "data"), prevent_initial_call=True)
    def download(told: dict[str, Any] | None) -> Any:
        words = pressed(told, "script", "report")
        if not words:
            return no_update
        if words[0] == "report":
            document = report(cockpit, words[1])
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
        Input("pressed", "data"),
        prevent_initial_call=True,
    )
    def ask(told: dict[str, Any] | None) -> tuple[Any, Any]:
        words = pressed(told, "delete")
        return (True, f"Delete run {words[1]}?") if words else (no_update, no_update)

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("delete-modal", "opened", allow_duplicate=True),
        Input("btn-delete-yes", "n_clicks"),
        State("delete-modal", "title"),
        State("run", "data"),
        prevent_initial_call=True,
    )
    def delete(_clicks: int, title: str, current: str) -> tuple[Any, Any]:
        if not _clicks:
            return no_update, no_update
        run = title.removeprefix("Delete run ").rstrip("?")
        if cockpit.store.run(run).state in ("running", "queued"):
            cockpit.store.command(run, "stop")
        cockpit.store.delete_run(run)
        return (selection.write(cockpit.ensure_run(), None) if run == current else no_update), False


def _course(cockpit: Cockpit, run: str) -> figures.Course:
    view = cockpit.view(run)
    truth = cockpit.truth(view.run.space)
    known = np.full(len(view.indices), np.nan) if truth is None else truth.iloc[view.indices, 0].to_numpy(dtype=float)
    return figures.Course(view.run.name, turned(view.rank_by), view.ranked, known)


def _outcome(course: figures.Course) -> str:
    """What came of a run, in a sentence."""
    if not np.isfinite(course.values).any():
        return f"{course.name}: nothing scored yet"
    best = figures.best_positions(course.values)[-1]
    text = f"{course.name}: best {course.metric} {short(float(course.values[best]))} of {len(course.values):,}"
    return text if np.isnan(course.truth[best]) else f"{text}, truly {short(float(course.truth[best]))} %"


def _gain(cockpit: Cockpit, chosen: list[str]) -> str:
    """What steering gained, where one of two runs is the other's twin; else nothing."""
    runs = {run: cockpit.store.run(run) for run in chosen}
    pair = next(((run.config["twin_of"], run.id) for run in runs.values() if run.config.get("twin_of") in runs), None)
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


def _trains_on(run: RunRow) -> bool:
    """Whether a run has shared weights that can be trained further."""
    supernet = run.config.get("supernet") or {}
    return bool(supernet) and not supernet.get("arch") and run.state in _ENDED


def _data(run: RunRow) -> str:
    """The images that a run scores, or trains, on."""
    return str((run.config.get("supernet") or run.config.get("settings") or {}).get("data"))


def _weights(run: RunRow) -> list[str]:
    """A line about a run's training, where it has one."""
    supernet = run.config.get("supernet")
    if not supernet:
        return []
    step = int(((run.strategy_state or {}).get("training") or {}).get("step", 0))
    what = "one network alone" if supernet.get("arch") else "shared weights"
    return [f"Trains {what}, {supernet.get('epochs', 0):g} epochs in all; {step:,} steps done"]


def _button(label: str, told: dict[str, str], **style: str) -> dmc.Button:
    return dmc.Button(label, size="compact-xs", variant="light", **told, **style)


def _card(cockpit: Cockpit, run: RunRow) -> Any:
    view = cockpit.view(run.id)
    best = float(np.nanmax(view.ranked)) if np.isfinite(view.ranked).any() else float("nan")
    orders = _ORDERS[run.state]
    curve = view.ranked[figures.best_positions(view.ranked)] if len(view.ranked) else view.ranked
    points = curve[np.unique(np.linspace(0, len(curve) - 1, _SPARKS).astype(int))] if len(curve) else curve
    lines = [
        f"{HINTS[run.state]}: {run.message}" if run.message else HINTS[run.state],
        f"{run.config.get('strategy', 'scan')} on {run.space_title}, data {_data(run)}, "
        f"seed {run.config.get('seed', 0)}",
        f"{run.scored:,} of {int(run.config.get('budget', 0)):,} scored in {run.busy_seconds:.0f} s, "
        f"best {view.rank_by} {short(best)}",
        *_weights(run),
        f"Acts in force: {len(view.in_force())}",
    ]
    return dmc.Paper(
        [
            html.H3(run.name, style={"margin": "0 0 4px", "fontSize": "15px"}),
            *[html.Div(line, className="support", style={"fontSize": "12px"}) for line in lines],
            dmc.Sparkline(
                data=[float(value) for value in points if np.isfinite(value)],
                h=28,
                mt=4,
                color="blue",
                fillOpacity=0.2,
                **{"aria-label": f"best {view.rank_by} so far"},
            ),
            dmc.Group(
                [
                    dcc.Link("Open", href=f"/{selection.write(run.id, None)}"),
                    *(_button(_LABELS.get(order, order.capitalize()), press(order, run.id)) for order in orders),
                    *([_button(f"Train {TRAINING} epochs on", press("train", run.id))] if _trains_on(run) else []),
                    *([_button("Twin", press("twin", run.id))] if view.acts and run.state in _ENDED else []),
                    _button("Report", press("report", run.id)),
                    _button("Script", press("script", run.id)),
                    _button("Delete", press("delete", run.id), color="red"),
                ],
                mt="xs",
                gap="xs",
            ),
        ],
        p="sm",
        withBorder=True,
    )
