"""A card a run: what it says, what can be done, and which of it has changed since it was drawn."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import ALL, dcc, html, no_update

from app import selection
from app.cockpit import Cockpit, View
from app.pages.runs import figures
from app.palette import short
from app.shell import EXTENSION, HINTS, TRAINING, press, progress
from nas_core.store import RunRow

FACTS = {"type": "run-facts", "run": ALL}
ORDERS = {"type": "run-orders", "run": ALL}
Shown = dict[str, list[Any]]
"""By run: its name, what its card says, and the presses that it offers."""

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
    views = {run.id: cockpit.view(run.id) for run in cockpit.store.runs()}
    now: Shown = {run: [view.run.name, facts(view), orders(view)] for run, view in views.items()}
    same = [no_update] * len(drawn)
    if list(now) != drawn or not shown.keys() >= now.keys():
        return [_card(view, *now[run]) for run, view in views.items()], now, same, same
    if shown == now:
        return no_update, no_update, same, same
    return (
        no_update,
        now,
        [no_update if shown[run][1] == now[run][1] else _drawn_facts(views[run], now[run][1]) for run in drawn],
        [no_update if shown[run][2] == now[run][2] else _buttons(run, now[run][2]) for run in drawn],
    )


def facts(view: View) -> list[str]:
    """What a card says, line by line; the first is the state, with its cause."""
    run = view.run
    best = float(np.nanmax(view.ranked)) if np.isfinite(view.ranked).any() else float("nan")
    return [
        f"{HINTS[run.state]}: {run.message}" if run.message else HINTS[run.state],
        f"{run.config.get('strategy', 'scan')} on {run.space_title}, data {_data(run)}, "
        f"seed {run.config.get('seed', 0)}",
        f"{progress(run.scored, run.config.get('budget'))} in {run.busy_seconds:.0f} s, "
        f"best {view.rank_by} {short(best)}",
        *_weights(run),
        f"Acts in force: {len(view.in_force())}",
    ]


def orders(view: View) -> list[str]:
    """The presses that a run offers as it stands. One network trained alone has nothing to extend by."""
    run = view.run
    alone = bool((run.config.get("supernet") or {}).get("arch"))
    found = [order for order in _ORDERS[run.state] if not (alone and order == "extend")]
    if run.config.get("supernet") and not alone and run.state in _ENDED:
        found.append("train")
    if view.acts and run.state in _ENDED:
        found.append("twin")
    return [*found, "report", "script", "delete"]


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


def _card(view: View, name: str, said: list[str], offered: list[str]) -> dmc.Paper:
    run = view.run.id
    return dmc.Paper(
        [
            html.H3(name, style={"margin": "0 0 4px", "fontSize": "15px"}),
            html.Div(_drawn_facts(view, said), id={**FACTS, "run": run}),
            html.Div(_buttons(run, offered), id={**ORDERS, "run": run}, className="orders"),
        ],
        p="sm",
        withBorder=True,
    )


def _drawn_facts(view: View, said: list[str]) -> list[Any]:
    curve = view.ranked[figures.best_positions(view.ranked)] if len(view.ranked) else view.ranked
    points = curve[np.unique(np.linspace(0, len(curve) - 1, _SPARKS).astype(int))] if len(curve) else curve
    return [
        *[html.Div(line, className="support", style={"fontSize": "12px"}) for line in said],
        dmc.Sparkline(
            data=[float(value) for value in points if np.isfinite(value)],
            h=28,
            mt=4,
            color="blue",
            fillOpacity=0.2,
            **{"aria-label": f"best {view.rank_by} so far"},
        ),
    ]


def _buttons(run: str, offered: list[str]) -> list[Any]:
    return [
        dcc.Link("Open", href=f"/{selection.write(run, None)}"),
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
