"""A run as a row of the table: from its counters, its configuration and its summary, never from its candidates; and
which rows a browser does not have yet. How a row looks is in `assets/runs.js`, what can be done in `orders.py`."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.cockpit import UNDERWAY, Cockpit
from app.labels import ranking_label
from app.states import SIGNS
from nas_core.config import SEARCH
from nas_core.store import RunRow

Row = dict[str, Any]
"""What the table holds of a run, JSON-ready."""
Known = dict[str, int]
"""What a browser holds: by run, a checksum of its row."""

WITH_CANDIDATES = (SEARCH, "alone", "weights")
"""Kinds of work over a search space."""

SPARK_WIDTH, SPARK_HEIGHT = 92, 24
_SPARK_MARGIN = 3
_SPARK_STEPS = 32
"""Steps of a curve that can be told apart at that width."""


@dataclass(frozen=True)
class News:
    """What a browser is to change: rows that are new or differ, and runs that are gone; `known` is what it has then."""

    rows: list[Row] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    known: Known = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.gone)


def news(rows: Iterable[Row], known: Mapping[str, int]) -> News:
    """What differs between `rows`, all that there are, and what a browser knows."""
    held = {row["id"]: row for row in rows}
    now = {run: zlib.crc32(json.dumps(row).encode()) for run, row in held.items()}
    changed = [held[run] for run, mark in now.items() if known.get(run) != mark]
    return News(changed, [run for run in known if run not in now], now)


class RunTable:
    """All runs as rows. Remembers only since when a run has been paused, which is read from its log once."""

    def __init__(self, cockpit: Cockpit) -> None:
        self._cockpit = cockpit
        self._since: dict[tuple[Any, ...], float | None] = {}

    def rows(self) -> list[Row]:
        """A row a run, newest first."""
        runs = self._cockpit.store.runs()
        ahead = queue(runs)
        problem = self._cockpit.engine_problem()
        names = Counter(run.name for run in runs)
        return [
            row(
                run,
                ahead=ahead.get(run.id, 0),
                problem=problem,
                since=self._paused_since(run),
                namesakes=names[run.name] - 1,
            )
            for run in runs
        ]

    def _paused_since(self, run: RunRow) -> float | None:
        """When a run was paused, seconds since 1970; None for any that is not, or where nobody pressed Pause."""
        if run.state != "paused":
            return None
        moment = (run.id, run.asked, run.scored, run.busy_seconds)
        if moment not in self._since:
            commands = self._cockpit.store.log(run.id, kind="command")
            pressed = commands[-1] if commands and commands[-1].body.get("name") == "pause" else None
            self._since[moment] = pressed.time if pressed else None
        return self._since[moment]


def queue(runs: Collection[RunRow]) -> dict[str, int]:
    """By waiting run, how many others an engine works on, or takes up before it: the older one first."""
    waiting = sorted((run for run in runs if run.state == "queued"), key=lambda run: run.created)
    under_way = sum(run.state == "running" for run in runs)
    return {run.id: under_way + place for place, run in enumerate(waiting)}


def row(run: RunRow, *, ahead: int = 0, problem: str = "", since: float | None = None, namesakes: int = 0) -> Row:
    """A run as the table shows it.

    Args:
        run: the run.
        ahead: runs that come before it, where it waits.
        problem: what is wrong with the engine, empty where nothing is.
        since: when it was paused, seconds since 1970.
        namesakes: other runs of the same name; its identifier then tells it apart.
    """
    sign, word = SIGNS.get(run.state, ("○", run.state))
    told, why = said(run, ahead, problem)
    about = " · ".join([*([run.id] if namesakes else []), *_about(run)])
    curve = _curve(run)
    with_candidates = run.config.task_name in WITH_CANDIDATES
    return {
        "id": run.id,
        "name": run.name or run.id,
        "about": about,
        "search": f"{run.name} {about} {run.id} {word}",
        "state": word,
        "sign": sign,
        "tone": run.state,
        "said": told,
        "why": why,
        "since": since,
        "spark": spark(curve, run.scored + run.failed),
        "steered": bool(run.acts),
        "best": curve[-1][1] if curve else None,
        "metric": ranking_label(run.rank_by) if with_candidates else "",
        "unknown": _UNSUMMED if run.scored and not curve and with_candidates else "",
        "acts": run.acts,
        "made": run.created,
    }


_UNSUMMED = "Not summed up: Compare reads the best from the candidates, or let the run go on."


def _about(run: RunRow) -> list[str]:
    """Space, data and strategy of a run, in the words of its configuration."""
    config = run.config
    if config.task_name not in WITH_CANDIDATES:
        return [config.task, f"seed {config.seed}"]
    how = {"alone": "one network trained", "weights": "shared weights"}.get(config.task_name, config.strategy)
    twin = ["twin"] if config.twin_of else []
    return [run.space_title, _data(config.data), how, *twin]


def _data(spec: str) -> str:
    """A data set in short: the last part of its path says which."""
    kind, _, path = spec.partition(":")
    return f"{kind} {path.rstrip('/').rpartition('/')[2]}" if path else kind


def said(run: RunRow, ahead: int = 0, problem: str = "") -> tuple[str, str]:
    """What stands under the state of a run, and the whole of it for those who point there."""
    far = progress(run)
    if run.config.problem:
        whole = f"Its configuration cannot be read whole: {run.config.problem}"
        return whole, whole
    if run.state == "failed":
        return run.message or "no reason was given", f"{run.message} · {far}" if run.message else far
    if run.state == "created":
        return "not started yet", "Press Start to have it searched."
    if run.state in UNDERWAY and problem:
        return problem, f"{problem} · {far}"
    if run.state == "queued":
        cause = "the engine takes the oldest first" if ahead else "it starts as soon as an engine is free"
        behind = f"behind {ahead:,} run{'s' if ahead != 1 else ''}" if ahead else "next in line"
        return behind, f"{behind}: {cause}. {far}"
    early = run.state == "finished" and run.config.budget and run.scored + run.failed < run.config.budget
    if run.message and (early or (run.state == "running" and not run.scored)):
        return (f"{far}: {run.message}" if early else run.message), f"{far}: {run.message}"
    return far, f"{far}: {run.message}" if run.message else far


def progress(run: RunRow) -> str:
    """How far a run is, in the unit of its work."""
    config = run.config
    if config.task_name not in WITH_CANDIDATES:
        return run.message or f"{run.busy_seconds:.0f} s of work"
    if config.task_name != SEARCH:
        return f"{run.weights_step:,} steps, {config.epochs:g} epochs in all"
    done = f"{run.scored:,} of {config.budget:,}" if config.budget else f"{run.scored:,} scored"
    return f"{done}, {run.failed:,} failed" if run.failed else done


def _curve(run: RunRow) -> list[tuple[float, float]]:
    """Steps of the best so far, (candidates, value), as whoever scored left them."""
    return [(float(at), float(value)) for at, value in run.summary.get("curve", [])]


def spark(curve: Sequence[tuple[float, float]], end: int) -> str:
    """The best so far as an SVG path within `SPARK_WIDTH` x `SPARK_HEIGHT`, steps that hold to `end` candidates; empty
    without a curve."""
    if not curve:
        return ""
    stride = -(-len(curve) // _SPARK_STEPS)
    steps = [*curve[:-1:stride], curve[-1]]
    last = max(float(end), steps[-1][0]) or 1.0
    low, high = steps[0][1], steps[-1][1]
    inner = SPARK_HEIGHT - 2 * _SPARK_MARGIN

    def across(at: float) -> str:
        return f"{_SPARK_MARGIN + at / last * (SPARK_WIDTH - 2 * _SPARK_MARGIN):.0f}"

    def down(value: float) -> str:
        share = (value - low) / (high - low) if high > low else 0.5
        return f"{_SPARK_MARGIN + (1 - share) * inner:.0f}"

    first, *others = steps
    path = f"M{across(first[0])} {down(first[1])}"
    path += "".join(f"H{across(at)}V{down(value)}" for at, value in others)
    return f"{path}H{across(last)}"


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many runs are in each state, by its word, and all."""
    found = Counter(row["state"] for row in rows)
    return {"All": sum(found.values())} | {word: found.get(word, 0) for _, word in SIGNS.values()}
