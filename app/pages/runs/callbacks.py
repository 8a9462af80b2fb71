"""What the Runs page does with the runs that there are: the table, what is done with the chosen, two compared."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update
from dash.exceptions import PreventUpdate

from app import selection
from app.cockpit import Cockpit
from app.pages.runs import figures, new_run, panel
from app.pages.runs.compare import comparison
from app.pages.runs.layout import CHIPS
from app.pages.runs.orders import DOES, EACH, ORDERS, carry_out, label, obstacle, words
from app.pages.runs.rows import Known, RunTable, counts, news
from app.presses import notification, pressed, show
from app.report import report
from nas_core.store import RunRow, StoreError, session_script, twin_of

_EVERY = 4
"""Beats of the timer from one look at all runs to the next."""
_FEW = 20
"""Runs that are read one by one; of more, all are read at once."""


def draw(table: RunTable, _pulse: Any, tick: int | None, known: Known | None) -> tuple[Any, ...]:
    """Looks at all runs now and then, and at once when something is told of the run that is open."""
    if known is not None and ctx.triggered_id == "timer" and (tick or 0) % _EVERY:
        raise PreventUpdate
    return changes(table, known)


def changes(table: RunTable, known: Known | None) -> tuple[Any, ...]:
    """Rows that the browser does not have yet: all at first, then only what changed.

    Raises:
        PreventUpdate: nothing changed.
    """
    rows = table.rows()
    found = news(rows, known or {})
    if known is not None and not found:
        raise PreventUpdate
    totals = counts(rows)
    shown = [f"{totals[state]:,}" for state in CHIPS]
    hidden = [state in CHIPS[-2:] and not totals[state] for state in CHIPS]
    empty = "" if rows else "No run yet. Press New run to make one."
    if known is None:
        return found.rows, no_update, found.known, shown, hidden, empty, bool(rows)
    told = {"rows": found.rows, "gone": found.gone}
    return no_update, told, found.known, shown, hidden, empty, bool(rows)


def offer(cockpit: Cockpit, chosen: list[str] | None, _known: Any) -> tuple[Any, ...]:
    """What can be done with the chosen runs: by order whether it is at rest, why, what it tells, what stands on it."""
    runs = held(cockpit, chosen or [])
    reasons = [obstacle(order, runs) for order in ORDERS]
    return (
        chosen_text(runs),
        *(bool(reason) for reason in reasons),
        *(reason or DOES[order] for order, reason in zip(ORDERS, reasons, strict=True)),
        *("" if reason else words(order, runs) for order, reason in zip(ORDERS, reasons, strict=True)),
        *(label(order, runs) for order in ORDERS),
    )


def chosen_text(runs: list[RunRow]) -> str:
    """How many runs are chosen, or which one."""
    if not runs:
        return "No run chosen"
    return runs[0].name if len(runs) == 1 else f"{len(runs):,} chosen"


def held(cockpit: Cockpit, identifiers: list[str]) -> list[RunRow]:
    """The runs of these identifiers that are still there, in that order."""
    if len(identifiers) > _FEW:
        found = {run.id: run for run in cockpit.store.runs()}
    else:
        found = {identifier: cockpit.store.run(identifier) for identifier in identifiers if cockpit.holds(identifier)}
    return [found[identifier] for identifier in identifiers if identifier in found]


def order_each(cockpit: Cockpit, told: dict[str, Any] | None) -> Any:
    """One order for several runs: those that it does nothing for are left alone, and that is said."""
    said = pressed(told, "each")
    if not said or said[1] not in EACH:
        return no_update
    done, failed = 0, []
    for run in held(cockpit, said[2:]):
        try:
            carry_out(cockpit, said[1], run)
            done += 1
        except ValueError as error:
            failed.append(str(error))
    text = f"{ORDERS[said[1]]}: {done} of {len(said) - 2} runs."
    if failed:
        text += f" {failed[0]}" + (f" And {len(failed) - 1} more." if len(failed) > 1 else "")
    return [{**notification(text, failed=not done)[0], "title": "Told to the engine" if done else "Not done"}]


def _order_each(cockpit: Cockpit, told: dict[str, Any] | None) -> Any:
    show(order_each(cockpit, told))
    return no_update


def make_twin(cockpit: Cockpit, told: dict[str, Any] | None) -> tuple[Any, Any, Any]:
    """The twin of a run is made, or found, and started; both are chosen and compared."""
    said = pressed(told, "twin-of")
    if not said:
        return no_update, no_update, no_update
    try:
        text = cockpit.twin(said[1])
        other = twin_of(cockpit.store, cockpit.store.run(said[1]))
    except ValueError as error:
        return no_update, no_update, notification(str(error))
    pair = [said[1], other.id] if other is not None else [said[1]]
    return pair, pair if len(pair) == 2 else no_update, [{**notification(text, failed=False)[0], "title": "Twin"}]


def _make_twin(cockpit: Cockpit, told: dict[str, Any] | None) -> tuple[Any, Any]:
    chosen, compared, shown = make_twin(cockpit, told)
    show(shown)
    return chosen, compared


def ask_to_compare(told: dict[str, Any] | None) -> Any:
    """The two runs of a press on Compare."""
    said = pressed(told, "compare")
    return said[1:] if said and len(said) == 3 else no_update


def compare(
    cockpit: Cockpit,
    pair: list[str] | None,
    theme: str | None,
    truth: str | None,
    known: Known | None,
    drawn: list[Any] | None,
) -> tuple[Any, ...]:
    """Two runs held against each other; nothing is drawn again while neither of them has changed."""
    if not pair or len(pair) != 2:
        return True, no_update, no_update, no_update, no_update, no_update, None
    state = [pair, theme, truth, [(known or {}).get(run) for run in pair]]
    if state == drawn:
        raise PreventUpdate
    if not all(cockpit.holds(run) for run in pair):
        return False, html.P("One of the two runs was deleted."), no_update, True, [], [], state
    if reason := obstacle("compare", held(cockpit, pair)):
        return False, html.P(reason), no_update, True, [], [], state
    try:
        found = comparison(cockpit, pair, truth)
    except StoreError as error:
        return False, html.P(str(error)), no_update, True, [], [], state
    scored = any(course.found is not None for course in found.courses)
    figure = figures.courses(found.courses, theme or "dark") if scored else no_update
    return False, panel.summary(found), figure, not scored, panel.cells(found), panel.acts(found), state


def download(cockpit: Cockpit, told: dict[str, Any] | None, truth: str | None) -> Any:
    """A report or a session script, as a file."""
    said = pressed(told, "script", "report")
    if not said or not cockpit.holds(said[1]):
        return no_update
    if said[0] == "report":
        document = report(cockpit, said[1], truth)
        return {"content": document, "filename": f"report-{said[1]}.html", "type": "text/html"}
    script = session_script(cockpit.store, said[1])
    return {
        "content": json.dumps(script, indent=1),
        "filename": f"session-{said[1]}.json",
        "type": "application/json",
    }


def ask_to_delete(cockpit: Cockpit, told: dict[str, Any] | None) -> tuple[Any, ...]:
    """Before runs are deleted: what goes with them."""
    said = pressed(told, "delete")
    runs = held(cockpit, said[1:]) if said else []
    if not runs:
        return (no_update,) * 4
    title = f"Delete “{runs[0].name}”?" if len(runs) == 1 else f"Delete {len(runs):,} runs?"
    return True, title, [html.P(line) for line in lost(cockpit, runs)], [run.id for run in runs]


def lost(cockpit: Cockpit, runs: list[RunRow]) -> list[str]:
    """What goes with runs that are deleted, and what stays."""
    acts = sum(run.acts for run in runs)
    gone = [f"scored candidates ({sum(run.scored for run in runs):,})", f"acts ({acts:,})"]
    gone += ["trained weights"] if any(run.config.supernet is not None for run in runs) else []
    subject = (
        f"Run {runs[0].id} is deleted with its" if len(runs) == 1 else f"{len(runs):,} runs are deleted with their"
    )
    said = [f"{subject} {', '.join(gone[:-1])} and {gone[-1]}. Cached scores stay."]
    working = sum(run.state in ("running", "queued") for run in runs)
    if working:
        said.append("It is under way and is stopped first." if len(runs) == 1 else f"{working:,} are stopped first.")
    return [*said, "This cannot be undone."]


def delete(cockpit: Cockpit, _clicks: int | None, runs: list[str] | None, current: str | None) -> tuple[Any, Any]:
    """The runs that were asked about are deleted; where one of them is open, the newest one left is opened."""
    if not _clicks or not runs:
        return no_update, no_update
    for run in held(cockpit, runs):  # another browser may have been first
        if run.state in ("running", "queued"):
            cockpit.store.command(run.id, "stop")
        cockpit.store.delete_run(run.id)
    return (selection.write(cockpit.ensure_run(), None) if current in runs else no_update), False


def keep(_clicks: int | None) -> Any:
    """Nothing is deleted."""
    return False if _clicks else no_update


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above, and what `assets/runs.js` does in the browser."""
    _register_table(app, cockpit)
    _register_orders(app, cockpit)
    app.callback(
        Output("runs-panel", "hidden"),
        Output("comparison-text", "children"),
        Output("comparison", "figure"),
        Output("comparison-figure", "hidden"),
        Output("comparison-cells", "children"),
        Output("comparison-acts", "children"),
        Output("runs-compared-drawn", "data"),
        Input("runs-compared", "data"),
        Input("theme", "data"),
        Input("truth", "data"),
        Input("runs-known", "data"),
        State("runs-compared-drawn", "data"),
        prevent_initial_call=True,
    )(partial(compare, cockpit))
    new_run.register(app, cockpit)


