"""The frame around every page: navigation, run picker, commands, theme, notifications."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update, set_props

from app import live, selection, truth_picker
from app.cockpit import Cockpit
from nas_core.store import StoreError

_LOG = logging.getLogger(__name__)

PAGES = {
    "/": "Navigator",
    "/template": "Template",
    "/layers": "Layers",
    "/correlation": "Correlation",
    "/runs": "Runs",
    "/arena": "Arena",
}
HINTS = {
    "created": "Press Start to score the space",
    "queued": "Waiting for the engine …",
    "running": "Running",
    "paused": "Paused; Resume goes on",
    "stopped": "Stopped; Start goes on",
    "finished": "Finished",
    "failed": "Failed",
}

GONE = "This run was deleted; choose another under Runs"

_FAILURE_SHOWN = 8_000
"""Milliseconds for which a notification of something not done stays, unless it is closed."""

EXTENSION = 500
"""Candidates that one press on Extend adds to the budget."""

TRAINING = 10
"""Epochs that one press on Train on adds."""

KEYS = {
    "j / k": "next, previous candidate of the table",
    "p": "pin the operation brick that has the focus",
    "x": "prune it",
    "u": "undo the last act",
    "space": "start, pause or resume the run",
    "Tab": "to the next control; bricks show their preview when they have the focus",
    "?": "this help",
}


def layout() -> dmc.MantineProvider:
    """The whole document; `page` is filled by the route."""
    links = [
        dcc.Link(title, href=path, id=f"nav-{title.lower()}", className="nav-link") for path, title in PAGES.items()
    ]
    header = dmc.Group(
        [
            html.Span("NAS Helm", className="brand"),
            html.Nav(links, id="nav", **{"aria-label": "Pages"}),
            dmc.Select(id="run-picker", size="xs", w=150, allowDeselect=False, **{"aria-label": "Run"}),
            truth_picker.picker(),
            dmc.Button("Start", id="btn-start", size="compact-sm"),
            dmc.Button("Pause", id="btn-pause", size="compact-sm", variant="light"),
            dmc.Button("Stop", id="btn-stop", size="compact-sm", variant="light", color="red"),
            html.Div(id="run-status", role="status", className="run-status"),
            dmc.Button(
                "?", id="btn-help", size="compact-sm", variant="default", ml="auto", **{"aria-label": "Help and keys"}
            ),
            dmc.Switch(id="theme-switch", label="dark", checked=True, size="xs", persistence=True),
        ],
        gap="sm",
        wrap="nowrap",
        px="md",
        className="header",
    )
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="run"),
            dcc.Store(id="arch"),
            dcc.Store(id="truth"),
            dcc.Store(id="pressed"),
            dcc.Store(id="export-wanted"),
            dcc.Download(id="export-download"),
            dcc.Store(id="theme", data="dark"),
            live.components(),
            dmc.NotificationContainer(id="notifications", position="bottom-right", limit=8),
            _help(),
            html.Header(header),
            html.Main(id="page"),
        ],
        id="provider",
        forceColorScheme="dark",
    )


def _help() -> dmc.Modal:
    rows = [html.Tr([html.Td(html.Kbd(key)), html.Td(what)]) for key, what in KEYS.items()]
    return dmc.Modal(
        [
            html.P("Pick a run above, press Start, then steer: pin what must stay, prune what should go."),
            html.Table(html.Tbody(rows), className="keys"),
            dmc.Button("Take the tour", id="btn-tour", size="xs", mt="sm"),
        ],
        id="help",
        title="Help",
    )


def press(*words: object) -> dict[str, str]:
    """Attributes of an element whose press is told to the store `pressed`, as the words joined by colons.

    Views are redrawn while scores arrive; a press told to a fixed store outlives the button it was made on.
    """
    return {"data-press": ":".join(str(word) for word in words)}


def pressed(told: dict[str, Any] | None, *kinds: str) -> list[str] | None:
    """The words of a press whose first word is one of `kinds`; None for any other."""
    words = str((told or {}).get("what", "")).split(":")
    return words if words[0] in kinds else None


def answer_in_turn(app: Dash, queue: str, home: str, answered: str) -> None:
    """Tell a queue of `assets/acts.js` when its page, with the element `home`, opens, and what was `answered` last."""
    app.clientside_callback(ClientsideFunction(queue, "opened"), Input(home, "id"))
    app.clientside_callback(ClientsideFunction(queue, "answered"), Input(answered, "data"), prevent_initial_call=True)


def notification(message: str, *, failed: bool = True) -> list[dict[str, Any]]:
    """One notification to show."""
    title, colour = ("Not done", "red") if failed else ("Done", "teal")
    shown = {"action": "show", "id": f"n{hash(message)}", "title": title, "message": message, "color": colour}
    return [{**shown, "autoClose": _FAILURE_SHOWN} if failed else shown]


def notify(message: str, *, failed: bool = True) -> None:
    """Show a notification from within a callback that has no output for it.

    Two callbacks of the same inputs cannot share an output, and many listen to presses alone.
    """
    set_props("notifications", {"sendNotifications": notification(message, failed=failed)})


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the frame."""

    @app.callback(Output("run", "data"), Output("arch", "data"), Input("url", "search"), State("run", "data"))
    def select(search: str | None, current: str | None) -> tuple[Any, Any]:
        run, arch = selection.read(search)
        known = {row.id for row in cockpit.store.runs()}
        chosen = run if run in known else (current if current in known else cockpit.ensure_run())
        if run and run not in known:
            name = cockpit.store.run(chosen).name
            notify(f"The run of this address was deleted, or is in another store: “{name}” is shown instead.")
        return no_update if chosen == current else chosen, arch

    @app.callback(
        Output("url", "search"),
        Input("run-picker", "value"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def pick(value: str | None, current: str | None, search: str | None) -> Any:
        return no_update if not value or value == current else selection.moved(search, value, None)

    @app.callback(
        Output("run-picker", "data"), Output("run-picker", "value"), Input("run", "data"), Input("url", "pathname")
    )
    def runs(run: str | None, _path: str) -> tuple[list[dict[str, str]], Any]:
        found = [{"value": row.id, "label": row.name} for row in cockpit.store.runs()]
        # A page that is opened together with another run must not pick the one before.
        moved = any(item["prop_id"] == "run.data" for item in ctx.triggered)
        return found, run if moved else no_update

    @app.callback(
        Output("pulse", "data", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("btn-start", "n_clicks"),
        Input("btn-pause", "n_clicks"),
        Input("btn-stop", "n_clicks"),
        Input("pressed", "data"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def command(
        _start: int, _pause: int, _stop: int, told: Any, run: str | None, search: str | None
    ) -> tuple[Any, Any]:
        shown = run
        if ctx.triggered_id == "pressed":
            name, run = pressed(told, "start", "pause", "resume", "stop", "extend", "train", "twin") or ("", None)
        else:
            name = {"btn-start": "start", "btn-pause": "pause", "btn-stop": "stop"}[str(ctx.triggered_id)]
            # The address is ahead of what is drawn: who opened a run and presses at once means that run.
            opened = selection.read(search)[0]
            run = shown = opened if opened in {row.id for row in cockpit.store.runs()} else run
        if not run:
            return no_update, no_update
        try:
            if name == "twin":
                return no_update, notification(cockpit.twin(run), failed=False)
            held = cockpit.store.run(run)
            if name == "start" and held.state == "paused":
                name = "resume"
            more: dict[str, Any] = {}
            if name == "extend":
                more = {"budget": (held.config.budget or held.asked) + EXTENSION}
            elif name == "train":
                more = {"epochs": held.config.epochs + TRAINING}
            cockpit.store.command(run, name, **more)
        except ValueError as error:
            return no_update, notification(str(error))
        return live.pulse_of(cockpit, shown or run), no_update

    @app.callback(
        Output("run-status", "children"),
        Output("run-status", "title"),
        Output("page", "className"),
        Output("btn-start", "children"),
        Output("btn-start", "disabled"),
        Output("btn-pause", "disabled"),
        Output("btn-stop", "disabled"),
        Input("pulse", "data"),
    )
    def status(pulse: dict[str, Any] | None) -> tuple[Any, ...]:
        text = _told(cockpit, pulse)
        state = (pulse or {}).get("state")
        busy = state in ("running", "queued")
        idle = state is None or state == "finished"
        shown = "gone" if text == GONE else ""
        return text, text, shown, "Resume" if state == "paused" else "Start", busy or idle, not busy, not busy

    @app.callback(
        Output("help", "opened"),
        Input("btn-help", "n_clicks"),
        Input("btn-tour", "n_clicks"),
        prevent_initial_call=True,
    )
    def help_(_open: int, _tour: int) -> bool:
        return ctx.triggered_id == "btn-help"

    app.clientside_callback(
        ClientsideFunction("helm", "tour"),
        Output("btn-tour", "n_clicks"),
        Input("btn-tour", "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("helm", "theme"),
        Output("provider", "forceColorScheme"),
        Output("theme", "data"),
        Input("theme-switch", "checked"),
    )
    app.clientside_callback(
        ClientsideFunction("helm", "links"),
        [Output(f"nav-{title.lower()}", "href") for title in PAGES.values()],
        Input("url", "search"),
        Input("url", "pathname"),
    )
    truth_picker.register(app, cockpit)

    @app.server.errorhandler(StoreError)
    def unread(error: StoreError) -> tuple[str, int]:
        """A view of what the store has no longer keeps what it shows; the status says why."""
        _LOG.warning("nothing drawn: %s", error)
        return "", HTTPStatus.NO_CONTENT


def progress(scored: int, budget: int | None) -> str:
    """How far a run is; without a budget it goes on to the end of its space."""
    return f"{scored:,} of {budget:,} scored" if budget else f"{scored:,} scored"


def _told(cockpit: Cockpit, pulse: dict[str, Any] | None) -> str:
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
        return f"{HINTS[state]}: {message} · {scored}"
    told = message if state in ("running", "paused", "finished") else ""
    return " · ".join(part for part in (HINTS[state], scored, told) if part)
