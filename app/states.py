"""The states of a run in signs and words, the same on every page, and how far a run is."""

from __future__ import annotations

from typing import Any

from dash import html

SIGNS = {
    "created": ("○", "Ready"),
    "queued": ("◷", "Waiting"),
    "running": ("●", "Running"),
    "paused": ("❚❚", "Paused"),
    "stopped": ("■", "Stopped"),
    "finished": ("✓", "Done"),
    "failed": ("✕", "Failed"),
    "gone": ("○", "Deleted"),
    "broken": ("✕", "No store"),
}
"""Sign and word of every state; a state is never told by colour alone."""

HINTS = {
    "created": "press Start to score the space",
    "queued": "waiting for the engine",
    "paused": "Resume goes on",
    "stopped": "Start goes on",
}
"""What to do, or what is waited for, in a state that does not go on by itself."""

GO_ON = {"created": ("Start the search", "start"), "stopped": ("Go on", "start"), "paused": ("Resume", "resume")}
"""In a state that a press leads out of: what its button says, and the command that it gives."""

EXTENSION = 500
"""Candidates that one press on Extend adds to the budget."""

TRAINING = 10
"""Epochs that one press on Train on adds."""


def pill(state: str) -> html.Span:
    """A state as a pill: sign and word."""
    sign, word = SIGNS.get(state, ("○", state))
    return html.Span([html.Span(sign, className="sign", **{"aria-hidden": "true"}), word], className=f"pill {state}")


def go_on(state: str, run: str) -> tuple[str, tuple[object, ...]]:
    """What the button of a headline says that sets a run going, and what its press tells; nothing where it goes."""
    words, command = GO_ON.get(state, ("", ""))
    return words, ((command, run) if command else ())


def progress(scored: int, budget: int | None) -> str:
    """How far a run is; without a budget it goes on to the end of its space."""
    return f"{scored:,} of {budget:,} scored" if budget else f"{scored:,} scored"


def share(pulse: dict[str, Any]) -> float | None:
    """The share of its budget that a run has used; None without a budget."""
    budget = pulse.get("budget") or 0
    return min(1.0, (pulse.get("scored", 0) + pulse.get("failed", 0)) / budget) if budget else None
