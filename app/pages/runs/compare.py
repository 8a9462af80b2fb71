"""Two runs held against each other: what each found, the verdict in words, and where their best cells differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.act_words import words
from app.best_so_far import best_positions
from app.cockpit import Cockpit, View
from app.labels import ranking_label
from app.palette import block_colour, block_label, short
from nas_core import bench
from nas_core.ladder import AGGREGATE
from nas_core.spaces import Decision
from nas_core.store import RunRow


@dataclass(frozen=True)
class Course:
    """A run to compare.

    Attributes:
        run: its identifier; `name` is what it is called, `label` what its line is called.
        metric: the score that ranks it.
        values: that score by candidate in order of scoring, higher is better, (n,).
        truth: the known result by candidate (n,), NaN where there is none; `about` is what it measures, with its unit.
        flags: acts in force, (candidates scored before, what the act does).
        best: the best candidate, an index for each decision; None where nothing is scored.
    """

    run: str
    name: str
    label: str
    metric: str
    values: np.ndarray
    truth: np.ndarray
    about: str = ""
    unit: str = ""
    flags: tuple[tuple[int, str], ...] = ()
    best: tuple[int, ...] | None = None

    @property
    def found(self) -> int | None:
        """Position of the best candidate; None where nothing is scored."""
        return int(best_positions(self.values)[-1]) if np.isfinite(self.values).any() else None


@dataclass(frozen=True)
class Verdict:
    """What came of the comparison: a few words, the numbers behind them, and how they were computed."""

    finding: str
    evidence: str = ""
    how: str = ""


@dataclass(frozen=True)
class Segment:
    """A decision on a strip: what the best candidate has there, its colour, and whether the two differ in it."""

    decision: str
    choice: str
    colour: str
    differs: bool


@dataclass(frozen=True)
class Comparison:
    """Two runs, the steered one first where one is the other's twin."""

    courses: tuple[Course, Course]
    verdict: Verdict
    strips: tuple[tuple[Segment, ...], ...] = ()
    twins: bool = False


def comparison(cockpit: Cockpit, runs: Sequence[str], choice: str | None) -> Comparison:
    """Hold two runs against each other; `choice` names the known results, see `app.truth`.

    Raises:
        StoreError: one of them is gone.
    """
    views = [cockpit.view(run) for run in runs]
    if views[0].run.config.twin_of == views[1].run.id:
        views.reverse()
    first, second = views
    twins = second.run.config.twin_of == first.run.id
    labels = ("steered", "twin") if twins else (first.run.name, second.run.name)
    courses = (_course(cockpit, first, labels[0], choice), _course(cockpit, second, labels[1], choice))
    reason = incomparable(first.run, second.run)
    said = Verdict("Not comparable by score", reason) if reason else verdict(courses, twins=twins)
    same = first.run.space == second.run.space
    strips = _strips(first.table.space.decisions, [course.best for course in courses]) if same else ()
    return Comparison(courses, said, strips, twins)


def incomparable(one: RunRow, other: RunRow) -> str:
    """Why scores of two runs say nothing of each other; empty where they do."""
    if one.rank_by != other.rank_by:
        return (
            f"“{one.name}” is ranked by {ranking_label(one.rank_by)}, “{other.name}” by {ranking_label(other.rank_by)}."
        )
    if one.rank_by == AGGREGATE:
        return "An aggregate ranks candidates within their own run; it has no scale that two runs share."
    if one.space != other.space:
        return f"“{one.name}” searches {one.space_title}, “{other.name}” {other.space_title}."
    settings = [run.config.settings.to_dict() | {"seed": 0} for run in (one, other)]
    changed = [name for name, value in settings[0].items() if value != settings[1][name]]
    if changed:
        told = ", ".join(f"{name} {settings[0][name]} and {settings[1][name]}" for name in changed)
        return f"Their scores were computed differently: {told.replace('_', ' ')}."
    return ""


def verdict(courses: tuple[Course, Course], *, twins: bool) -> Verdict:
    """Who is ahead by the mean of the best candidates, with its interval; of twins, whether steering paid."""
    first, second = courses
    try:
        found = bench.compare_twins(first.values, second.values)
    except ValueError as error:
        return Verdict("Too early", f"{error}.")
    gain = found.difference
    if gain.low > 0:
        finding = "Steering paid" if twins else f"“{first.name}” is ahead"
    elif gain.high < 0:
        finding = "Steering cost" if twins else f"“{second.name}” is ahead"
    else:
        finding = "No clear gain" if twins else "No clear difference"
    pair = "Steered minus twin" if twins else f"“{first.name}” minus “{second.name}”"
    how = (
        f"{pair}, {first.metric}: mean of the {found.best} best after {found.n:,} candidates. "
        "95 % interval over candidates, not over seeds."
    )
    if found.reached is None:
        how += f" {'The steered run' if twins else 'The first'} never reached the other's final mean."
    elif found.reached < found.n:
        how += f" The other's final mean was reached after {found.reached:,} ({found.reached / found.n:.0%})."
    return Verdict(finding, f"{gain.value:+.3g} [{gain.low:+.3g}, {gain.high:+.3g}]", how)


def outcome(course: Course) -> tuple[str, str]:
    """What a run found: its best value, and where it was found and what is known of it."""
    at = course.found
    if at is None:
        return "–", "nothing scored yet"
    acts = f"{len(course.flags)} act{'s' if len(course.flags) != 1 else ''}" if course.flags else "no act"
    truth = course.truth[at]
    known = "" if np.isnan(truth) else f", truly {short(float(truth))}{course.unit}"
    return short(float(course.values[at])), f"found at {at + 1:,} of {len(course.values):,}, {acts}{known}"


def _course(cockpit: Cockpit, view: View, label: str, choice: str | None) -> Course:
    truth = cockpit.truth(view.run.space, choice)
    known = np.full(len(view.indices), np.nan) if truth is None else truth.over(view.table)[view.indices]
    values = view.ranked
    course = Course(
        view.run.id,
        view.run.name,
        label,
        ranking_label(view.rank_by),
        values,
        known,
        *(("", "") if truth is None else (truth.axis, truth.unit)),
        flags=tuple((int(view.acts[k].body.get("scored", 0)), words(act)) for k, act in view.in_force()),
    )
    if course.found is None:
        return course
    best = tuple(int(index) for index in view.table.archs[view.indices[course.found]])
    return Course(**{**vars(course), "best": best})


def _strips(decisions: Sequence[Decision], best: Sequence[tuple[int, ...] | None]) -> tuple[tuple[Segment, ...], ...]:
    """The best candidates decision by decision, told where they differ; none where one of them has none yet."""
    if None in best:
        return ()
    held = [arch for arch in best if arch is not None]
    differs = [len(set(chosen)) > 1 for chosen in zip(*held, strict=True)]
    return tuple(
        tuple(
            Segment(decision.name, block_label(decision, choice), block_colour(decision, choice), apart)
            for decision, choice, apart in zip(decisions, arch, differs, strict=True)
        )
        for arch in held
    )
