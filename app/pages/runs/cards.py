"""A card a run: what it says, what can be done, and which of it has changed since it was drawn."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import ALL, dcc, html, no_update

from app import selection
from app.best_so_far import best_positions
from app.cockpit import Cockpit
from app.palette import short
from app.presses import press
from app.states import EXTENSION, HINTS, SIGNS, TRAINING, progress
from nas_core.store import RunRow

FACTS = {"type": "run-facts", "run": ALL}
ORDERS = {"type": "run-orders", "run": ALL}
Shown = dict[str, list[Any]]
"""By run: its name, what its card says, and the presses that it offers."""

WITH_CANDIDATES = ("search", "alone", "weights")
"""Kinds of work over a search space."""
_SPARKS = 60
_LABELS = {"extend": f"Extend by {EXTENSION}", "train": f"Train {TRAINING} epochs on"}
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


def update(cockpit: Cockpit, shown: Shown, drawn: list[str]) -> tuple[Any, Any, list[Any], list[Any]]:
    """All cards anew where there are other runs than those `drawn`, else the facts and the buttons that changed.

    Returns:
        all cards, what they show, and by drawn card its facts and its buttons; each `no_update` where nothing changed.
    """
    runs = {run.id: run for run in cockpit.store.runs()}
    now: Shown = {run.id: [run.name, facts(cockpit, run), orders(run)] for run in runs.values()}
    same = [no_update] * len(drawn)
    if list(now) != drawn or not shown.keys() >= now.keys():
        return [_card(cockpit, run, *now[run.id]) for run in runs.values()], now, same, same
    if shown == now:
        return no_update, no_update, same, same
    return (
        no_update,
        now,
        [no_update if shown[run][1] == now[run][1] else _drawn_facts(cockpit, runs[run], now[run][1]) for run in drawn],
        [no_update if shown[run][2] == now[run][2] else _buttons(run, now[run][2]) for run in drawn],
    )


def facts(cockpit: Cockpit, run: RunRow) -> list[str]:
    """What a card says, line by line; the first is the state, with its cause. Read from counters, not candidates."""
    config = run.config
    word, hint = SIGNS[run.state][1], run.message or HINTS.get(run.state, "")
    state = f"{word}: {hint}" if hint else word
    if config.problem:
        state = f"{state}. Its configuration cannot be read whole: {config.problem}"
    if config.task_name not in WITH_CANDIDATES:
        return [state, f"{config.task}, seed {config.seed}", f"{run.busy_seconds:.0f} s of work"]
    what = {"alone": "one network", "weights": "shared weights"}.get(config.task_name, config.strategy)
    best = best_curve(cockpit, run)
    return [
        state,
        f"{what} on {run.space_title}, data {config.data}, seed {config.seed}",
        f"{progress(run.scored, config.budget)} in {run.busy_seconds:.0f} s, "
        f"best {config.rank_by} {short(best[-1] if best else float('nan'))}",
        *([f"{run.failed:,} failed"] if run.failed else []),
        *_weights(run),
        f"Acts in force: {cockpit.acts_in_force(run)}",
    ]


def orders(run: RunRow) -> list[str]:
    """The presses that a run offers as it stands. One network trained alone has nothing to extend by."""
    task = run.config.task_name
    found = [order for order in _ORDERS[run.state] if order != "extend" or task == "search"]
    if task not in WITH_CANDIDATES:
        return [*found, "delete"]
    if run.config.supernet is not None and task != "alone" and run.state in _ENDED:
        found.append("train")
    if run.acts and run.state in _ENDED:
        found.append("twin")
    return [*found, "report", "script", "delete"]


def best_curve(cockpit: Cockpit, run: RunRow) -> list[float]:
    """The best value after so many candidates, rising; from the candidates themselves where no engine summed it up."""
    steps = np.array(run.summary.get("curve", []), dtype=float).reshape(-1, 2)
    if len(steps):
        at = np.linspace(steps[0, 0], max(run.scored, steps[-1, 0]), _SPARKS)
        return [float(value) for value in steps[np.searchsorted(steps[:, 0], at, side="right") - 1, 1]]
    if not run.scored:
        return []
    ranked = cockpit.view(run.id).ranked
    best = ranked[best_positions(ranked)] if len(ranked) else ranked
    points = best[np.unique(np.linspace(0, len(best) - 1, _SPARKS).astype(int))] if len(best) else best
    return [float(value) for value in points if np.isfinite(value)]


def _weights(run: RunRow) -> list[str]:
    """A line about a run's training, where it has one."""
    config = run.config
    if config.supernet is None:
        return []
    what = "one network alone" if config.alone else "shared weights"
    return [f"Trains {what}, {config.epochs:g} epochs in all; {run.weights_step:,} steps done"]


def _card(cockpit: Cockpit, run: RunRow, name: str, said: list[str], offered: list[str]) -> dmc.Paper:
    return dmc.Paper(
        [
            html.H3(name, style={"margin": "0 0 4px", "fontSize": "15px"}),
            html.Div(_drawn_facts(cockpit, run, said), id={**FACTS, "run": run.id}),
            html.Div(_buttons(run.id, offered), id={**ORDERS, "run": run.id}, className="orders"),
        ],
        p="sm",
        withBorder=True,
    )


def _drawn_facts(cockpit: Cockpit, run: RunRow, said: list[str]) -> list[Any]:
    lines = [html.Div(line, className="support", style={"fontSize": "12px"}) for line in said]
    if run.config.task_name not in WITH_CANDIDATES:
        return lines
    return [
        *lines,
        dmc.Sparkline(
            data=best_curve(cockpit, run),
            h=28,
            mt=4,
            color="blue",
            fillOpacity=0.2,
            **{"aria-label": f"best {run.config.rank_by} so far"},
        ),
    ]


def _buttons(run: str, offered: list[str]) -> list[Any]:
    return [
        dcc.Link("Open", href=selection.path_of("/") + selection.write(run, None)),
        *(
            dmc.Button(
                _LABELS.get(order, order.capitalize()),
                size="compact-xs",
                variant="light",
                **press(order, run),
                **({"color": "red"} if order == "delete" else {}),
            )
            for order in offered
        ),
    ]
