"""How updates reach the browser: cursor polling. The only module to change for streaming."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from app.cockpit import Cockpit
from nas_core.store import StoreError

POLL_MILLISECONDS = 500


def components() -> html.Div:
    """What the page needs: the timer, the pulse every view listens to, and a poke for acts of this browser."""
    return html.Div(
        [
            dcc.Interval(id="timer", interval=POLL_MILLISECONDS),
            dcc.Store(id="pulse"),
            dcc.Store(id="poke", data=0),
        ]
    )


def register(app: Dash, cockpit: Cockpit) -> None:
    """The callback that turns a changed store into a new pulse; an unchanged one costs the browser nothing."""

    @app.callback(
        Output("pulse", "data"),
        Input("timer", "n_intervals"),
        Input("poke", "data"),
        Input("run", "data"),
        State("pulse", "data"),
    )
    def beat(_tick: int | None, _poke: int, run: str | None, before: dict[str, Any] | None) -> Any:
        if not run:
            return no_update
        try:
            row = cockpit.store.run(run)
            acts = len(cockpit.store.log(run, kind="act"))
        except StoreError as error:
            now: dict[str, Any] = {"run": run, "error": str(error)}
        else:
            now = {"run": run, "state": row.state, "message": row.message, "scored": row.scored, "acts": acts}
            now["budget"] = int(row.config.get("budget", 0))
        return no_update if now == before else now
