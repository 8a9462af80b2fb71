"""The engine proper: leases runs, advances their tasks in turn, answers pages, and never dies of what a run does."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass

from nas_core.engine import _work, tasks
from nas_core.engine._answers import Answers
from nas_core.engine._heart_beat import HeartBeat
from nas_core.engine.tasks.base import GRACE_SECONDS, Leaving, Step, TaskContext
from nas_core.store import LEASE_SECONDS, LeaseLost, Store, StoreError
from nas_core.workers import ExecutorWorkers, Outcome, Workers

MOST_RUNS = 16
"""Runs that one engine holds at a time; the others wait for one to end, or for another engine."""

_IDLE_SECONDS = 0.2
_WAIT_SECONDS = 0.05
_LOOK_SECONDS = 0.1
_STORE_RETRY_SECONDS = 2.0
_WORKING = ("queued", "running")


@dataclass
class _Held:
    """A run that the engine holds: its task's context and its steps."""

    context: TaskContext
    steps: Iterator[Step]
    waits: bool = False


class Engine:
    """Carries the queued runs of a store through, several at a time; they share its workers fairly.

    Several engines may share one store; each run is held by one of them. A run that fails is marked so, with the
    reason, and the others go on. Everything an engine knows is in the store: kill it at any time.

    Args:
        store: where runs, commands and results live.
        workers: worker processes; None for one a core.
        executor: any executor to work on instead, e.g. that of a cluster.
        lease_seconds: how long a run stays with an engine that no longer beats.
        among: take no runs but these.
    """

    def __init__(
        self,
        store: Store,
        workers: int | None = None,
        executor: Executor | None = None,
        *,
        lease_seconds: float | None = None,
        among: Sequence[str] | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()[:32]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._store = store
        slots = workers or os.cpu_count() or 1
        self._workers: Workers = _work.local_workers(slots) if executor is None else ExecutorWorkers(executor, slots)
        self._lease_seconds = lease_seconds or float(os.environ.get("NAS_HELM_LEASE_SECONDS", LEASE_SECONDS))
        self._among = among
        self._answers = Answers(store, self._workers)
        self._beat = HeartBeat(store, self.name, self._lease_seconds)
        self._held: dict[str, _Held] = {}
        self._looked = 0.0

    def run_forever(self, stop_event: threading.Event) -> None:
        """Work until `stop_event` is set; then give the runs back, to be taken up where they stand."""
        try:
            while not stop_event.is_set():
                try:
                    busy = self.step(stop_event)
                except StoreError:
                    stop_event.wait(_STORE_RETRY_SECONDS)
                    continue
                if not busy:
                    stop_event.wait(_IDLE_SECONDS)
        finally:
            self.close()

    def step(self, stop_event: threading.Event | None = None) -> bool:
        """Work until one of the runs has moved a step; False where there is nothing to do.

        A step of a search is a generation; one of a training is a moment of it.

        Raises:
            StoreError: the store cannot be used; the runs are given up, and taken up again once it can.
        """
        try:
            while stop_event is None or not stop_event.is_set():
                self._look()
                if not self._held and not self._answers.open:
                    return False
                if self._advance():
                    return True
                self._dispatch(self._workers.wait(_WAIT_SECONDS))
        except StoreError:
            for run in list(self._held):
                self._drop(run)
            raise
        return True

    def close(self) -> None:
        """Hand in what the workers have in hand, give the runs back and end the workers."""
        with suppress(StoreError):  # an unreachable store: the leases expire by themselves
            for held in self._held.values():
                held.context.leave()
            end = time.monotonic() + GRACE_SECONDS + 1
            while self._held and time.monotonic() < end:
                if not self._advance():
                    self._dispatch(self._workers.wait(_WAIT_SECONDS))
        for run in list(self._held):
            self._drop(run)
        self._beat.stop()
        self._workers.close()

    def _look(self) -> None:
        """Now and then: take further runs, and leave those that are not to be worked on any more."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS and self._held:
            return
        self._looked = now
        self._answers.look()
        for run, held in self._held.items():
            status = self._store.status(run)
            if self._beat.lost(run) or status is None or status[0] not in _WORKING or status[1] != self.name:
                held.context.leave()
        if len(self._held) < MOST_RUNS:
            taken = self._store.lease(self.name, self._lease_seconds, among=self._among, besides=tuple(self._held))
            if taken is not None:
                self._take(taken)
                self._looked = 0.0  # there may be more

    def _take(self, run: str) -> None:
        self._beat.hold(run)
        context = TaskContext(self._store, run, self.name, self._workers)
        self._held[run] = _Held(context, _steps(context))

    def _advance(self) -> bool:
        """Every task that can move, as far as it can; whether one of them ended a step."""
        moved = False
        for run, held in list(self._held.items()):
            if held.waits and not held.context.arrived and not held.context.leaving:
                continue
            if held.context.leaving and not held.waits:
                self._drop(run)  # between two steps there is nothing to hand in
                moved = True
                continue
            try:
                step = next(held.steps)
            except (StopIteration, Leaving, LeaseLost):
                self._drop(run)
                moved = True
            except StoreError:
                raise
            except Exception as error:  # whatever a run does, the engine goes on
                self._fail(run, error)
                moved = True
            else:
                held.waits = step is Step.WAITS
                moved = moved or not held.waits
        return moved

    def _fail(self, run: str, error: Exception) -> None:
        text = str(error)
        expected = isinstance(error, ValueError | tasks.JobFailed) and bool(text)
        held = self._held[run].context
        if not held.leaving:
            held.fail(text if expected else f"{type(error).__name__}: {text}")
        self._drop(run)

    def _dispatch(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            held = self._held.get(outcome.job.owner)
            if held is not None and not outcome.job.prompt:
                held.context.arrived.append(outcome)
            else:
                self._answers.take(outcome)

    def _drop(self, run: str) -> None:
        """Let go of a run: its jobs are taken back, its lease is given back."""
        held = self._held.pop(run)
        with suppress(Exception):
            held.steps.close()  # type: ignore[attr-defined]
        self._workers.cancel(run)
        self._beat.release(run)
        with suppress(StoreError):
            self._store.release(run, self.name)


def _steps(context: TaskContext) -> Iterator[Step]:
    """The steps of a run's task; what cannot be made fails its run like any other step."""
    context.store.set_state(context.identifier, "running", expected=("queued",))
    config = context.run().config
    if config.problem:
        raise ValueError(config.problem)
    yield from tasks.get(config.task_name)(context).steps()
