"""How updates reach the browser, and the only module that knows: one question at a time about the run that is open.

The browser asks (`assets/live.js`) and is told what has changed since it last heard; an answer that does not come is
told as lost contact. Views listen to the store `pulse`, lists of all runs to `timer`, which beats with the answers,
and what shows watched networks to the store `watched`.
"""

from __future__ import annotations

import time
import zlib
from collections import deque
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from flask import Response, jsonify, request

from app.cockpit import Cockpit
from nas_core.store import RESCORED, StoreError

PATH = "_live/<run>"
QUIET_SECONDS = 2.0
"""New scores alone are told at most this often, so that the views of one pulse are drawn before the next comes."""

_STREAMING = ("scored", "failed", "rescored")
_PACE_SECONDS = 60.0
_PACE_FROM = 20
"""Candidates after which a rate is told: the first ones pay for starting workers and loading images."""


def components(pulse: dict[str, Any] | None = None) -> html.Div:
    """What the page needs: the pulse every view listens to, the beat, news of watched networks, lost contact."""
    return html.Div(
        [
            dcc.Interval(id="timer", disabled=True),
            dcc.Store(id="pulse", data=pulse),
            dcc.Store(id="asked"),
            dcc.Store(id="watched"),
            html.Div(
                [
                    html.Span(id="lost-text"),
                    html.Button("Try now", id="btn-try-now", type="button"),
                ],
                id="lost",
                role="alert",
                hidden=True,
            ),
        ]
    )


def pulse_of(cockpit: Cockpit, run: str) -> dict[str, Any]:
    """What the views are told of a run: it differs whenever they have something new to show."""
    try:
        broken = cockpit.store.health()  # a run is read from a full disk too, though nothing is written any more
        if broken:
            return _marked({"run": run, "error": broken})
        row = cockpit.store.pulse(run)
    except StoreError as error:
        return _marked({"run": run, "error": str(error)})
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
    return _marked(pulse | {"budget": row.budget or 0})


def watched_of(cockpit: Cockpit) -> str:
    """What differs whenever a watched network was added, changed or deleted; empty where the store cannot be read."""
    try:
        return cockpit.store.watched()
    except StoreError:
        return ""


def _marked(pulse: dict[str, Any]) -> dict[str, Any]:
    """With the time, and what tells one pulse from the next: everything but new scores in a number, and the scores."""
    at = time.time()
    steady = sorted((name, str(value)) for name, value in pulse.items() if name not in _STREAMING)
    scores = "-".join(str(pulse.get(name, 0)) for name in _STREAMING)
    return pulse | {"at": at, "mark": {"steady": zlib.crc32(repr(steady).encode()), "scores": scores, "at": at}}


def is_news(pulse: dict[str, Any], steady: str, scores: str, at: float) -> bool:
    """Whether a browser that last heard of `steady` and `scores` at the time `at` is to hear of `pulse`."""
    mark = pulse["mark"]
    if str(mark["steady"]) != steady:
        return True
    if mark["scores"] == scores:
        return False
    return pulse.get("state") != "running" or pulse["at"] - at >= QUIET_SECONDS


class Pace:
    """How fast runs go: candidates a second over the last minute, as seen by whoever looks on."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def of(self, pulse: dict[str, Any]) -> dict[str, Any]:
        """`rate`, candidates a second, and `left`, seconds to go; None where not known yet."""
        run, done = pulse["run"], pulse.get("scored", 0) + pulse.get("failed", 0)
        if pulse.get("state") != "running":
            self._seen.pop(run, None)
            return {"rate": None, "left": None}
        seen = self._seen.setdefault(run, deque())
        if not seen or seen[-1][1] != done:
            seen.append((pulse["at"], done))
        while len(seen) > 2 and pulse["at"] - seen[0][0] > _PACE_SECONDS:
            seen.popleft()
        gone, came = pulse["at"] - seen[0][0], done - seen[0][1]
        if done < _PACE_FROM or came <= 0 or gone <= 0:
            return {"rate": None, "left": None}
        rate = came / gone
        budget = pulse.get("budget") or 0
        return {"rate": rate, "left": (budget - done) / rate if budget > done else None}


def register(app: Dash, cockpit: Cockpit) -> None:
    """The address that browsers ask, and what they do with the answers."""
    pace = Pace()

    def live(run: str) -> Response:
        pulse = pulse_of(cockpit, run)
        told: dict[str, Any] = {"run": run, "watched": watched_of(cockpit), **pace.of(pulse)}
        heard = (request.args.get("steady", ""), request.args.get("scores", ""))
        if is_news(pulse, *heard, request.args.get("at", 0.0, float)):
            told["pulse"] = pulse
        answer = jsonify(told)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    prefix = app.config.requests_pathname_prefix or "/"
    app.server.add_url_rule(f"{app.config.routes_pathname_prefix or prefix}{PATH}", "live", live)
    app.clientside_callback(ClientsideFunction("live", "open"), Output("asked", "data"), Input("run", "data"))
    app.clientside_callback(
        ClientsideFunction("live", "heard"),
        Output("asked", "data", allow_duplicate=True),
        Input("pulse", "data"),
        prevent_initial_call=True,
    )
