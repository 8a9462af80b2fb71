"""The run loop. A generation is asked in one transaction, scored, told in the order asked: so a run that is killed at
any moment goes on to the same table.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from nas_core import search, spaces
from nas_core.engine._config import RunConfig
from nas_core.engine._work import score, start_worker
from nas_core.scoring import CandidateScore
from nas_core.search import Result
from nas_core.spaces import Act, Steering, SteeringConflict
from nas_core.store import CandidateRow, RunRow, Store

LEASE_SECONDS = float(os.environ.get("NAS_HELM_LEASE_SECONDS", "10"))
IDLE_SECONDS = 0.2
_POLL_SECONDS = 0.1
_BROKEN_POOLS = 3


class Engine:
    """Works on one run of `store` at a time.

    Args:
        store: where runs, commands and acts are read and results written.
        workers: processes of the pool; a core each by default.
        executor: another executor, such as Dask's; replaces the pool.
    """

    def __init__(self, store: Store, *, workers: int | None = None, executor: Executor | None = None) -> None:
        self.name = f"engine-{uuid.uuid4().hex[:8]}"
        self._store = store
        self._workers = workers or os.cpu_count() or 1
        self._given = executor
        self._pool: Executor | None = executor

    def run_forever(self, stop: threading.Event) -> None:
        """Serve runs until `stop` is set; idle while there is none."""
        try:
            while not stop.is_set():
                if not self.step(stop):
                    stop.wait(IDLE_SECONDS)
        finally:
            self.close()

    def close(self) -> None:
        """Give the worker processes back."""
        if self._pool is not None and self._given is None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def step(self, stop: threading.Event | None = None) -> bool:
        """Lease a run and serve it until it pauses, ends or is lost; False when there was none."""
        identifier = self._store.lease(self.name, LEASE_SECONDS)
        if identifier is None:
            return False
        beating = _HeartBeat(self._store, identifier, self.name)
        try:
            self._serve(identifier, beating, stop or threading.Event())
        except Exception as error:
            if not beating.lost.is_set():
                self._store.set_state(identifier, "failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
        finally:
            beating.stop()
            self._store.release(identifier, self.name)
        return True

    def _serve(self, identifier: str, beating: _HeartBeat, stop: threading.Event) -> None:
        run = self._store.run(identifier)
        config = RunConfig.from_dict(run.config)
        space = spaces.get(run.space)
        if run.state == "queued":
            self._store.set_state(identifier, "running")
        state = run.strategy_state or {}
        strategy = search.get(config.strategy, space, config.seed, state.get("strategy"))
        generation: list[CandidateRow] = self._open_generation(identifier, int(state.get("told", 0)))
        told = int(state.get("told", 0))
        while not stop.is_set() and not beating.lost.is_set():
            run = self._store.run(identifier)
            if run.state != "running":
                if run.state != "queued":
                    return
                self._store.set_state(identifier, "running")
            if not generation:
                budget = RunConfig.from_dict(run.config).budget
                if run.asked >= budget:
                    self._store.set_state(identifier, "finished", f"{run.asked} candidates scored, the whole budget")
                    return
                steering = self._steering(run)
                asked = strategy.ask(min(config.batch, budget - run.asked), steering)
                if not asked:
                    self._store.set_state(identifier, "finished", f"nothing left to ask after {run.asked} candidates")
                    return
                texts = [(space.format(arch), space.format(space.canonical(arch))) for arch in asked]
                generation = self._store.ask(identifier, texts, {"strategy": strategy.state(), "told": told})
            values = self._score(run, config, generation, beating, stop)
            if values is None:
                continue
            strategy.tell([Result(space.parse(row.arch), values[row.position]) for row in generation])
            told += len(generation)
            self._store.tell(identifier, [], {"strategy": strategy.state(), "told": told})
            generation = []

    def _open_generation(self, identifier: str, told: int) -> list[CandidateRow]:
        """Candidates asked for and not yet told to the strategy, scored or not, in the order asked."""
        rows = [*self._store.candidates(identifier), *self._store.pending(identifier)]
        return sorted((row for row in rows if row.position >= told), key=lambda row: row.position)

    def _steering(self, run: RunRow) -> Steering:
        """Fold the acts; one that conflicts is left out and reported as an event."""
        space = spaces.get(run.space)
        acts: list[Act] = []
        entries = self._store.log(run.id, kind="act")
        try:
            return Steering.fold(space, [Act.from_dict(entry.body) for entry in entries])
        except SteeringConflict:
            for entry in entries:
                act = Act.from_dict(entry.body)
                try:
                    Steering.fold(space, [*acts, act])
                except SteeringConflict as conflict:
                    self._store.append(run.id, "event", {"conflict": str(conflict), "act": entry.id})
                    act = Act("focus", region=spaces.Region())
                acts.append(act)
            return Steering.fold(space, acts)

    def _score(
        self, run: RunRow, config: RunConfig, rows: Sequence[CandidateRow], beating: _HeartBeat, stop: threading.Event
    ) -> dict[int, float] | None:
        """Score a generation, writing every result as it comes; None when told to leave off before the end."""
        ranked = {r.position: (r.values or {}).get(config.rank_by, math.nan) for r in rows if r.scored is not None}
        open_rows = [row for row in rows if row.position not in ranked]
        known = self._store.cached(
            run.space, [row.canonical for row in open_rows], config.proxies, config.settings.key()
        )
        waiting: dict[str, list[CandidateRow]] = {}
        for row in open_rows:
            values = {name: known[row.canonical, name] for name in config.proxies if (row.canonical, name) in known}
            if len(values) == len(config.proxies):
                self._store.tell(run.id, [(row.position, values, {})])
                ranked[row.position] = values[config.rank_by]
            else:
                waiting.setdefault(row.canonical, []).append(row)
        broken = 0
        futures = self._submit(run, config, list(waiting))
        while futures:
            finished, _ = wait(futures, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in finished:
                futures.remove(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    broken += 1
                    if broken > _BROKEN_POOLS:
                        raise RuntimeError("worker processes died again and again; is there enough memory?") from None
                    self._pool = None
                    futures = self._submit(run, config, list(waiting))
                    break
                self._store.remember(
                    run.space, result.canonical, config.settings.key(), result.values, result.seconds, result.layers
                )
                same = waiting.pop(result.canonical, [])
                self._store.tell(run.id, [(row.position, result.values, result.seconds) for row in same])
                ranked.update({row.position: result.values[config.rank_by] for row in same})
            interrupted = stop.is_set() or beating.lost.is_set()
            if futures and (interrupted or self._store.run(run.id).state not in ("running", "queued")):
                for future in futures:
                    future.cancel()
                return None if interrupted or len(ranked) < len(rows) else ranked
        return ranked

    def _submit(self, run: RunRow, config: RunConfig, canonical: Sequence[str]) -> set[Future[CandidateScore]]:
        if not canonical:
            return set()
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=start_worker,
                initargs=(os.getpid(),),
            )
        return {self._pool.submit(score, run.space, text, config.proxies, config.settings) for text in canonical}


class _HeartBeat:
    """Keeps the lease of a run from a thread of its own; `lost` is set when another engine took it."""

    def __init__(self, store: Store, identifier: str, engine: str) -> None:
        self.lost = threading.Event()
        self._over = threading.Event()
        self._arguments = (store, identifier, engine)
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        store, identifier, engine = self._arguments
        before = time.monotonic()
        while not self._over.wait(LEASE_SECONDS / 3):
            now = time.monotonic()
            try:
                kept = store.beat(identifier, engine, LEASE_SECONDS, now - before)
            except ValueError:
                continue
            before = now
            if not kept:
                self.lost.set()
                return

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()
