"""What tasks share: short steps that end in the store, jobs on the workers, and leaving at any moment.

A task is a generator of steps. It says `MOVED` when a step has ended in the store, and waits for the workers by
`yield from`; the engine meanwhile advances the others. It may be left at every `yield`, and never be gone on with:
what must survive is in the store by then.
"""

from __future__ import annotations

import enum
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nas_core.config import RunConfig
from nas_core.store import LeaseLost, RunRow, Store
from nas_core.workers import Failure, Job, Limits, Outcome, Workers

GRACE_SECONDS = 3.0
"""How long a task that is left waits for what its workers have in hand; what takes longer is computed again."""


class Step(enum.Enum):
    """What a task has just done."""

    MOVED = "moved"
    """A step has ended, and is in the store."""
    WAITS = "waits"
    """It can do nothing until an outcome arrives."""


class JobFailed(RuntimeError):
    """A job of a task failed; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Leaving(Exception):
    """The task is left: paused, stopped, or its engine ends."""


@dataclass
class TaskContext:
    """What a task works with: its run, the store, and the workers it shares with others.

    `leaving` is set once the task is to hand in what it has in hand, at `leaving_since` on the monotonic clock.
    """

    store: Store
    identifier: str
    engine: str
    workers: Workers
    arrived: deque[Outcome] = field(default_factory=deque)
    leaving_since: float | None = None

    @property
    def leaving(self) -> bool:
        """Whether the task is to come to an end for now."""
        return self.leaving_since is not None

    def leave(self) -> None:
        """Have the task hand in what it has in hand."""
        if self.leaving_since is None:
            self.leaving_since = time.monotonic()

    def run(self) -> RunRow:
        """The run as it stands.

        Raises:
            LeaseLost: another engine holds it.
        """
        run = self.store.run(self.identifier)
        if run.engine != self.engine:
            raise LeaseLost(f"run {self.identifier} is held by {run.engine}")
        return run

    def finish(self, message: str) -> bool:
        """Mark the run finished; False where a command came in between and it is to go on."""
        return self.store.set_state(self.identifier, "finished", message, expected=("running",))

    def fail(self, reason: str) -> None:
        """Mark the run failed, with the reason."""
        self.store.set_state(self.identifier, "failed", reason or "no reason was given")


class Task(ABC):
    """A piece of work that the engine carries through.

    A subclass gives `steps`; with `options_class`, a frozen dataclass (see `nas_core.options`), it has options, which
    stand in its name: `countdown:start=5`. What it knows is kept by `save` and read back as `saved`.

    Example:
        @register("countdown")
        class Countdown(Task):
            summary = "counts down"
            options_class = CountdownOptions

            def steps(self):
                left = self.saved.get("left", self.options.start)
                while left:
                    left = yield from self.call(one_less, left)
                    self.save({"left": left}, f"{left} left")
                    yield Step.MOVED
                self.context.finish("counted down")
    """

    summary: ClassVar[str] = ""
    options_class: ClassVar[type[Any] | None] = None

    def __init__(self, context: TaskContext) -> None:
        self.context = context
        self.config: RunConfig = context.run().config
        self.saved: Mapping[str, Any] = context.store.task_state(context.identifier) or {}

    @property
    def options(self) -> Any:
        """The options of the run, as `options_class`; None where there is none."""
        return self.config.task_options(self.options_class)

    @abstractmethod
    def steps(self) -> Iterator[Step]:
        """The work, from where the store says it stands."""

    def save(self, state: Mapping[str, Any], message: str = "") -> None:
        """Keep what the task goes on from, with a line for people.

        Raises:
            LeaseLost: another engine holds the run.
        """
        self.context.store.save_task(self.context.identifier, state, message, engine=self.context.engine)

    def submit(self, call: Callable[..., Any], *arguments: Any, limits: Limits | None = None) -> Job:
        """Queue a job; its outcome is among those that `arrivals` gives."""
        job = Job(self.context.identifier, call, arguments, limits or Limits())
        self.context.workers.submit(job)
        return job

    def arrivals(self) -> Generator[Step, None, list[Outcome]]:
        """Wait for outcomes of jobs.

        Raises:
            Leaving: the task was left, and what its workers have in hand takes too long.
        """
        while not self.context.arrived:
            since = self.context.leaving_since
            if since is not None and time.monotonic() - since > GRACE_SECONDS:
                raise Leaving
            yield Step.WAITS
        found = list(self.context.arrived)
        self.context.arrived.clear()
        return found

    def call(
        self, call: Callable[..., Any], *arguments: Any, limits: Limits | None = None, tries: int = 2
    ) -> Generator[Step, None, Any]:
        """Run one job on a worker and return its value; a lost process or one out of time is tried `tries` times.

        Raises:
            JobFailed: it failed.
            Leaving: the task was left meanwhile.
        """
        for attempt in range(1, tries + 1):
            self.submit(call, *arguments, limits=limits)
            (outcome,) = yield from self.arrivals()
            if outcome.failure is None:
                return outcome.value
            if not outcome.failure.may_be_tried_again or attempt == tries:
                raise JobFailed(outcome.failure)
        raise AssertionError("unreachable")
