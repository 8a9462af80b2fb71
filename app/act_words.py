"""Steering acts in words for people; the notation of spaces is for files and the command line."""

from __future__ import annotations

from app.labels import score_label
from app.palette import OPERATION_NAMES
from nas_core.spaces import Act, Region
from nas_core.spaces.parts import OPTIONAL


def words(act: Act) -> str:
    """An act in a few words: `prune conv3 on edge 0→1`; operations bear the names of their bricks."""
    if act.kind == "undo":
        return f"undo act {(act.target or 0) + 1}"
    if act.kind == "focus":
        region = act.region or Region()
        parts = [_block(decision, choice) for decision, choice in region.must_have]
        parts += [f"without {_block(decision, choice)}" for decision, choice in region.must_not]
        parts += [f"{low:g} ≤ {score_label(metric)} ≤ {high:g}" for metric, low, high in region.ranges]
        return f"focus on {', '.join(parts) or 'everything'}"
    return f"{act.kind} {blocks(act)}"


def blocks(act: Act) -> str:
    """What an act pins or prunes: `conv3 on edge 0→1`, or the block that a decision keeps or leaves out."""
    if act.choices == OPTIONAL[1:]:
        return act.decision
    named = " or ".join(OPERATION_NAMES.get(choice, choice) for choice in act.choices)
    return f"{named} {'everywhere' if act.decision == '*' else f'on {act.decision}'}"


def _block(decision: str, choice: str) -> str:
    return decision if choice == OPTIONAL[1] else f"{OPERATION_NAMES.get(choice, choice)} on {decision}"
