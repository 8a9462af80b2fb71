"""Candidates on the workers: in groups, each result written as it comes; one that cannot be scored is marked failed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nas_core.engine import _work
from nas_core.engine.tasks.base import JobFailed, Step, Task
from nas_core.store import CandidateRow
from nas_core.workers import Failure, FailureKind, Group, GroupFailed, Groups, Job, Limits, Outcome, Reference

if TYPE_CHECKING:
    from nas_core.scoring import CandidateScore

LARGEST_GROUP = 16
"""Candidates a worker gets at a time: it runs them side by side, and results still come every fraction of a second."""

_GROUP_SECONDS = 2.0
"""About how long a group may take: how long a pause waits, and what a kill costs."""
_SETUP_SECONDS = 20.0

Scored = Sequence[tuple[CandidateRow, "CandidateScore | Failure"]]
Write = Callable[[Scored], None]


class Scoring:
    """Scores candidates of one task; made once a task, since it learns how long a candidate takes."""

    def __init__(self, task: Task) -> None:
        self._task, self._config = task, task.config
        limits = self._config.limits
        self._setup_seconds = max(_SETUP_SECONDS, limits.seconds)
        self._limits = Limits(limits.seconds, limits.memory_mib, self._setup_seconds)
        self._seconds = 0.0
        self._loaded = False

    def set_up(self) -> Generator[Step, None, None]:
        """Have a worker load what the run scores and trains on, once: what cannot be loaded fails the run.

        Raises:
            JobFailed: it cannot, or does not within its limit.
        """
        if self._loaded:
            return
        config = self._config
        supernet = config.supernet_settings() if config.supernet is not None else None
        limits = Limits(self._setup_seconds)
        arguments = (config.proxies, config.settings, supernet)
        try:
            yield from self._task.call(_work.load_images, *arguments, limits=limits, tries=1)
        except JobFailed as failed:
            if failed.failure.kind is not FailureKind.TIME:
                raise
            reason = f"data set {config.data!r} was not loaded within {limits.seconds:g} s"
            raise JobFailed(replace(failed.failure, reason=reason)) from None
        self._loaded = True

    def carry_out(
        self, rows: Sequence[CandidateRow], proxies: Sequence[str], weights: Reference | None, write: Write
    ) -> Generator[Step, None, bool]:
        """Score `rows` by `proxies`, beside those on `weights`; False where the task was left before all were.

        Raises:
            JobFailed: no candidate is to blame: no worker can be started, or the space cannot be built.
        """
        if not rows:
            return not self._task.context.leaving
        yield from self.set_up()
        groups = Groups(rows, size=self._size(len(rows)), tries=self._config.limits.tries)
        running: dict[Job, Group[CandidateRow]] = {}
        while groups or running:
            if self._task.context.leaving:
                groups.clear()
                if not running:
                    return False
            while groups and len(running) <= self._task.context.workers.slots:
                group = groups.next()
                running[self._submit(group, proxies, weights)] = group
            for outcome in (yield from self._task.arrivals()):
                self._learn_pace(outcome)
                try:
                    known = groups.take(running.pop(outcome.job), outcome)
                except GroupFailed as failed:
                    raise JobFailed(failed.failure) from None
                if known:
                    write(known)
        return not self._task.context.leaving

    def _size(self, count: int) -> int:
        """As many groups as workers, so that the last of a generation does not keep all but one of them waiting."""
        most = LARGEST_GROUP if not self._seconds else max(1, int(_GROUP_SECONDS / self._seconds))
        return min(LARGEST_GROUP, most, max(1, -(-count // self._task.context.workers.slots)))

    def _learn_pace(self, outcome: Outcome) -> None:
        seconds = [sum(one.seconds.values()) for one in outcome.value or () if not isinstance(one, Failure)]
        if seconds:
            self._seconds = sum(seconds) / len(seconds)

    def _submit(self, group: Group[CandidateRow], proxies: Sequence[str], weights: Reference | None) -> Job:
        space = self._config.known_space
        archs = tuple(space.parse(row.arch) for row in group.items)
        work = _work.CandidateGroup(
            space.name, self._config.template, archs, tuple(proxies), self._config.settings, weights
        )
        return self._task.submit(_work.score_candidates, work, limits=self._limits)
