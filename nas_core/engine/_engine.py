"""The engine proper: leases one run at a time, keeps its heart beating, and never dies of a run that fails."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress

from nas_core.engine._answers import Answers
from nas_core.engine._pool import WorkerPool
from nas_core.engine._run import RunningSearch
from nas_core.store import LEASE_SECONDS, LeaseLost, Store, StoreError

_IDLE_SECONDS = 0.2
_STORE_RETRY_SECONDS = 2.0


class Engine:
    """Carries the queued runs of a store through.

    Several engines may share one store; each run is held by one of them. A run that fails is marked so, with the
    reason, and the engine goes on. Everything an engine knows is in the store: kill it at any time.

    Args:
        store: where runs, commands and results live.
        workers: worker processes; None for one a core.
        executor: any executor to score on instead, e.g. that of a cluster.
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
        self._pool = WorkerPool(workers, executor)
        self._lease_seconds = lease_seconds or float(os.environ.get("NAS_HELM_LEASE_SECONDS", LEASE_SECONDS))
        self._among = among
        self._answers = Answers(store)
        self._search: RunningSearch | None = None
        self._beat: _HeartBeat | None = None

    def run_forever(self, stop_event: threading.Event) -> None:
        """Work until `stop_event` is set; then give the run back, to be taken up where it stands."""
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
        """Carry one run one generation further, leasing one first; False where there was nothing to do."""
        answered = self._answers.serve()
        if self._search is None:
            identifier = self._store.lease(self.name, self._lease_seconds, among=self._among)
            if identifier is None:
                return answered
            self._beat = _HeartBeat(self._store, identifier, self.name, self._lease_seconds)
            self._search = RunningSearch(self._store, identifier, self.name, self._pool)
        search, beat = self._search, self._beat
        assert beat is not None
        try:
            more = search.advance(lambda: beat.lost or bool(stop_event and stop_event.is_set()))
        except LeaseLost:
            self._drop()
            return True
        except StoreError:
            self._drop()
            raise
        except Exception as error:  # whatever a run does, the engine goes on
            self._store.set_state(search.identifier, "failed", str(error) or type(error).__name__)
            more = False
        if not more or beat.lost:
            self._drop()
        return True

    def close(self) -> None:
        """Give the run back and end the workers."""
        self._drop()
        self._pool.close()

    def _drop(self) -> None:
        if self._beat is not None:
            self._beat.stop()
        if self._search is not None:
            with suppress(StoreError):  # an unreachable store: the lease expires by itself
                self._store.release(self._search.identifier, self.name)
        self._search = self._beat = None


class _HeartBeat:
    """A thread that extends the lease of one run and counts its busy seconds."""

    def __init__(self, store: Store, identifier: str, engine: str, seconds: float) -> None:
        self.lost = False
        self._ended = threading.Event()
        self._arguments = (store, identifier, engine, seconds)
        self._thread = threading.Thread(target=self._run, name="heart-beat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Beat a last time and end."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        store, identifier, engine, seconds = self._arguments
        last = time.monotonic()
        ended = False
        while not ended and not self.lost:
            ended = self._ended.wait(seconds / 3)
            now = time.monotonic()
            try:
                self.lost = not store.beat(identifier, engine, seconds, busy=now - last)
                last = now
            except StoreError:
                continue  # writes are fenced by the lease, so a missed beat does no harm
