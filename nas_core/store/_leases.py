"""Leases: which engine works on which run, and when another may take it over.

A lease ends by the database's clock. A clock may be set back, which would keep a dead engine's lease for as long; so a
lease also ends where its heart-beats, which are counted, have not moved for its length by this process's own time.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import RowMapping

from nas_core.store._database import Database
from nas_core.store._tables import runs

LEASE_SECONDS = 10.0


class Leases(Database):
    """Taking, keeping and giving back runs."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._watched: dict[str, tuple[str | None, int, float]] = {}
        """By run that others hold: the engine, its beats, and when they were first seen so, by this process's time."""

    def lease(
        self,
        engine: str,
        seconds: float = LEASE_SECONDS,
        *,
        among: Sequence[str] | None = None,
        besides: Collection[str] = (),
    ) -> str | None:
        """Take, or keep, the lease of one run in state queued or running, the oldest first; its id, or None.

        Args:
            engine: who takes it.
            seconds: how long the run stays with an engine that no longer beats.
            among: only one of these.
            besides: none of these.
        """
        columns = (runs.c.id, runs.c.engine, runs.c.beats, runs.c.lease_seconds)
        query = select(*columns, (runs.c.lease_until <= self._now).label("over")).order_by(runs.c.created)
        query = query.where(runs.c.state.in_(("queued", "running")))
        if among is not None:
            query = query.where(runs.c.id.in_(among))
        with self._reading() as connection:  # an engine at rest takes no write lock
            waiting = [row for row in connection.execute(query).mappings() if row["id"] not in besides]
        self._watched = {row["id"]: self._watch(row) for row in waiting}
        for row in waiting:
            free = row["engine"] in (None, engine) or row["over"] or self._silent(row)
            if free and self._take(row, engine, seconds):
                return str(row["id"])
        return None

    def beat_all(self, engine: str, seconds: float, busy: Mapping[str, float]) -> set[str]:
        """Extend the leases of these runs and add what they were busy, in seconds; those that `engine` still holds."""
        with self._writing() as connection:
            return {
                run
                for run, worked in busy.items()
                if connection.execute(
                    update(runs)
                    .where(runs.c.id == run, runs.c.engine == engine)
                    .values(
                        beats=runs.c.beats + 1,
                        lease_seconds=seconds,
                        lease_until=self._now + seconds,
                        busy_seconds=runs.c.busy_seconds + worked,
                    )
                ).rowcount
            }

    def beat(self, identifier: str, engine: str, seconds: float = LEASE_SECONDS, busy: float = 0.0) -> bool:
        """Extend a lease; False when another engine holds the run."""
        return identifier in self.beat_all(engine, seconds, {identifier: busy})

    def release(self, identifier: str, engine: str) -> None:
        """Give a lease back, and leave the file of a store at rest whole."""
        with self._writing() as connection:
            connection.execute(
                update(runs).where(runs.c.id == identifier, runs.c.engine == engine).values(engine=None, lease_until=0)
            )
        self._checkpoint("PASSIVE")

    def _take(self, row: RowMapping, engine: str, seconds: float) -> bool:
        """Take a run, unless its lease has changed since it was read."""
        same = runs.c.engine.is_(None) if row["engine"] is None else runs.c.engine == row["engine"]
        with self._writing() as connection:
            taken = connection.execute(
                update(runs)
                .where(runs.c.id == row["id"], same, runs.c.beats == row["beats"])
                .values(
                    engine=engine,
                    beats=runs.c.beats + 1,
                    lease_seconds=seconds,
                    lease_until=self._now + seconds,
                )
            )
            return bool(taken.rowcount)

    def _watch(self, row: RowMapping) -> tuple[str | None, int, float]:
        before = self._watched.get(row["id"])
        if before is not None and before[:2] == (row["engine"], row["beats"]):
            return before
        return row["engine"], row["beats"], time.monotonic()

    def _silent(self, row: RowMapping) -> bool:
        since = self._watched[row["id"]][2]
        return time.monotonic() - since > max(row["lease_seconds"], 0.0)
