"""Regions of the space: chips to choose them by, the algebra of their blocks, and the store `map-scope` they become."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, ctx, html, no_update, set_props

from app.cockpit import Cockpit, View
from app.masks import packed, unpacked
from app.pages.navigator import named_regions
from app.pages.navigator.block_sets import ALONE, OPERATIONS, BlockSet, combined
from app.pages.navigator.coverage import least_explored
from app.pages.navigator.named_regions import NamedRegion
from app.pages.navigator.tradeoff import axes_of
from app.presses import answer_in_turn, notification, press, pressed, run_of
from nas_core.spaces import Region
from nas_core.store import Store

LASSO, AREA = "lasso", "area"
PLAIN_AXES = ("projection 1", "projection 2")
_NAMES = {LASSO: "lasso", AREA: "least explored"}


def region_row() -> html.Div:
    """Chips of the regions, and what can be done with those chosen; filled by `loop.advise`."""
    return html.Div(id="regions", className="region-row", role="group", **{"aria-label": "Regions"})


# the chosen region ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """Which regions are chosen, by number, or the lasso or an area, and which operation joins their blocks."""

    of: tuple[str, ...] = ()
    operation: str = "union"

    @classmethod
    def read(cls, scope: dict[str, Any] | None) -> Choice:
        """The choice behind the store `scope`."""
        return cls(tuple(scope["of"]), scope["operation"]) if scope else cls()

    def toggled(self, which: str) -> Choice:
        """With one more region, or without it; the lasso stands alone, and of more than two the oldest goes."""
        if which in self.of:
            return Choice(tuple(region for region in self.of if region != which), self.operation)
        named = tuple(region for region in self.of if region not in _NAMES)
        return Choice((which,) if which in _NAMES else (*named[-1:], which), self.operation)


def scope_of(
    view: View, choice: Choice, regions: list[NamedRegion], lasso: str | None, axes: tuple[str, str]
) -> dict[str, Any] | None:
    """What the store `scope` holds of a choice: its members, their blocks under its operation, names; None for all.

    `axes` are those of the map, of which a metric bounds a lasso.
    """
    named = {str(region.id): region for region in regions}
    members, kept_axes = [], []
    for which in choice.of:
        mask = np.zeros(len(view.table.archs), dtype=bool)
        if which == LASSO:
            mask = unpacked(lasso, len(mask)) & view.kept
        elif which == AREA:
            area = least_explored(view, at_most=1)
            mask = mask if area is None else area.inside
        elif which in named:
            mask = unpacked(named[which].mask, len(mask))
        if mask.any():
            members.append((_NAMES.get(which) or named[which].name, mask))
            kept_axes.append(named[which].axes if which in named else (axes if which == LASSO else PLAIN_AXES))
    if not members:
        return None
    decisions = view.table.space.decisions
    sets = [(name, BlockSet.of(decisions, view.table.archs[mask])) for name, mask in members]
    written, blocks = combined(choice.operation, sets)
    everything = np.any([mask for _, mask in members], axis=0)
    return {
        "of": list(choice.of),
        "operation": choice.operation,
        "label": " ∪ ".join(name for name, _ in members),
        "mask": packed(everything),
        "parts": [[name, packed(mask)] for name, mask in members],
        "axes": list(kept_axes[0] if len(kept_axes) == 1 else PLAIN_AXES),
        "blocks": blocks.bricks(),
        "written": written,
    }


def focus_on_blocks(view: View, scope: dict[str, Any], kind: str) -> Region:
    """The focus that `must-have` or `must-not` of the chosen blocks stands for."""
    choices: list[set[int]] = [set() for _ in view.table.space.decisions]
    for brick in scope["blocks"]:
        d, c = map(int, brick.split(":"))
        choices[d].add(c)
    blocks = BlockSet(view.table.space.decisions, tuple(map(frozenset, choices)))
    return blocks.must_have() if kind == "must-have" else blocks.must_not()


# drawing ----------------------------------------------------------------------------------------------------------


def bar(
    view: View, regions: list[NamedRegion], gone: NamedRegion | None, scope: dict[str, Any] | None, lasso: str | None
) -> list[Any]:
    """Chips, then what can be done with the chosen."""
    choice = Choice.read(scope)
    chips = [_chip("all", "All", "the whole space", not choice.of)]
    if lasso:
        chips.append(_chip(LASSO, "Lasso", "what the lasso holds", LASSO in choice.of))
    if AREA in choice.of:
        chips.append(_chip(AREA, "Least explored", "the area of the map with the lowest share scored", True))
    for region in regions:
        count = int(unpacked(region.mask, len(view.table.archs)).sum())
        words = f"region {region.name} of {count:,} architectures"
        chips.append(_chip(str(region.id), f"{region.name} {count:,}", words, str(region.id) in choice.of))
    if gone is not None:
        chips.append(_small(f"restore {gone.name}", press("region", "restore", gone.id), "bring the region back"))
    return [html.Span("Blocks of", className="support"), *chips, *(_actions(view, scope, regions) if scope else [])]


def _actions(view: View, scope: dict[str, Any], regions: list[NamedRegion]) -> list[Any]:
    choice = Choice.read(scope)
    names = scope["label"].split(" ∪ ")
    actions: list[Any] = [html.Span(className="divide")]
    if LASSO not in choice.of and AREA not in choice.of:
        for operation, (written, _) in (OPERATIONS if len(names) == 2 else ALONE).items():
            text = written.format(names[0], names[-1])
            words = f"the {operation} of the blocks of {scope['label']}"
            actions.append(_small(text, press("operation", operation), words, choice.operation == operation))
    have = focus_on_blocks(view, scope, "must-have").must_have
    lacking = focus_on_blocks(view, scope, "must-not").must_not
    for kind, blocks in (("must-have", have), ("must-not", lacking)):
        why = "Every architecture of the set has" if kind == "must-have" else "None of the set has"
        text = "; ".join(f"{decision} {operation}" for decision, operation in blocks) or "no block"
        actions.append(_small(f"{kind} {len(blocks)}", press(kind), f"{why}: {text}", disabled=not blocks))
    chosen = [region for region in regions if str(region.id) in choice.of]
    if len(chosen) == 1 and len(choice.of) == 1:
        ask = {"data-ask": "Name of the region", "data-answer": chosen[0].name}
        actions.append(_small("rename", press("region", "rename", chosen[0].id) | ask, "give the region another name"))
        actions.append(_small("×", press("region", "delete", chosen[0].id), f"delete region {chosen[0].name}"))
    return actions


def _chip(which: str, text: str, words: str, chosen: bool) -> html.Button:
    return html.Button(
        text,
        className="region-chip",
        title=f"Judge blocks in {words}",
        **press("scope", which),
        **{"aria-pressed": str(chosen).lower()},
    )


def _small(
    text: str, told: dict[str, str], words: str, chosen: bool | None = None, *, disabled: bool = False
) -> html.Button:
    state = {} if chosen is None else {"aria-pressed": str(chosen).lower()}
    return html.Button(
        text,
        className="region-action",
        title=words,
        disabled=disabled,
        **told,
        **state,
        **{"aria-label": f"{text}: {words}"},
    )


# callbacks --------------------------------------------------------------------------------------------------------


def choose(
    cockpit: Cockpit,
    told: Any,
    lasso: str | None,
    run: str | None,
    scope: Any,
    x: str | None,
    y: str | None,
    shown: str | None,
    cost: str | None,
) -> tuple[Any, Any]:
    """The store `map-scope` after a press on a region, a lasso, or another run; and which press was answered."""
    answered = (told or {}).get("at")  # presses come one at a time, see `assets/acts.js`
    if not run:
        return no_update, answered
    if ctx.triggered_id == "run":
        return None, answered
    choice = Choice.read(scope)
    if ctx.triggered_id == "region":
        choice = Choice((LASSO,)) if lasso else (Choice() if LASSO in choice.of else choice)
    else:
        words = pressed(told, "scope", "operation", "region", "explore")
        if words is None or run_of(told, run) != run:  # made on a run that was left meanwhile
            return no_update, answered
        try:
            choice = _chosen(cockpit, run, words, choice, scope, str((told or {}).get("note") or ""))
        except ValueError as error:
            set_props("notifications", {"sendNotifications": notification(str(error))})
            return no_update, answered
    regions = named_regions.named_regions(cockpit.store.log(run, kind=named_regions.KIND))
    view = cockpit.view(run)
    return scope_of(view, choice, regions, lasso, axes_of(view, shown, x, y, cost)), answered


def _chosen(
    cockpit: Cockpit, run: str, words: list[str], choice: Choice, scope: dict[str, Any] | None, note: str
) -> Choice:
    """The choice after a press; a region is kept, renamed, deleted or restored on the way.

    Raises:
        ValueError: the press cannot be obeyed, with what to do instead.
    """
    view = cockpit.view(run)
    if words[0] == "operation":
        return Choice(choice.of, words[1])
    if words[0] == "scope":
        return Choice() if words[1] == "all" else choice.toggled(words[1])
    if words[0] == "explore":
        if least_explored(view, at_most=1) is None:
            raise ValueError("No area is less explored than others: nothing is scored yet, or nearly everything is.")
        return Choice((AREA,))
    if words[1] == "keep":
        if not scope:
            raise ValueError("There is no region yet: draw one on the map with the lasso first.")
        inside = unpacked(scope["mask"], len(view.table.archs))
        return Choice((str(named_regions.keep(cockpit.store, run, inside, tuple(scope["axes"]))),))
    if words[1] == "rename":
        named_regions.rename(cockpit.store, run, int(words[2]), note)
        return choice
    return _removed(cockpit.store, run, words, choice)


def _removed(store: Store, run: str, words: list[str], choice: Choice) -> Choice:
    store.append(run, named_regions.KIND, {"do": words[1], "region": int(words[2])})
    return Choice((words[2],)) if words[1] == "restore" else Choice()


def register(app: Dash, cockpit: Cockpit) -> None:
    """The callback of presses on regions, told to one another in turn."""
    app.callback(
        Output("map-scope", "data"),
        Output("region-answered", "data"),
        Input("region-pressed", "data"),
        Input("region", "data"),
        Input("run", "data"),
        State("map-scope", "data"),
        *[State(name, "value") for name in ("map-x", "map-y", "nav-view", "map-cost")],
        prevent_initial_call=True,
    )(partial(choose, cockpit))
    answer_in_turn(app, "region_acts", "regions", "region-answered")
