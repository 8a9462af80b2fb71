"""The contract of workers: a job goes in, its outcome comes out, whatever happens to the process that runs it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from nas_core.workers._reference import Reference


class FailureKind(enum.StrEnum):
    """How a job failed."""

    RAISED = "raised"
    """It raised an exception."""
    MEMORY = "memory"
    """It needed more memory than its limit."""
    LOST = "lost"
    """Its process ended."""
    TIME = "time"
    """It reported nothing for longer than its limit; its process was ended."""
    CANCELLED = "cancelled"
    """Its owner took it back."""
    UNAVAILABLE = "unavailable"
    """No worker could be started."""


@dataclass(frozen=True)
class Failure:
    """Why a job has no value: `reason` is one line for people."""

    kind: FailureKind
    reason: str
    bad_input: bool = False
    """Whether a ValueError or OSError was raised: what was asked for cannot be had, and the reason says why."""

    @property
    def may_be_tried_again(self) -> bool:
        """Whether the same job may end otherwise: an exception is raised again, a lost process may not be."""
        return self.kind in (FailureKind.MEMORY, FailureKind.LOST, FailureKind.TIME)


@dataclass(frozen=True)
class Limits:
    """What a job may use: `seconds` between two reports (None: any), `memory_mib` beyond what its worker holds
    already (None: the share of the machine that a worker has). `setup_seconds` holds until the first report, where a
    fresh process loads what it needs; None for `seconds`."""

    seconds: float | None = None
    memory_mib: int | None = None
    setup_seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Job:
    """A call to run on a worker: `call(*arguments)`, a function at the top of a module.

    `owner` is whose share of the workers it counts for. A `prompt` job has a worker of its own, beside the slots, and
    never waits behind owners that fill these. `heard` is called with whatever the call reports on its way, from
    the thread that waits.
    """

    owner: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    limits: Limits = field(default_factory=Limits)
    prompt: bool = False
    heard: Callable[[Any], None] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its value, or its failure; `mark` is the last thing that it reported."""

    job: Job
    value: Any = None
    failure: Failure | None = None
    mark: Any = None


class Workers(Protocol):
    """Slots that run jobs, shared fairly between owners. Safe to use from one thread."""

    slots: int

    def submit(self, job: Job) -> None:
        """Queue a job."""

    def wait(self, seconds: float) -> list[Outcome]:
        """Outcomes that have arrived, after at most `seconds`; none where nothing did."""

    def cancel(self, owner: str) -> None:
        """Take back every job of `owner`, at once; a process that runs one is ended. No outcome of them arrives."""

    def keep(self, data: bytes) -> Reference:
        """Put data where workers find it, once: jobs carry the reference."""

    def release(self, reference: Reference) -> None:
        """Forget what was kept, once no job refers to it any more."""

    def close(self) -> None:
        """End every worker, whatever it does."""
