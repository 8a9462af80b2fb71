"""Worker processes of this machine: started when there is work, ended when they hang, replaced when they die.

A thread hands out jobs and hears the workers, so that these never wait for what the owner of the pool does meanwhile.
On Linux a process of its own (multiprocessing's fork server) imports the heavy modules once; each worker is a fork of
it, so that one that was ended is replaced in a moment instead of importing torch again.
"""

from __future__ import annotations

import atexit
import itertools
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection as pipes
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from nas_core.workers import _memory, _worker
from nas_core.workers._lifetime import end_group
from nas_core.workers._reference import Reference
from nas_core.workers._shares import FairQueue
from nas_core.workers.base import Failure, FailureKind, Job, Outcome

_START_SECONDS = 120.0
_STARTS_BEFORE_GIVING_UP = 3
_AHEAD_BYTES = 32 * 1024  # what a pipe takes while nobody reads: more would block whoever sends
_IDLE_PROMPT_SECONDS = 120.0
_RECYCLE_SHARE = 0.5  # of its memory limit, from which on a worker is replaced between two jobs


@dataclass
class _InHand:
    """A job that a worker has: `since` when it counts, `heard` when it last reported, on the monotonic clock."""

    number: int
    job: Job
    since: float
    heard: float
    mark: Any = None

    @property
    def patience(self) -> float | None:
        """Seconds that it may go on without a report."""
        limits = self.job.limits
        return limits.setup_seconds if self.mark is None and limits.setup_seconds is not None else limits.seconds


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    prompt: bool
    started: float
    ready: bool = False
    ending: bool = False
    jobs: deque[_InHand] = field(default_factory=deque)
    """The one that runs, and at most one sent ahead."""
    last_owner: str = ""
    idle_since: float = 0.0
    on_account: str = ""
    """The owner whose job ended the process that this one replaces: its start, and what its first job loads, count as
    that owner's work."""


