"""The top bar: which run is open, how it stands, and what can be done with it; the same place on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from app import live, page, selection, truth_picker
from app.cockpit import Cockpit
from app.presses import notification, notify, pressed
from app.states import EXTENSION, HINTS, SIGNS, TRAINING, pill, progress, share
from nas_core import spaces
from nas_core.store import RunRow, StoreError

GONE = "This run was deleted; choose another under Runs"
NONE_OPEN = "No run is open; choose one at the left"
_COMMANDS = ("start", "pause", "resume", "stop", "extend", "train", "twin")


def layout() -> html.Header:
    """Run picker, state, progress, commands; truth, help and theme at the right."""
    return html.Header(
        [
            dmc.Select(
                id="run-picker",
                className="run-picker",
                searchable=True,
                allowDeselect=False,
                nothingFoundMessage="No run of that name. All stand under Runs.",
                maxDropdownHeight=420,
                comboboxProps={"width": 380, "position": "bottom-start"},
                renderOption={"function": "runOption"},
                **{"aria-label": "Run that is open"},
            ),
            html.Div(id="run-status", role="status", className="run-status", tabIndex=0),
            html.Div(
                [
                    html.Div(
                        html.Div(id="run-bar-fill"),
                        id="run-bar",
                        role="progressbar",
                        **{"aria-label": "Share of the budget used", "aria-valuemin": "0", "aria-valuemax": "100"},
                    ),
                    html.Div(id="run-pace", className="run-pace"),
                ],
                className="run-state",
            ),
            html.Div(
                [_command("start", "▶", "Start"), _command("pause", "❚❚", "Pause"), _command("stop", "■", "Stop")],
                className="commands",
                role="group",
                **{"aria-label": "The run"},
            ),
            html.Div(className="spring"),
            truth_picker.picker(),
            html.Button(
                ["Help ", html.Kbd("?")], id="btn-help", type="button", className="quiet", **{"data-local": "yes"}
            ),
            html.Button(
                "◐",
                id="btn-theme",
                type="button",
                className="quiet theme",
                title="Dark or light",
                **{"aria-label": "Dark or light", "data-local": "yes"},
            ),
            dcc.Store(id="theme"),
        ],
        className="top-bar",
    )


def _command(name: str, sign: str, word: str) -> html.Button:
    return html.Button(
        [html.Span(sign, className="sign", **{"aria-hidden": "true"}), html.Span(word, id=f"btn-{name}-word")],
        id=f"btn-{name}",
        type="button",
        className=f"command {name}",
        disabled=True,
    )


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind the callbacks of the bar."""
    app.callback(
        Output("run", "data"),
        Output("arch", "data"),
        Output("address-told", "children"),
        Output("pulse", "data", allow_duplicate=True),
        Input("url", "search"),
        State("run", "data"),
        State("arch", "data"),
        prevent_initial_call=True,
    )(partial(select, cockpit))
    app.callback(
        Output("url", "search"),
        Input("run-picker", "value"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )(pick)
    app.callback(
        Output("run-picker", "data"), Output("run-picker", "value"), Input("run", "data"), Input("url", "pathname")
    )(partial(runs, cockpit))
    app.callback(
        Output("pulse", "data", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("btn-start", "n_clicks"),
        Input("btn-pause", "n_clicks"),
        Input("btn-stop", "n_clicks"),
        Input("pressed", "data"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )(partial(command, cockpit))
    app.callback(
        Output("run-status", "children"),
        Output("run-status", "title"),
        Output("page", "className"),
        Output("run-bar", "style"),
        Output("run-bar", "aria-valuenow"),
        Output("btn-start-word", "children"),
        Output("btn-start", "disabled"),
        Output("btn-start", "title"),
        Output("btn-pause", "disabled"),
        Output("btn-pause", "title"),
        Output("btn-stop", "disabled"),
        Output("btn-stop", "title"),
        Input("pulse", "data"),
        Input("url", "pathname"),
        State("run", "data"),
    )(partial(status, cockpit))
    app.clientside_callback(
        ClientsideFunction("theme", "toggle"), Output("theme", "data"), Input("btn-theme", "n_clicks")
    )
    truth_picker.register(app, cockpit)


@dataclass(frozen=True)
class Chosen:
    """The run and the architecture of an address, and what is told of one that is not there."""

    run: str
    arch: str | None
    problem: str = ""


def chosen(cockpit: Cockpit, search: str | None, current: str | None) -> Chosen:
    """What an address chooses: where it names no run the current one, else the newest.

    A run that is not there opens no other one: the run is empty then, where it is None before the first answer.
    """
    run, arch = selection.read(search)
    if run and not cockpit.holds(run):
        return Chosen(
            selection.NO_RUN,
            None,
            f"No run is open: the one of this address ({_short(run)}) was deleted, or is in another store.",
        )
    run = run or (current if current and cockpit.holds(current) else cockpit.ensure_run())
    problem = unknown_candidate(cockpit.store.run(run), arch) if arch else ""
    return Chosen(run, None if problem else arch, problem)


def select(cockpit: Cockpit, search: str | None, current: str | None, arch: str | None) -> tuple[Any, Any, str, Any]:
    """Run and architecture of an address where they are others than now, what is told, and the pulse without a run."""
    found = chosen(cockpit, search, current)
    if found.problem:
        notify(found.problem)
    return (
        no_update if found.run == current else found.run,
        no_update if found.arch == arch else found.arch,
        found.problem,
        None if found.run == selection.NO_RUN else no_update,
    )


def pick(value: str | None, current: str | None, search: str | None) -> Any:
    """The address of the run that was picked."""
    return no_update if not value or value == current else selection.moved(search, value, None)


def runs(cockpit: Cockpit, run: str | None, _path: str) -> tuple[list[dict[str, str]], Any]:
    """What the picker lists, and the run that it shows."""
    found = [_option(row) for row in cockpit.store.runs()]
    # A page that is opened together with another run must not pick the one before.
    moved = any(item["prop_id"] in ("run.data", ".") for item in ctx.triggered)  # a point: the page opens with it
    return found, run if moved else no_update


def command(
    cockpit: Cockpit,
    _start: int | None,
    _pause: int | None,
    _stop: int | None,
    told: dict[str, Any] | None,
    run: str | None,
    search: str | None,
) -> tuple[Any, Any]:
    """Carry out a command, for the run that it was pressed on: the pulse after it, or why it cannot be done."""
    shown = run
    if ctx.triggered_id == "pressed":
        name, run = pressed(told, *_COMMANDS) or ("", None)
    else:
        name = {"btn-start": "start", "btn-pause": "pause", "btn-stop": "stop"}[str(ctx.triggered_id)]
        # The address is ahead of what is drawn: who opened a run and presses at once means that run.
        opened = selection.read(search)[0]
        run = shown = opened if opened and cockpit.holds(opened) else run
    if not run:
        return no_update, no_update
    try:
        if name == "twin":
            return no_update, notification(cockpit.twin(run), failed=False)
        order(cockpit, run, name)
    except ValueError as error:
        return no_update, notification(str(error))
    return live.pulse_of(cockpit, shown or run), no_update


def status(cockpit: Cockpit, pulse: dict[str, Any] | None, path: str | None, run: str | None) -> tuple[Any, ...]:
    """How the run stands, in a pill, words and a bar, and which commands do something now."""
    text, state = told(cockpit, pulse), state_of(pulse)
    if text == GONE:
        state = "gone"
    if run == selection.NO_RUN:
        text, state = NONE_OPEN, "none"
    done = share(pulse or {})
    shown = page.at(selection.below(path))
    why = {name: idle_because(name, state) for name in ("start", "pause", "stop")}
    if shown is not None and not shown.about_run:
        why = dict.fromkeys(why, f"{shown.title} is not about a run; open the Navigator to steer one.")
    commands = [part for name in why for part in (bool(why[name]), why[name] or _DOES[name])]
    return (
        [*([pill(state)] if state in SIGNS else []), html.Span(text, className="run-told")],
        text,
        {"gone": "gone", "none": "none-open"}.get(state, ""),
        {"--share": f"{done:.2%}"} if done is not None else {"visibility": "hidden"},
        f"{100 * (done or 0):.0f}",
        {"paused": "Resume", "stopped": "Start again"}.get(state, "Start"),
        *commands,
    )


def unknown_candidate(run: RunRow, arch: str) -> str:
    """Why an address that names an architecture selects none in a run, in a sentence; empty where it does."""
    try:
        spaces.get(run.space).parse(arch)
    except ValueError as error:
        named, reason = _short(arch), _short(str(error))
        return f"No candidate is selected: the address names “{named}”, which is none of {run.space_title}: {reason}."
    return ""


def _short(text: str) -> str:
    """A text of an address as far as it is told."""
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}…"


_LONGEST_TOLD = 120
"""Characters that are told of an unknown run or architecture, and of what is wrong with it."""
_DOES = {
    "start": "Start or go on",
    "pause": "Pause: what is being scored is finished first, nothing is lost",
    "stop": "Stop: what is scored stays; Start goes on",
}


def order(cockpit: Cockpit, run: str, name: str) -> None:
    """Tell the engine what to do with a run.

    Raises:
        ValueError: it cannot be done, with the reason.
    """
    held = cockpit.store.run(run)
    if name == "start" and held.state == "paused":
        name = "resume"
    more: dict[str, Any] = {}
    if name == "extend":
        more = {"budget": (held.config.budget or held.asked) + EXTENSION}
    elif name == "train":
        more = {"epochs": held.config.epochs + TRAINING}
    cockpit.store.command(run, name, **more)


def state_of(pulse: dict[str, Any] | None) -> str:
    """The state that a pulse tells of, in the words of `SIGNS`; empty before the first."""
    if not pulse:
        return ""
    return "broken" if "error" in pulse else str(pulse["state"])


def idle_because(command: str, state: str) -> str:
    """Why a command would do nothing in this state; empty where it does something."""
    if state in ("", "gone", "none", "broken"):
        return {
            "": "Loading …",
            "gone": GONE,
            "none": NONE_OPEN,
            "broken": "The store cannot be used; the state says why.",
        }[state]
    busy = state in ("running", "queued")
    if command == "start":
        if busy:
            return "The run is under way already."
        return "The budget is used up: extend it under Runs." if state == "finished" else ""
    return "" if busy else f"Nothing to {command}: the run is {SIGNS[state][1].lower()}."


def told(cockpit: Cockpit, pulse: dict[str, Any] | None) -> str:
    """The status of a run in a line: where it failed the cause first, where it is gone only that."""
    if not pulse:
        return "Loading …"
    if "error" in pulse:
        try:
            return str(pulse["error"]) if cockpit.holds(pulse["run"]) else GONE
        except StoreError:  # the whole store is out of reach
            return str(pulse["error"])
    state, message = pulse["state"], pulse["message"]
    scored = progress(pulse["scored"], pulse["budget"])
    if pulse.get("failed"):
        scored += f", {pulse['failed']:,} failed"
    if pulse.get("engine") and state in ("queued", "running"):
        return f"{pulse['engine']} · {scored}"
    if state == "failed" and message:
        return f"{message} · {scored}"
    if state == "running" and not pulse["scored"] and not message:
        message = "starting the workers and loading the data"
    used_up = state == "finished" and message.startswith("budget of")  # the count has said so
    more = message if state in ("running", "paused", "finished") and not used_up else ""
    return " · ".join(part for part in (scored, more, HINTS.get(state, "")) if part)


def _option(row: RunRow) -> dict[str, str]:
    """A run in the picker; two of one name are told apart by their state, their date and their identifier."""
    sign, word = SIGNS.get(row.state, ("○", row.state))
    made = datetime.fromtimestamp(row.created).strftime("%Y-%m-%d %H:%M") if row.created else ""
    about = " · ".join(part for part in (row.space_title, f"{sign} {word}", made, row.id) if part)
    return {"value": row.id, "label": row.name or row.id, "about": about}
