"""What the Runs page does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from app import selection
from app.cockpit import DEFAULT_CONFIG, Cockpit
from app.palette import short
from app.shell import HINTS, notification, press, pressed
from nas_core.proxies.settings import ScoreSettings
from nas_core.store import RunRow, StoreError


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
    ) -> tuple[Any, Any]:
        if not _clicks:
            return no_update, no_update
        if not isinstance(budget, int) or budget < 1 or not isinstance(seed, int):
            return no_update, notification(
                f"budget {budget!r}, seed {seed!r}: expected whole numbers, budget at least 1"
            )
        if not scores:
            return no_update, notification("no score chosen: expected at least one; the first ranks the candidates")
        base = getattr(ScoreSettings, preset)()
        settings = replace(base, data=data or "digits", seed=seed).to_dict()
        config = {
            **DEFAULT_CONFIG,
            "proxies": scores,
            "rank_by": scores[0],
            "strategy": strategy,
            "budget": budget,
            "seed": seed,
            "settings": settings,
        }
        config["batch"] = DEFAULT_CONFIG["batch"] if strategy == "scan" else 8  # a strategy that learns asks often
        try:
            run = cockpit.store.create_run(space, config, name or "")
        except StoreError as error:
            return no_update, notification(str(error))
        return selection.write(run, None), notification("The run is ready; press Start.", failed=False)

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


def _button(label: str, told: dict[str, str], **style: str) -> dmc.Button:
    return dmc.Button(label, size="compact-xs", variant="light", **told, **style)


def _card(cockpit: Cockpit, run: RunRow) -> Any:
    view = cockpit.view(run.id)
    best = float(np.nanmax(view.ranked)) if np.isfinite(view.ranked).any() else float("nan")
    order = {"created": "start", "stopped": "start", "failed": "start", "paused": "resume"}.get(
        run.state, "pause" if run.state in ("queued", "running") else ""
    )
    lines = [
        f"{HINTS[run.state]} {run.message}",
        f"{run.config.get('strategy', 'scan')} on {run.space}, data {(run.config.get('settings') or {}).get('data')}, "
        f"seed {run.config.get('seed', 0)}",
        f"{run.scored:,} of {int(run.config.get('budget', 0)):,} scored in {run.busy_seconds:.0f} s, "
        f"best {view.rank_by} {short(best)}",
        f"Acts in force: {len(view.in_force())}",
    ]
    return dmc.Paper(
        [
            html.H3(run.name, style={"margin": "0 0 4px", "fontSize": "15px"}),
            *[html.Div(line, className="support", style={"fontSize": "12px"}) for line in lines],
            dmc.Group(
                [
                    dcc.Link("Open", href=f"/{selection.write(run.id, None)}"),
                    *([_button(order.capitalize(), press(order, run.id))] if order else []),
                    _button("Delete", press("delete", run.id), color="red"),
                ],
                mt="xs",
            ),
        ],
        p="sm",
        withBorder=True,
    )
