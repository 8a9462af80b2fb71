"""The tables that are taken away, as data frames of a bounded size: candidates of a run, statistics of their layers.

Numbers are as they were computed. How a table is written is the matter of `_formats`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from app import layer_names
from app.cockpit import Cockpit, View
from app.truth import truth_of
from nas_core import bench
from nas_core.ladder import RUNGS, TRAINED, WEIGHTS_STEP, rung
from nas_core.store import CandidateRow

PORTION = 1000
"""Candidates that are held at a time."""

TRUTH = "truth:"
"""What the name of a column of known results begins with; `table/column` follows."""


@dataclass(frozen=True)
class Taken:
    """A table to take away.

    Attributes:
        frames: data frames with the same columns, one after another; at least one.
        rungs: by column, the rung of the evaluation ladder that its values stand on, where they stand on one.
    """

    frames: Iterator[pd.DataFrame]
    rungs: Mapping[str, str] = field(default_factory=dict)


def candidates(cockpit: Cockpit, view: View) -> Taken:
    """Every evaluation of a run that was scored or failed, in the order of scoring.

    Columns: `scored` and `position`, the order of scoring and of asking; `rank` by what ranks the run; `architecture`
    and its `canonical` form; `failed`, the reason why it has no scores; `rung`, the highest that its values stand on;
    its scores, then closed forms, then known results (`truth:table/column`); `fidelity`, `seed`, `budget` and
    `standard_error` of the evaluation; seconds by score. What is not known is empty.
    """
    space = view.run.space
    stored = _stored(cockpit, view)
    closed = [str(name) for name in view.table.closed if name not in stored]
    derived = {} if view.rank_by in (*stored, *closed) else {view.rank_by: view.over_space(view.rank_by)}
    truths = [found for choice in bench.choices(space) if (found := truth_of(space, choice))]
    known = {TRUTH + found.choice: found.over(view.table) for found in truths}
    rungs = {name: view.rung(name) for name in (*stored, *derived, *closed) if name != WEIGHTS_STEP}
    rungs |= dict.fromkeys(known, "tabular truth")

    def frames() -> Iterator[pd.DataFrame]:
        ranks, before = _ranks(view), 0
        for rows in _portions(cockpit, view):
            yield _frame(view, rows, stored, derived, closed, known, ranks[before:])
            before += sum(not row.failed for row in rows)
        if not view.version[0]:
            yield _frame(view, [], stored, derived, closed, known, [])

    return Taken(frames(), rungs)


def layers(cockpit: Cockpit, view: View) -> Taken:
    """What the score that ranks a run says of every layer of every scored candidate, in the order of scoring.

    Columns: `rank`, `architecture`, `canonical`, `score`, then what the score says of a layer: `layer` is the name
    that people give it, `module` its module's own. Empty where it says nothing of layers.
    """
    run, score, space = view.run, view.rank_by, view.table.space

    def named(canonical: str, told: Sequence[Mapping[str, Any]]) -> list[dict[Hashable, Any]]:
        frame = pd.DataFrame(list(told)).astype(object)
        found = layer_names.renamed(frame, space, space.parse(canonical), run.config.settings)
        return found.to_dict("records")

    def frames() -> Iterator[pd.DataFrame]:
        ranks, before = _ranks(view), 0
        columns = pd.Index(["rank", "architecture", "canonical", "score"])
        seen = False
        for rows in _portions(cockpit, view):
            scored = [row for row in rows if not row.failed]
            told = cockpit.store.layers_of(
                run.space, [row.canonical for row in scored], score, run.config.settings.key()
            )
            found = [
                {"rank": rank, "architecture": row.arch, "canonical": row.canonical, "score": score, **layer}
                for row, rank in zip(scored, ranks[before:], strict=False)
                for layer in named(row.canonical, told.get(row.canonical, ()))
            ]
            before += len(scored)
            if not found:
                continue
            frame = pd.DataFrame(found)
            columns = columns if seen else frame.columns
            seen = True
            yield frame.reindex(columns=columns).astype({"rank": "Int64"})
        if not seen:
            yield pd.DataFrame(columns=columns).astype({"rank": "Int64"})

    return Taken(frames())


def _portions(cockpit: Cockpit, view: View) -> Iterator[list[CandidateRow]]:
    """The evaluations that `view` has read, some at a time."""
    after, last = 0, view.version[0]
    while after < last:
        rows = cockpit.store.candidates(view.run.id, after, most=min(PORTION, last - after))
        rows = [row for row in rows if row.scored is not None and row.scored <= last]
        if not rows:
            return
        yield rows
        after = rows[-1].scored or last


def _stored(cockpit: Cockpit, view: View) -> list[str]:
    """Every score that candidates of a run have: its own first, then what was kept beside them."""
    names = dict.fromkeys(view.run.config.scores)
    for rows in _portions(cockpit, view):
        names |= dict.fromkeys(name for row in rows for name in row.values or ())
    return list(names | dict.fromkeys([TRAINED] if view.trained else []))


def _ranks(view: View) -> list[int | None]:
    """The rank of every scored candidate, in the order of scoring, as the pages count it: 1 is the best."""
    ranked = view.ranked
    order = np.argsort(-np.nan_to_num(ranked, nan=-np.inf), kind="stable")
    places = np.empty(len(order), dtype=int)
    places[order] = np.arange(1, len(order) + 1)
    return [int(place) if math.isfinite(value) else None for place, value in zip(places, ranked, strict=True)]


def _frame(
    view: View,
    rows: Sequence[CandidateRow],
    stored: Sequence[str],
    derived: Mapping[str, np.ndarray],
    closed: Sequence[str],
    known: Mapping[str, np.ndarray],
    ranks: Sequence[int | None],
) -> pd.DataFrame:
    """Some evaluations as a data frame; `ranks` are those of the scored ones among them, in order."""
    indices = np.array([view.table.index[row.arch] for row in rows], dtype=int)
    failed = np.array([bool(row.failed) for row in rows], dtype=bool)
    following = iter(ranks)
    columns: dict[str, Any] = {
        "scored": _whole([row.scored for row in rows]),
        "position": _whole([row.position for row in rows]),
        "rank": _whole([None if row.failed else next(following, None) for row in rows]),
        "architecture": _texts(row.arch for row in rows),
        "canonical": _texts(row.canonical for row in rows),
        "failed": _texts(row.failed for row in rows),
        "rung": _texts(_rung(view, row) for row in rows),
    }
    columns |= {name: _numbers(_value(view, row, name) for row in rows) for name in stored}
    columns |= {name: np.where(failed, np.nan, values[indices]) for name, values in derived.items()}
    columns |= {name: view.table.closed[name].to_numpy()[indices] for name in closed}
    columns |= {name: values[indices] for name, values in known.items()}
    columns |= {
        "fidelity": _texts(row.fidelity for row in rows),
        "seed": _whole([row.seed for row in rows]),
        "budget": _numbers(row.budget for row in rows),
        "standard_error": _numbers(row.standard_error for row in rows),
    }
    timed = view.run.config.scores
    columns |= {f"{name} seconds": _numbers((row.seconds or {}).get(name) for row in rows) for name in timed}
    return pd.DataFrame(columns)


def _value(view: View, row: CandidateRow, name: str) -> float | None:
    """A score of an evaluation; the accuracy of a training alone is that of the run that trained it."""
    held = (row.values or {}).get(name)
    return view.trained.get(row.arch) if held is None and name == TRAINED else held


def _rung(view: View, row: CandidateRow) -> str:
    """The highest rung that a value of an evaluation stands on."""
    if row.fidelity:
        return row.fidelity
    known = [name for name, value in (row.values or {}).items() if name != WEIGHTS_STEP and not math.isnan(value)]
    held = [rung(name) for name in known]
    held += [TRAINED] if row.arch in view.trained else []
    return max(held, key=RUNGS.index, default=RUNGS[0])


def _whole(values: Sequence[int | None]) -> pd.Series:
    return pd.Series(values, dtype="Int64")


def _numbers(values: Any) -> pd.Series:
    return pd.Series(list(values), dtype=float)


def _texts(values: Any) -> pd.Series:
    return pd.Series(list(values), dtype="str")
