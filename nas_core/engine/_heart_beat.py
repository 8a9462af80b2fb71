"""The heart-beat of an engine: a thread that extends the leases of the runs it holds and counts their busy seconds."""

from __future__ import annotations

import threading
import time

from nas_core.store import Store, StoreError


class HeartBeat:
    """Beats for every run it was told to hold, three times a lease.

    A missed beat does no harm, since writes are fenced by the lease.
    """

    def __init__(self, store: Store, engine: str, seconds: float) -> None:
        self._store, self._engine, self._seconds = store, engine, seconds
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        self._lost: set[str] = set()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, run: str) -> None:
        """Begin to beat for a run."""
        with self._lock:
            self._since[run] = time.monotonic()
            self._lost.discard(run)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="heart-beat", daemon=True)
            self._thread.start()

    def release(self, run: str) -> None:
        """Beat a last time for a run."""
        self._beat([run])
        with self._lock:
            self._since.pop(run, None)
            self._lost.discard(run)

    def lost(self, run: str) -> bool:
        """Whether another engine has taken the run."""
        with self._lock:
            return run in self._lost

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            with self._lock:
                held = list(self._since)
            self._beat(held)

    def _beat(self, runs: list[str]) -> None:
        now = time.monotonic()
        with self._lock:
            busy = {run: now - self._since[run] for run in runs if run in self._since and run not in self._lost}
        if not busy:
            return
        try:
            kept = self._store.beat_all(self._engine, self._seconds, busy)
        except StoreError:
            return
        with self._lock:
            self._since |= {run: now for run in busy if run in self._since}
            self._lost |= set(busy) - kept
