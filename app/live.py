"""How updates reach the browser: cursor polling. The only module to change for streaming."""

from __future__ import annotations

import time
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from app.cockpit import Cockpit
from nas_core.store import RESCORED, StoreError

POLL_MILLISECONDS = 500
QUIET_SECONDS = 2.0
"""New scores alone are told at most this often, so that the views of one pulse are drawn before the next comes."""


def components() -> html.Div:
    """What the page needs: the timer, and the pulse every view listens to."""
    return html.Div(
        [
            dcc.Interval(id="timer", interval=POLL_MILLISECONDS),
            dcc.Store(id="pulse"),
        ]
    )


def pulse_of(cockpit: Cockpit, run: str) -> dict[str, Any]:
    """What the views are told of a run: it differs whenever they have something new to show."""
    try:
        broken = cockpit.store.health()  # a run is read from a full disk too, though nothing is written any more
        if broken:
            return {"run": run, "error": broken, "at": time.time()}
        row = cockpit.store.pulse(run)
    except StoreError as error:
        return {"run": run, "error": str(error), "at": time.time()}
    held = row.log_counts
    pulse = {
        "run": run,
        "state": row.state,
        "message": row.message,
        "scored": row.scored,
        "failed": row.failed,
        "engine": cockpit.engine_problem(),
        "acts": row.acts,
        "answers": held.get("answer", 0),
        "rescored": held.get(RESCORED, 0),
        "losses": held.get("loss", 0),
        "trained": len(cockpit.trained(run)) if held.get("training") else 0,
    }
    return pulse | {"budget": row.budget or 0, "at": time.time()}


def register(app: Dash, cockpit: Cockpit) -> None:
    """The callback that turns a changed store into a new pulse; an unchanged one costs the browser nothing."""

    @app.callback(
        Output("pulse", "data"),
        Input("timer", "n_intervals"),
        Input("run", "data"),
        State("pulse", "data"),
    )
    def beat(_tick: int | None, run: str | None, before: dict[str, Any] | None) -> Any:
        if not run:
            return no_update
        now = pulse_of(cockpit, run)
        before = before or {}
        changed = {name for name in now if now[name] != before.get(name) and name != "at"}
        streaming = changed <= {"scored", "failed", "rescored"} and now.get("state") == "running"
        if not changed or (streaming and now["at"] - before["at"] < QUIET_SECONDS):
            return no_update
        return now