class ProcessWorkers:
    """`slots` processes, one torch thread each, and one more for prompt jobs while there are any.

    Args:
        slots: processes; None for one a core.
        prepare: called once in each process before its first job.
        preload: modules that every process is born with, where it can be. They must start no threads on import.
        memory_mib: what a job may allocate where its limits do not say; None for the machine's share.
    """

    def __init__(
        self,
        slots: int | None = None,
        *,
        prepare: Callable[[], None] | None = None,
        preload: Sequence[str] = (),
        memory_mib: int | None = None,
    ) -> None:
        self.slots = slots or os.cpu_count() or 1
        self.memory_mib = memory_mib or _memory.share_of_machine(self.slots)
        self._prepare, self._preload = prepare, list(preload)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._events: SimpleQueue[tuple[Job, Any] | Outcome] = SimpleQueue()
        self._taken: deque[tuple[Job, Any] | Outcome] = deque()
        """Events taken from the queue and not passed on yet. A condition would not do instead of a queue: Ctrl-C while
        it takes its lock back releases a lock that it does not hold."""
        self._waiting = FairQueue(self.slots)
        self._prompt: deque[Job] = deque()
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._owed: deque[str] = deque()
        """Owners whose jobs ended a process that is not replaced yet."""
        self._closing = False
        self._thread: threading.Thread | None = None
        self._heard_pipe, self._wake_pipe = os.pipe()
        os.set_blocking(self._wake_pipe, False)
        self._folder: Path | None = None
        atexit.register(self.close)

    # what owners call ------------------------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Queue a job; the first one starts the workers."""
        with self._lock:
            if self._closing:
                raise RuntimeError("these workers are closed")
            if job.prompt:
                self._prompt.append(job)
            else:
                self._waiting.add(job)
            if self._thread is None:
                os.environ.setdefault("OMP_NUM_THREADS", "1")
                self._thread = threading.Thread(target=self._serve, name="workers", daemon=True)
                self._thread.start()
        self._wake()

    def wait(self, seconds: float) -> list[Outcome]:
        """Outcomes that have arrived, after at most `seconds`; reports are passed on to their jobs on the way."""
        with suppress(Empty):
            if not self._taken:
                self._taken.append(self._events.get(timeout=seconds))
        self._drain()
        events = list(self._taken)
        self._taken.clear()
        outcomes = []
        for event in events:
            if isinstance(event, Outcome):
                outcomes.append(event)
            elif event[0].heard is not None:
                event[0].heard(event[1])
        return outcomes

    def cancel(self, owner: str) -> None:
        """Take back every job of `owner`, at once; a process that runs one is ended."""
        with self._lock:
            self._waiting.remove(owner)
            self._prompt = deque(job for job in self._prompt if job.owner != owner)
            self._drain()
            self._taken = deque(event for event in self._taken if _job_of(event).owner != owner)
            for worker in self._workers:
                if any(held.job.owner == owner for held in worker.jobs):
                    others = [held.job for held in worker.jobs if held.job.owner != owner]
                    worker.jobs.clear()
                    self._put_back(others)
                    self._end(worker)
        self._wake()

    def _drain(self) -> None:
        with suppress(Empty):
            while True:
                self._taken.append(self._events.get_nowait())

    def keep(self, data: bytes) -> Reference:
        """Write data where workers find it; equal data lie there once."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="nas-helm-"))
        return Reference.to_file(data, self._folder)

    def release(self, reference: Reference) -> None:
        """Delete what was kept."""
        Path(reference.path).unlink(missing_ok=True)

    def close(self) -> None:
        """End every worker, whatever it does."""
        atexit.unregister(self.close)
        with self._lock:
            self._closing = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
        for worker in self._workers:
            end_group(worker.process.pid or 0)
        for worker in self._workers:
            worker.process.join(5)
            worker.pipe.close()
        self._workers.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    # the thread that serves ------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while True:
            with self._lock:
                if self._closing:
                    return
                self._end_overdue()
                self._hand_out()
                self._start_missing()
                self._hand_out_ahead()
                pipe_of = {worker.pipe: worker for worker in self._workers}
            ready = pipes.wait([*pipe_of, self._heard_pipe], timeout=self._patience())
            with self._lock:
                for source in ready:
                    if source is not self._heard_pipe and source != self._heard_pipe:
                        self._hear(pipe_of[source])  # type: ignore[index]
            if self._heard_pipe in ready:
                os.read(self._heard_pipe, 4096)

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # it is full of wake-ups already
            os.write(self._wake_pipe, b".")

    def _patience(self) -> float:
        """Seconds until a limit may run out; a kept slot is looked at again soon."""
        with self._lock:
            now = time.monotonic()
            ends = [now + (0.1 if len(self._waiting) else 5.0)]
            for worker in self._workers:
                if not worker.ready:
                    ends.append(worker.started + _START_SECONDS)
                elif worker.jobs and (seconds := worker.jobs[0].patience) is not None:
                    ends.append(worker.jobs[0].heard + seconds)
        return max(0.0, min(ends) - now)

    def _hear(self, worker: _Worker) -> None:
        """Everything that has come from a worker."""
        if self._closing or worker not in self._workers:
            return
        try:
            while worker.pipe.poll():
                self._take(worker, worker.pipe.recv())
        except (EOFError, OSError):
            self._lose(worker)
        except Exception as error:  # what it sent cannot be read
            if worker.jobs:
                self._arrive(worker.jobs.popleft(), failure=_worker.failure_of(error))
            self._end(worker)

    def _take(self, worker: _Worker, message: tuple[Any, ...]) -> None:
        now = time.monotonic()
        if message[0] == _worker.READY:
            worker.ready, worker.idle_since, self._failed_starts = True, now, 0
            if worker.on_account:
                self._waiting.charge(worker.on_account, now - worker.started)
            return
        if not worker.jobs or worker.jobs[0].number != message[1]:
            return  # it was taken back
        held = worker.jobs[0]
        if message[0] == _worker.REPORTED:
            if held.mark is None:
                if worker.on_account:
                    self._waiting.charge(worker.on_account, now - held.since)
                    worker.on_account = ""
                held.since = now  # what a process loads is not on the account of the job
            held.heard, held.mark = now, message[2]
            if held.job.heard is not None:
                self._events.put((held.job, message[2]))
            return
        worker.jobs.popleft()
        self._charge(held, now)
        if worker.jobs:
            worker.jobs[0].since = worker.jobs[0].heard = now
        worker.idle_since = now
        if message[0] == _worker.DONE:
            self._arrive(held, value=message[2])
        else:
            self._arrive(held, failure=message[2])
        exhausted = message[0] == _worker.FAILED and message[2].kind is FailureKind.MEMORY
        if exhausted or message[3] > _RECYCLE_SHARE * self.memory_mib:
            self._owe(held)
            self._put_back([ahead.job for ahead in worker.jobs])
            worker.jobs.clear()
            self._end(worker)

    def _lose(self, worker: _Worker) -> None:
        """A worker has ended: what it ran is told so, what it had ahead is handed out again."""
        worker.process.join(5)
        code = worker.process.exitcode
        self._workers.remove(worker)
        end_group(worker.process.pid or 0)
        worker.pipe.close()
        worker.process.close()
        if not worker.ready and not worker.ending:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS_BEFORE_GIVING_UP:
                self._failed_starts = 0
                self._give_up(f"worker processes do not start ({_ended(code)}); the machine may be out of memory")
        if worker.jobs and not worker.ending:
            lost = worker.jobs.popleft()
            self._owe(lost)
            self._charge(lost, time.monotonic())
            self._arrive(lost, failure=Failure(FailureKind.LOST, f"its worker process {_ended(code)}"))
        self._put_back([held.job for held in worker.jobs])

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.ending:
                continue
            if not worker.ready and now - worker.started > _START_SECONDS:
                end_group(worker.process.pid or 0)  # heard as one that did not start
            elif worker.ready and worker.jobs:
                held, seconds = worker.jobs[0], worker.jobs[0].patience
                if seconds is not None and now - held.heard > seconds:
                    worker.jobs.popleft()
                    self._owe(held)
                    self._charge(held, now)
                    self._arrive(held, failure=Failure(FailureKind.TIME, f"it took longer than {seconds:g} s"))
                    self._put_back([ahead.job for ahead in worker.jobs])
                    worker.jobs.clear()
                    self._end(worker)
            elif worker.prompt and worker.ready and now - worker.idle_since > _IDLE_PROMPT_SECONDS:
                self._end(worker)

    def _hand_out(self) -> None:
        while self._prompt:
            free = [worker for worker in self._workers if worker.prompt and self._is_free(worker)]
            if not free:
                break
            self._give(free[0], self._prompt.popleft())
        while free := [worker for worker in self._workers if not worker.prompt and self._is_free(worker)]:
            job = self._waiting.next(self._running())
            if job is None:
                break
            self._give(next((worker for worker in free if worker.last_owner == job.owner), free[0]), job)

    def _hand_out_ahead(self) -> None:
        """Where one owner has every slot, keep a job at hand for each, so that no worker waits for this thread."""
        ours = [worker for worker in self._workers if not worker.prompt]
        busy = all(worker.ready and not worker.ending and worker.jobs for worker in ours)
        if len(ours) < self.slots or not busy or self._waiting.contenders != 1 or self._waiting.known != 1:
            return
        for worker in ours:
            if len(worker.jobs) == 1:
                job = self._waiting.next({})
                if job is None:
                    return
                if not self._give(worker, job, most=_AHEAD_BYTES):
                    self._waiting.add(job, first=True)
                    return

    def _give(self, worker: _Worker, job: Job, most: int | None = None) -> bool:
        """Send a job; False, and nothing done, where it is larger than `most` bytes."""
        try:
            payload = bytes(ForkingPickler.dumps((job.call, job.arguments)))
        except Exception as error:  # somebody's arguments
            self._events.put(Outcome(job, failure=_worker.failure_of(error)))
            return True
        if most is not None and len(payload) > most:
            return False
        now, number = time.monotonic(), next(self._numbers)
        worker.jobs.append(_InHand(number, job, now, now))
        worker.last_owner = job.owner
        with suppress(OSError):  # it has ended; its pipe says so next
            worker.pipe.send((number, job.limits.memory_mib or self.memory_mib, payload))
        return True

    def _start_missing(self) -> None:
        """As many processes as there is work for."""
        ours = [worker for worker in self._workers if not worker.prompt]
        starting = sum(not worker.ready for worker in ours)
        for _ in range(min(self.slots - len(ours), len(self._waiting) - starting)):
            self._start(prompt=False)
        if self._prompt and not any(worker.prompt for worker in self._workers):
            self._start(prompt=True)

    def _start(self, *, prompt: bool) -> None:
        context: Any = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
        mine, its = context.Pipe()
        process = context.Process(target=_worker.main, args=(its, dict(os.environ), self._prepare), name="worker")
        resource_tracker.ensure_running()  # it unblocks the signal that workers are to inherit blocked
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            if sys.platform == "linux":
                forkserver.set_forkserver_preload(self._preload)  # heeded by the first start in this program
            process.start()
        except OSError as error:
            mine.close()
            its.close()
            self._give_up(f"no worker process can be started: {error.strerror or error}")
            return
        its.close()
        on_account = self._owed.popleft() if self._owed and not prompt else ""
        worker = _Worker(process, mine, prompt, time.monotonic(), last_owner=on_account, on_account=on_account)
        self._workers.append(worker)

    def _give_up(self, reason: str) -> None:
        """Tell every job that waits that there is nobody to run it."""
        jobs = [*self._prompt]
        self._prompt.clear()
        jobs += self._waiting.remove_all()
        for job in jobs:
            self._events.put(Outcome(job, failure=Failure(FailureKind.UNAVAILABLE, reason)))

    # small parts, called with the lock held --------------------------------------------------------------------------

    def _is_free(self, worker: _Worker) -> bool:
        return worker.ready and not worker.ending and not worker.jobs

    def _running(self) -> dict[str, list[float]]:
        running: dict[str, list[float]] = {}
        for worker in self._workers:
            if not worker.prompt and not worker.ending:
                for held in worker.jobs:
                    running.setdefault(held.job.owner, []).append(held.since)
                if not worker.ready and worker.on_account:
                    running.setdefault(worker.on_account, []).append(worker.started)
        return running

    def _owe(self, held: _InHand) -> None:
        if not held.job.prompt:
            self._owed.append(held.job.owner)

    def _end(self, worker: _Worker) -> None:
        worker.ending = True
        end_group(worker.process.pid or 0)

    def _put_back(self, jobs: list[Job]) -> None:
        for job in reversed(jobs):
            if job.prompt:
                self._prompt.appendleft(job)
            else:
                self._waiting.add(job, first=True)

    def _charge(self, held: _InHand, now: float) -> None:
        if not held.job.prompt:
            self._waiting.charge(held.job.owner, now - held.since)

    def _arrive(self, held: _InHand, *, value: Any = None, failure: Failure | None = None) -> None:
        self._events.put(Outcome(held.job, value, failure, held.mark))


def _job_of(event: tuple[Job, Any] | Outcome) -> Job:
    return event.job if isinstance(event, Outcome) else event[0]


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        killed = " (perhaps for lack of memory)" if code == -signal.SIGKILL else ""
        return f"was ended by signal {-code}{killed}"
    return f"ended with exit code {code}"