def _register_table(app: Dash, cockpit: Cockpit) -> None:
    app.callback(
        Output("runs-grid", "rowData"),
        Output("runs-news", "data"),
        Output("runs-known", "data"),
        Output({"type": "runs-count", "state": ALL}, "children"),
        Output({"type": "runs-chip", "state": ALL}, "hidden"),
        Output("runs-empty", "children"),
        Output("runs-empty", "hidden"),
        Input("pulse", "data"),
        Input("timer", "n_intervals"),
        State("runs-known", "data"),
    )(partial(draw, RunTable(cockpit)))
    app.clientside_callback(
        ClientsideFunction("runs", "transaction"), Output("runs-grid", "rowTransaction"), Input("runs-news", "data")
    )
    app.clientside_callback(
        ClientsideFunction("runs", "chosen"),
        Output("runs-chosen", "data"),
        Input("runs-grid", "selectedRows"),
        State("runs-chosen", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("runs", "choose"), Input("runs-chosen-wanted", "data"), Input("runs-known", "data")
    )
    app.clientside_callback(
        ClientsideFunction("runs", "search"), Input("runs-search", "value"), prevent_initial_call=True
    )


def _register_orders(app: Dash, cockpit: Cockpit) -> None:
    app.callback(
        Output("runs-chosen-text", "children"),
        *(Output(f"runs-{order}", "disabled") for order in ORDERS),
        *(Output(f"runs-{order}", "title") for order in ORDERS),
        *(Output(f"runs-{order}", "data-press") for order in ORDERS),
        *(Output(f"runs-{order}-word", "children") for order in ORDERS),
        Input("runs-chosen", "data"),
        Input("runs-known", "data"),
    )(partial(offer, cockpit))
    told = Input("pressed", "data")
    # Two callbacks of the same inputs cannot share an output: notifications are shown by the callbacks themselves.
    app.callback(Output("runs-told", "data"), told, prevent_initial_call=True)(partial(_order_each, cockpit))
    app.callback(
        Output("runs-chosen-wanted", "data"), Output("runs-compared", "data"), told, prevent_initial_call=True
    )(partial(_make_twin, cockpit))
    app.callback(Output("runs-compared", "data", allow_duplicate=True), told, prevent_initial_call=True)(ask_to_compare)
    app.callback(Output("session-download", "data"), told, State("truth", "data"), prevent_initial_call=True)(
        partial(download, cockpit)
    )
    app.callback(
        Output("delete-modal", "opened"),
        Output("delete-modal", "title"),
        Output("delete-text", "children"),
        Output("delete-run", "data"),
        told,
        prevent_initial_call=True,
    )(partial(ask_to_delete, cockpit))
    app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("delete-modal", "opened", allow_duplicate=True),
        Input("btn-delete-yes", "n_clicks"),
        State("delete-run", "data"),
        State("run", "data"),
        prevent_initial_call=True,
    )(partial(delete, cockpit))
    app.callback(
        Output("delete-modal", "opened", allow_duplicate=True),
        Input("btn-delete-no", "n_clicks"),
        prevent_initial_call=True,
    )(keep)
