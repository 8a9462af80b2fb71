"""What a press on a brick would do, before it is pressed: the click pins, the × prunes. And why it would do nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from app.act_words import blocks
from app.cockpit import Cockpit, View
from app.masks import packed
from app.pages.navigator.region import changes
from app.palette import block_label
from app.preview import Preview
from nas_core.spaces import Act, SteeringConflict

_KEYS = {"pin": "p", "prune": "x"}


def block_of(view: View, brick: str) -> tuple[str, str]:
    """Names of the decision and choice of the brick `d:c`."""
    d, c = map(int, brick.split(":"))
    decision = view.table.space.decisions[d]
    return decision.name, decision.choices[c]


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
    return f"Already {done}: {blocks(wanted)}."


def predicted(view: View, hovered: str, before: dict[str, Any] | None) -> tuple[Any, Any]:
    """The store `map-going` and the words of the press that `hovered` names: `pin:d:c` or `prune:d:c`.

    Once an act was done, what was predicted `before` it is cleared, until the pointer comes to a brick anew.
    """
    now: dict[str, Any] = {"brick": hovered, "acts": len(view.acts), "mask": None}
    if before and before["brick"] == hovered:
        return (no_update, no_update) if before["acts"] == now["acts"] else (now, "")
    kind, _, brick = hovered.partition(":")
    other = "prune" if kind == "pin" else "pin"
    seen = _seen(view, kind, brick)
    foot = html.P(_instead(view, other, brick), className="preview-other")
    if isinstance(seen, str):
        return now, [_head(view, kind, brick), html.P(seen), foot]
    return now | {"mask": packed(seen.mask)}, [_head(view, kind, brick), *_lines(view, kind, seen), foot]


def _seen(view: View, kind: str, brick: str) -> Preview | str:
    """What the press would remove, or why it does nothing."""
    decision, choice = block_of(view, brick)
    act = Act("pin" if kind == "pin" else "prune", decision, (choice,))
    try:
        idle = idle_because(view, act)
        return idle or view.preview(view.steering.extended(view.table.space, act))
    except SteeringConflict as conflict:
        return f"Not possible: {conflict}"


def _named(view: View, brick: str) -> str:
    """The block of a brick for people: `conv3 on edge 0→3`, or the optional block alone."""
    d, c = map(int, brick.split(":"))
    decision = view.table.space.decisions[d]
    return decision.name if decision.optional else f"{block_label(decision, c)} on {decision.name}"


def _head(view: View, kind: str, brick: str) -> html.Div:
    verb = "Click pins" if kind == "pin" else "Click on × prunes"
    return html.Div([html.B(f"{verb} {_named(view, brick)}"), html.Kbd(_KEYS[kind])], className="preview-head")


def _lines(view: View, kind: str, seen: Preview) -> list[html.Div]:
    """What stays after a pin, what goes with a prune; the same of the best; the chance that the best is lost."""
    before = view.table.space.count(view.steering).value if view.table.sampled else int(view.kept.sum())
    stays = kind == "pin"
    verb, share = ("stay", 1 - seen.share) if stays else ("go", seen.share)
    count, best = (before - seen.removed, seen.top_of - seen.top) if stays else (seen.removed, seen.top)
    told = [(f"{count:,}", f"of {before:,} architectures {verb} ({share:.0%})")]
    if seen.top_of:
        told.append((f"{best}", f"of the best {seen.top_of} {verb}"))
        told.append((seen.chance, f"chance that the best of the {seen.scored:,} scored is lost"))
    return [html.Div([html.B(number), html.Span(f" {words}")], className="preview-line") for number, words in told]


def _instead(view: View, kind: str, brick: str) -> str:
    """The other press on the same brick, in a sentence."""
    where = "On the ×" if kind == "prune" else "On the brick"
    seen = _seen(view, kind, brick)
    if isinstance(seen, str):
        return f"{where} instead: {seen[0].lower()}{seen[1:]}"
    best = f", {seen.top} of the best {seen.top_of}" if seen.top_of else ""
    return f"{where} instead: {kind}. Removes {seen.removed:,} architectures{best}."


def show(cockpit: Cockpit, _due: Any, hovered: str | None, run: str | None, before: Any) -> tuple[Any, Any]:
    """What the press under the pointer would do: dots that would go, and the words; nothing where none is."""
    if not run or not hovered:
        return (None, "") if before else (no_update, no_update)
    return predicted(cockpit.view(run), hovered, before)


def register(app: Dash, cockpit: Cockpit) -> None:
    """The callback of the brick under the pointer."""
    app.clientside_callback(
        ClientsideFunction("gates", "preview"),
        Output("preview-due", "data"),
        Input("hovered", "data"),
        Input("pulse", "data"),
        State("map-going", "data"),
        prevent_initial_call=True,
    )
    app.callback(
        Output("map-going", "data"),
        Output("preview", "children"),
        Input("preview-due", "data"),
        State("hovered", "data"),
        State("run", "data"),
        State("map-going", "data"),
        prevent_initial_call=True,
    )(partial(show, cockpit))
