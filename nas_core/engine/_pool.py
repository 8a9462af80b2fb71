"""Worker processes: scoring off the engine's process, surviving the loss of a worker, never outliving the engine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_core.engine._training import Moment, Trained, score, train

if TYPE_CHECKING:
    from nas_core.proxies.settings import ScoreSettings
    from nas_core.scoring import CandidateScore
    from nas_core.spaces import Architecture

_PARENT_CHECK_SECONDS = 0.5
_NICENESS = 10  # the pages must answer while every core scores, and scoring must go on beside other work
_POOLS_BEFORE_GIVING_UP = 3


class WorkerPool:
    """A process pool that is replaced when a worker dies, or a foreign executor used as it is.

    Workers are spawned with the first submission, each with one torch thread.
    """

    def __init__(self, workers: int | None = None, executor: Executor | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._foreign = executor
        self._own: ProcessPoolExecutor | None = None
        self._broken_in_a_row = 0

    def submit(
        self,
        space: str,
        archs: Sequence[Architecture],
        proxies: Sequence[str],
        settings: ScoreSettings,
        *,
        template: Mapping[str, Any] | None = None,
        weights: bytes | None = None,
    ) -> Future[list[CandidateScore]]:
        """Score architectures in a worker, side by side where that is possible.

        `template` is the document of a space that its user made, `weights` a checkpoint for one-shot scores.
        """
        with interrupts_held():
            return self._executor().submit(
                score_candidates, space, tuple(archs), tuple(proxies), settings, template, weights
            )

    def train(self, moment: Moment) -> Future[Trained]:
        """Train shared weights, or a network alone, a moment further in a worker."""
        with interrupts_held():
            return self._executor().submit(train, moment)

    def delivered(self) -> None:
        """A worker delivered a result: the pool is sound."""
        self._broken_in_a_row = 0

    def replace(self, error: BrokenExecutor) -> None:
        """Drop a broken pool; the next submission starts a new one.

        Raises:
            RuntimeError: the executor is not ours, or three pools broke without a result in between.
        """
        self._broken_in_a_row += 1
        if self._foreign is not None or self._broken_in_a_row >= _POOLS_BEFORE_GIVING_UP:
            self._broken_in_a_row = 0
            self.close()
            raise RuntimeError(
                "worker processes die while scoring; the machine may be out of memory, use fewer workers"
            ) from error
        self.close()

    def close(self) -> None:
        """End the workers once they are through with what they have in hand; leave a foreign executor to its owner."""
        if self._own is not None:
            self._own.shutdown(cancel_futures=True)  # an exit that overtook its manager thread would leave a traceback
            self._own = None

    def _executor(self) -> Executor:
        if self._foreign is not None:
            return self._foreign
        if self._own is None:
            os.environ.setdefault("OMP_NUM_THREADS", "1")
            self._own = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=start_worker,
                initargs=(os.getpid(),),
            )
        return self._own


def score_candidates(
    space: str,
    archs: Sequence[Architecture],
    proxies: Sequence[str],
    settings: ScoreSettings,
    template: Mapping[str, Any] | None = None,
    weights: bytes | None = None,
) -> list[CandidateScore]:
    """What a worker runs: score architectures."""
    from nas_core import spaces
    from nas_core.scoring import score_architectures

    if template:
        spaces.define(template)
    if weights is not None:
        return score(weights, space, archs, proxies, settings)
    return score_architectures(space, archs, proxies, settings)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Answer Ctrl-C after the block, in which workers start that are never to hear it.

    A worker starts at a submission and inherits the blocked signal. That does not spare the submitting thread: the
    kernel hands the signal to any thread that takes it, a progress bar's for one, and Python raises
    `KeyboardInterrupt` in the main thread all the same. Half-way into a start it would leave a worker without its
    first words, which then ends in a traceback of its own; so the main thread notes the signal and raises it later.
    """
    late = False

    def note(*_: object) -> None:
        nonlocal late
        late = True

    main = threading.current_thread() is threading.main_thread()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    handler = signal.signal(signal.SIGINT, note) if main else None
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, handler)
        if late:
            signal.raise_signal(signal.SIGINT)


def start_worker(engine_process: int) -> None:
    """Initialiser of a worker: exit with the engine, leave Ctrl-C to it, yield to the browser, one torch thread."""
    _yield_to_others()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    follow(engine_process, lambda: os._exit(1))
    from nas_core import scoring

    scoring.start_worker()


def _yield_to_others() -> None:
    """Run only when nobody else wants the processor.

    Linux weighs sessions before it looks at niceness inside one (sched(7), autogroup): a worker that shared the
    session of a terminal would take as much time from the browser as the browser has. It gets one of its own.
    """
    os.nice(_NICENESS)
    with suppress(OSError):
        os.setsid()
        Path("/proc/self/autogroup").write_text(str(_NICENESS))


def follow(parent: int, leave: Callable[[], None]) -> None:
    """Call `leave`, from a thread, once the process `parent` is no longer this process's parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_SECONDS)
        leave()

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()
