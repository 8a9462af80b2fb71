"""Steering acts and the selection: what the user's presses on the Navigator become."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from app import live, selection
from app.cockpit import Cockpit, View
from app.masks import unpacked
from app.pages.navigator import named_regions
from app.pages.navigator.previews import block_of, idle_because
from app.pages.navigator.region import region_of
from app.pages.navigator.regions import PLAIN_AXES, Choice, focus_on_blocks, scope_of
from app.pages.navigator.under_pointer import index_of
from app.presses import STEERING, notification, pressed, run_of
from nas_core.spaces import Act, Region, SteeringConflict
from nas_core.store import StoreError


def act(
    cockpit: Cockpit, told: dict[str, Any] | None, run: str | None, scope: dict[str, Any] | None
) -> tuple[Any, Any]:
    """A press that steers, in the run that it was made on: the pulse that tells of it, or why nothing was done."""
    words = pressed(told, *STEERING)
    shown, run = run, run_of(told, run)  # an act lands in the run that it was made on, or nowhere
    if not run or words is None:
        return no_update, no_update
    if run != shown and words[0] in ("focus", "must-have", "must-not"):
        return no_update, notification("Another run was opened meanwhile: choose the region there again.")
    try:
        view = cockpit.view(run)
        wanted = _wanted(cockpit, view, words, scope)
        if isinstance(wanted, str):
            return no_update, notification(wanted)
        idle = idle_because(view, wanted)
        if idle:
            return no_update, notification(idle)
        cockpit.act(run, replace(wanted, note=str((told or {}).get("note") or "").strip()))
    except (SteeringConflict, StoreError) as error:
        return no_update, notification(str(error))
    if run != shown:
        return no_update, notification(
            f"Done in “{cockpit.store.run(run).name}”, the run it was pressed on.", failed=False
        )
    return live.pulse_of(cockpit, run), no_update


def _wanted(cockpit: Cockpit, view: View, words: list[str], scope: dict[str, Any] | None) -> Act | str:
    """The act that the words of a press stand for; or why there is none."""
    if words[0] == "undo-last":
        in_force = view.in_force()
        return Act("undo", target=in_force[-1][0]) if in_force else "There is no act to undo."
    if words[0] == "undo":
        return Act("undo", target=int(words[1]))
    if words[0] in ("focus", "must-have", "must-not"):
        if len(words) > 1:
            regions = named_regions.named_regions(cockpit.store.log(view.run.id, kind=named_regions.KIND))
            scope = scope_of(view, Choice((words[1],)), regions, None, PLAIN_AXES)
        if not scope:
            return "There is no region yet: draw one on the map with the lasso first."
        return Act("focus", region=_focused(view, scope, words[0]))
    decision, choice = block_of(view, ":".join(words[1:]))
    return Act("pin" if words[0] == "pin" else "prune", decision, (choice,))


def _focused(view: View, scope: dict[str, Any], kind: str) -> Region:
    """The focus that a press on the chosen region stands for: on its members, or on its blocks."""
    if kind != "focus":
        return focus_on_blocks(view, scope, kind)
    inside = unpacked(scope["mask"], len(view.table.archs))
    return region_of(view.table, inside & view.kept if (inside & view.kept).any() else inside, tuple(scope["axes"]))


def select(cockpit: Cockpit, click: dict[str, Any] | None, picked: str | None, run: str, search: str | None) -> Any:
    """The address with the architecture that was clicked on the map, or picked in the table."""
    chosen = picked
    if ctx.triggered_id == "nav-map":
        table = cockpit.view(run).table
        index = index_of(click, len(table.texts))
        chosen = None if index is None else table.texts[index]
    return selection.moved(search, run, chosen) if chosen else no_update


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of acts and of the selection; presses are told on every page: what only this one has is optional."""
    app.callback(
        Output("pulse", "data", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("steered", "data"),
        State("run", "data"),
        State("map-scope", "data", allow_optional=True),
        prevent_initial_call=True,
    )(partial(act, cockpit))
    app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("nav-map", "clickData"),
        Input("picked", "data"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )(partial(select, cockpit))
