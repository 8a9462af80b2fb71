"""Somebody's executor as workers: threads, or the processes of a cluster. They cannot be ended, only given up on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from nas_core.workers import _worker
from nas_core.workers._reference import Reference
from nas_core.workers._shares import FairQueue
from nas_core.workers.base import Failure, FailureKind, Job, Outcome


@dataclass(frozen=True)
class _Running:
    job: Job
    since: float


class ExecutorWorkers:
    """Runs jobs on `executor`, at most `slots` at a time, which stays its owner's.

    A job that runs out of time is told so and given up; its slot is free again once it returns. Reports of calls are
    not heard, so the time limit counts from the start; memory limits are the executor's own matter.
    """

    def __init__(self, executor: Executor, slots: int) -> None:
        self.slots = slots
        self._executor = executor
        self._waiting = FairQueue(slots)
        self._running: dict[Future[Any], _Running] = {}
        self._given_up: set[Future[Any]] = set()
        self._outcomes: list[Outcome] = []

    def submit(self, job: Job) -> None:
        """Queue a job; a prompt one goes to the executor at once."""
        if job.prompt:
            self._start(job)
        else:
            self._waiting.add(job)
            self._fill()

    def wait(self, seconds: float) -> list[Outcome]:
        """Outcomes that have arrived, after at most `seconds`."""
        self._fill()
        if not self._outcomes:
            if self._running:
                wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
            else:
                time.sleep(seconds)
        self._collect()
        self._fill()
        found, self._outcomes = self._outcomes, []
        return found

    def cancel(self, owner: str) -> None:
        """Take back what waits, and give up what runs."""
        self._waiting.remove(owner)
        self._outcomes = [outcome for outcome in self._outcomes if outcome.job.owner != owner]
        for future in [future for future, running in self._running.items() if running.job.owner == owner]:
            self._give_up(future)

    def keep(self, data: bytes) -> Reference:
        """A reference that carries its data: the executor may share no file system with this process."""
        return Reference.carrying(data)

    def release(self, reference: Reference) -> None:
        """Nothing to do: nothing was kept."""

    def close(self) -> None:
        """Cancel what has not begun; the executor stays its owner's."""
        for future in [*self._running, *self._given_up]:
            future.cancel()

    def _fill(self) -> None:
        self._given_up = {future for future in self._given_up if not future.done()}
        while len(self._running) + len(self._given_up) < self.slots:
            job = self._waiting.next(self._shares())
            if job is None:
                return
            self._start(job)

    def _start(self, job: Job) -> None:
        try:
            future = self._executor.submit(job.call, *job.arguments)
        except (RuntimeError, OSError) as error:
            reason = f"the executor takes no work: {' '.join(str(error).split()) or type(error).__name__}"
            self._outcomes.append(Outcome(job, failure=Failure(FailureKind.UNAVAILABLE, reason)))
            return
        self._running[future] = _Running(job, time.monotonic())

    def _collect(self) -> None:
        now = time.monotonic()
        for future, running in list(self._running.items()):
            seconds = running.job.limits.seconds
            if future.done():
                del self._running[future]
                self._waiting.charge(running.job.owner, now - running.since)
                self._outcomes.append(_outcome(running.job, future))
            elif seconds is not None and now - running.since > seconds:
                self._give_up(future)
                failure = Failure(FailureKind.TIME, f"it took longer than {seconds:g} s")
                self._outcomes.append(Outcome(running.job, failure=failure))

    def _give_up(self, future: Future[Any]) -> None:
        del self._running[future]
        if not future.cancel():
            self._given_up.add(future)

    def _shares(self) -> Mapping[str, list[float]]:
        shares: dict[str, list[float]] = {}
        for running in self._running.values():
            shares.setdefault(running.job.owner, []).append(running.since)
        return shares


def _outcome(job: Job, future: Future[Any]) -> Outcome:
    try:
        return Outcome(job, future.result())
    except (BrokenExecutor, CancelledError) as error:
        reason = " ".join(str(error).split()) or "its worker has gone"
        return Outcome(job, failure=Failure(FailureKind.LOST, reason))
    except Exception as error:
        return Outcome(job, failure=_worker.failure_of(error))
