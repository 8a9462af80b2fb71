"""What can be done with the runs that were chosen: what each press tells, and the reason where it would do nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.cockpit import Cockpit
from app.pages.runs.rows import WITH_CANDIDATES
from app.states import EXTENSION, SIGNS, TRAINING
from nas_core.config import SEARCH
from nas_core.store import RunRow

ORDERS = {
    "open": "Open",
    "start": "Start",
    "pause": "Pause",
    "stop": "Stop",
    "extend": f"Extend by {EXTENSION}",
    "train": f"Train {TRAINING} epochs on",
    "compare": "Compare",
    "twin": "Twin",
    "report": "Report",
    "script": "Session script",
    "delete": "Delete…",
}
"""Everything that can be done, by the first word of its press."""
DOES = {
    "open": "Open it in the Navigator",
    "start": "Start, or go on",
    "pause": "Pause: what is being scored is finished first",
    "stop": "Stop: what is scored stays; Start goes on",
    "extend": f"Raise the budget by {EXTENSION} candidates and go on",
    "train": f"Train its weights for {TRAINING} more epochs",
    "compare": "Compare the two, in words and in a chart",
    "twin": "Run it again without its acts, with the same seed and budget: did steering help?",
    "report": "Download what was searched, done and found",
    "script": "Download what repeats this session",
    "delete": "Delete; it is asked first",
}
EACH = ("start", "pause", "stop", "extend", "train")
"""What can be done with several at once; those that it does nothing for are left alone."""
_TOLD = {"twin": "twin-of"}
"""What a press tells where that is not the name of the order: this page also chooses and compares the twin."""
_ENDED = ("paused", "stopped", "finished")
_UNCHOSEN = "Choose a run first: press its row, or tick its box."


def obstacle(order: str, chosen: Sequence[RunRow]) -> str:
    """Why an order would do nothing for the runs that were chosen; empty where it does something."""
    if not chosen:
        return "Choose two runs: tick their boxes." if order == "compare" else _UNCHOSEN
    if order == "delete":
        return ""
    if order == "compare":
        if len(chosen) != 2:
            return f"Choose two runs to compare; {'one is' if len(chosen) == 1 else f'{len(chosen):,} are'} chosen."
        return next((reason for run in chosen if (reason := _without_candidates(run))), "")
    if order not in EACH and len(chosen) > 1:
        return f"Choose one run; {len(chosen):,} are chosen."
    reasons = [_REASONS[order](run) for run in chosen]
    return "" if "" in reasons else reasons[0]


def words(order: str, chosen: Sequence[RunRow]) -> str:
    """What a press on an order tells: the order and its run; for several runs, `each` and the order come first."""
    runs = [run.id for run in chosen]
    several = order in EACH and len(runs) > 1
    return ":".join([*(["each"] if several else []), _TOLD.get(order, order), *runs])


def label(order: str, chosen: Sequence[RunRow]) -> str:
    """What stands on the button of an order."""
    if order == "start" and chosen:
        states = {run.state for run in chosen}
        if states == {"paused"}:
            return "Resume"
        if states <= {"stopped", "failed"}:
            return "Start again"
    return ORDERS[order]


def carry_out(cockpit: Cockpit, order: str, run: RunRow) -> None:
    """Tell the engine what to do with a run: one of `EACH`.

    Raises:
        ValueError: it would do nothing, with the reason, or the store refuses it.
    """
    if reason := obstacle(order, [run]):
        raise ValueError(f"“{run.name}”: {reason}")
    if order == "start" and run.state == "paused":
        order = "resume"
    more: dict[str, Any] = {}
    if order == "extend":
        more = {"budget": (run.config.budget or run.asked) + EXTENSION}
    elif order == "train":
        more = {"epochs": run.config.epochs + TRAINING}
    cockpit.store.command(run.id, order, **more)


def _word(run: RunRow) -> str:
    return SIGNS.get(run.state, ("", run.state))[1].lower()


def _without_candidates(run: RunRow) -> str:
    return "" if run.config.task_name in WITH_CANDIDATES else f"“{run.name}” has no candidates: it is no search."


def _start(run: RunRow) -> str:
    if run.state in ("running", "queued"):
        return f"It is {_word(run)} already."
    return "It is done. Extend raises its budget." if run.state == "finished" else ""


def _pause(run: RunRow) -> str:
    return "" if run.state in ("running", "queued") else f"Nothing to pause: it is {_word(run)}."


def _stop(run: RunRow) -> str:
    return "" if run.state in ("running", "queued", "paused") else f"Nothing to stop: it is {_word(run)}."


def _extend(run: RunRow) -> str:
    if run.config.task_name != SEARCH:
        return "Only a search has a budget to extend."
    return "" if run.state == "finished" else "Its budget is not used up yet."


def _train(run: RunRow) -> str:
    if run.config.supernet is None or run.config.task_name == "alone":
        return "It trains no shared weights."
    return "" if run.state in _ENDED else f"It is {_word(run)}: pause it, or wait for its end."


def _twin(run: RunRow) -> str:
    if run.config.twin_of:
        return "It is a twin itself."
    if reason := _without_candidates(run):
        return reason
    if not run.acts:
        return "It was not steered: a twin without its acts would be the same run."
    return "" if run.state in _ENDED else f"It is {_word(run)}: pause it, or wait for its end."


_REASONS: dict[str, Callable[[RunRow], str]] = {
    "open": lambda _run: "",
    "start": _start,
    "pause": _pause,
    "stop": _stop,
    "extend": _extend,
    "train": _train,
    "twin": _twin,
    "report": _without_candidates,
    "script": _without_candidates,
}
