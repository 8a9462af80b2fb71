"""Steering acts and the selection: what the user's presses on the Navigator become."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, ctx, no_update

from app import live, selection
from app.cockpit import Cockpit, View
from app.masks import unpacked
from app.pages.navigator import named_regions
from app.pages.navigator.layout import NO_REGION
from app.pages.navigator.loop import PLAIN_AXES, Choice, focus_on_blocks, scope_of
from app.pages.navigator.region import changes, describe, region_of
from app.pages.navigator.space_map import block_of
from app.presses import notification, pressed, run_of
from nas_core.spaces import Act, Region, SteeringConflict
from nas_core.store import StoreError


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of acts, region and selection."""

    # Presses are told on every page: what only the Navigator has is optional.
    @app.callback(
        Output("pulse", "data", allow_duplicate=True),
        Output("notifications", "sendNotifications", allow_duplicate=True),
        Input("pressed", "data"),
        State("run", "data"),
        State("map-scope", "data", allow_optional=True),
        prevent_initial_call=True,
    )
    def act(told: dict[str, Any] | None, run: str | None, scope: dict[str, Any] | None) -> tuple[Any, Any]:
        words = pressed(told, "pin", "prune", "undo", "undo-last", "focus", "must-have", "must-not")
        shown, run = run, run_of(told, run)  # an act lands in the run that it was made on, or nowhere
        if not run or words is None:
            return no_update, no_update
        if run != shown and words[0] in ("focus", "must-have", "must-not"):
            return no_update, notification("Another run was opened meanwhile: choose the region there again.")
        view = cockpit.view(run)
        if words[0] == "undo-last":
            in_force = view.in_force()
            if not in_force:
                return no_update, notification("There is no act to undo.")
            wanted = Act("undo", target=in_force[-1][0])
        elif words[0] == "undo":
            wanted = Act("undo", target=int(words[1]))
        elif words[0] in ("focus", "must-have", "must-not"):
            if len(words) > 1:
                regions = named_regions.named_regions(cockpit.store.log(run, kind=named_regions.KIND))
                scope = scope_of(view, Choice((words[1],)), regions, None, PLAIN_AXES)
            if not scope:
                return no_update, notification("There is no region yet: draw one on the map with the lasso first.")
            wanted = Act("focus", region=_wanted(view, scope, words[0]))
        else:
            decision, choice = block_of(view, ":".join(words[1:]))
            wanted = Act("pin" if words[0] == "pin" else "prune", decision, (choice,))
        try:
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

    @app.callback(
        Output("region-text", "children"),
        Output("btn-focus", "disabled"),
        Output("btn-keep", "disabled"),
        Input("map-scope", "data"),
        Input("count", "children"),
        State("run", "data"),
    )
    def show_region(scope: dict[str, Any] | None, _count: Any, run: str | None) -> tuple[Any, Any, Any]:
        if not run:
            return no_update, no_update, no_update
        view = cockpit.view(run)
        inside = unpacked(scope["mask"], len(view.table.archs)) & view.kept if scope else np.zeros(1, dtype=bool)
        if not scope or not inside.any():
            return NO_REGION, True, True
        kept_already = len(scope["of"]) == 1 and scope["of"][0].isdigit()
        axes = tuple(scope["axes"])
        try:
            narrows = changes(view, Act("focus", region=region_of(view.table, inside, axes)))
        except SteeringConflict:
            narrows = False
        return describe(view.table, inside, view.kept, axes), not narrows, kept_already

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("nav-map", "clickData"),
        Input("picked", "data"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    def select(click: dict[str, Any] | None, picked: str | None, run: str, search: str | None) -> Any:
        chosen = picked
        if ctx.triggered_id == "nav-map":
            index = (click or {"points": [{}]})["points"][0].get("customdata")
            chosen = None if index is None else cockpit.view(run).table.texts[int(np.ravel(index)[0])]
        return selection.moved(search, run, chosen) if chosen else no_update


def idle_because(view: View, wanted: Act) -> str:
    """Why `wanted` would change nothing; empty where it changes something.

    Raises:
        SteeringConflict: it cannot hold together with the acts in force, with the reason.
    """
    if wanted.kind == "undo":
        in_force = {number for number, _ in view.in_force()}
        return "" if wanted.target in in_force else "That act is undone already."
    if changes(view, wanted):
        return ""
    if wanted.kind == "focus":
        return "This focus narrows nothing: what is left obeys it already."
    done = "pinned" if wanted.kind == "pin" else "pruned"
    return f"{wanted.decision} {' or '.join(wanted.choices)} is already {done}."


def _wanted(view: View, scope: dict[str, Any], kind: str) -> Region:
    """The focus that a press on the chosen region stands for: on its members, or on its blocks."""
    if kind != "focus":
        return focus_on_blocks(view, scope, kind)
    inside = unpacked(scope["mask"], len(view.table.archs))
    return region_of(view.table, inside & view.kept if (inside & view.kept).any() else inside, tuple(scope["axes"]))
