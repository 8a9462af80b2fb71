"""Runs: made, listed, watched, changed, deleted. What is shown of a run are counters of its row, whatever it holds."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import RowMapping

from nas_core import spaces
from nas_core.config import SEARCH, RunConfig
from nas_core.store._database import Database
from nas_core.store._errors import StoreError
from nas_core.store._rows import Pulse, RunRow
from nas_core.store._tables import candidates, evaluations, files, log, requests, runs, task_states

_FREED_PAGES = 512
"""Pages given back in one transaction after a deletion: some milliseconds, so that nobody waits."""
_LISTED = tuple(
    runs.c[name]
    for name in (
        "id", "name", "space", "config", "state", "message", "engine", "created", "busy_seconds",
        "asked", "scored", "failed", "log_counts", "weights_step", "summary",
    )
)  # fmt: skip
_PULSE = tuple(
    runs.c[name] for name in ("state", "message", "config", "asked", "scored", "failed", "weights_step", "log_counts")
)


class RunRecords(Database):
    """The table of runs."""

    def create_run(self, config: RunConfig, name: str = "") -> str:
        """Add a run in state `created` and return its id.

        Raises:
            ValueError: no such run can be carried out; one line that names the field of its configuration.
        """
        config = config.spelled_out()
        config.check()
        identifier = uuid.uuid4().hex[:12]
        title = config.space_title if config.task_name == SEARCH else config.task
        row = {
            "id": identifier,
            "name": name or f"{title} {identifier[:4]}",
            "space": config.space,
            "config": config.to_dict(),
            "created": time.time(),
        }
        with self._writing() as connection:
            connection.execute(runs.insert(), {**_NEW, **row})
            connection.execute(task_states.insert(), {"run": identifier, "state": None})
        return identifier

    def runs(self) -> list[RunRow]:
        """Every run, newest first."""
        with self._reading() as connection:
            rows = connection.execute(select(*_LISTED).order_by(runs.c.created.desc())).mappings().all()
        return [_run(row) for row in rows]

    def run(self, identifier: str) -> RunRow:
        """One run.

        Raises:
            StoreError: there is no such run.
        """
        with self._reading() as connection:
            row = connection.execute(select(*_LISTED).where(runs.c.id == identifier)).mappings().one_or_none()
        if row is None:
            raise self._unknown(identifier)
        return _run(row)

    def pulse(self, identifier: str) -> Pulse:
        """What changes in a run while it is watched; one row, however many candidates the store has.

        Raises:
            StoreError: there is no such run.
        """
        with self._reading() as connection:
            row = connection.execute(select(*_PULSE).where(runs.c.id == identifier)).mappings().one_or_none()
        if row is None:
            raise self._unknown(identifier)
        budget = row["config"].get("budget")
        found = {name: value for name, value in row.items() if name != "config"}
        return Pulse(run=identifier, budget=budget if isinstance(budget, int) else None, **found)

    def task_state(self, identifier: str) -> dict[str, Any]:
        """What the run's task resumes from; empty before its first step.

        Raises:
            StoreError: there is no such run.
        """
        with self._reading() as connection:
            row = connection.execute(select(task_states.c.state).where(task_states.c.run == identifier)).one_or_none()
        if row is None:
            raise self._unknown(identifier)
        return dict(row[0] or {})

    def status(self, identifier: str) -> tuple[str, str | None] | None:
        """State of a run and the engine that holds it, quickly; None where the run is gone."""
        with self._reading() as connection:
            row = connection.execute(select(runs.c.state, runs.c.engine).where(runs.c.id == identifier)).one_or_none()
        return None if row is None else (row[0], row[1])

    def set_state(
        self, identifier: str, state: str, message: str = "", *, expected: Sequence[str] | None = None
    ) -> bool:
        """Change the state of a run and log it as an event; False, and no change, unless it is one of `expected`."""
        with self._writing() as connection:
            run = self._lock(connection, identifier)
            if run is None or (expected is not None and run.row["state"] not in expected):
                return False
            run.set(state=state, message=message)
            run.append("event", [{"state": state, "message": message}], time.time())
            run.write()
            return True

    def save_task(self, identifier: str, state: Mapping[str, Any], message: str = "", *, engine: str) -> None:
        """Keep what the run's task resumes from, with a line for people.

        Raises:
            LeaseLost: `engine` does not hold the run.
        """
        with self._locked(identifier, engine) as run:
            run.keep_state(state)
            if run.row["state"] == "running":
                run.set(message=message)

    def summarise(self, identifier: str, summary: Mapping[str, Any]) -> None:
        """Keep what lists show of the run's results.

        Raises:
            StoreError: there is no such run.
        """
        with self._locked(identifier) as run:
            run.set(summary=dict(summary))

    def delete_run(self, identifier: str) -> None:
        """Remove a run with its log, candidates and files, and free their bytes; cached scores stay."""
        with self._writing() as connection:
            for table in (evaluations, candidates, requests, log, files, task_states):
                connection.execute(delete(table).where(table.c.run == identifier))
            connection.execute(delete(runs).where(runs.c.id == identifier))
        self._free()

    def _free(self) -> None:
        """Give free pages of SQLite back to the disk, portion by portion; a store in use does so another time."""
        if self.path is None:
            return
        with suppress(StoreError):
            for _ in range(10_000):
                with self._writing() as connection:
                    left = connection.exec_driver_sql("PRAGMA freelist_count").scalar()
                    driver: Any = connection.connection.driver_connection
                    driver.execute(f"PRAGMA incremental_vacuum({_FREED_PAGES})").fetchall()  # a page a row
                    if connection.exec_driver_sql("PRAGMA freelist_count").scalar() == left:
                        break  # nothing is free, or the upgrade of an older store could not set it up for this
            self._checkpoint()


_NEW: dict[str, Any] = {
    "state": "created",
    "message": "",
    "busy_seconds": 0.0,
    "engine": None,
    "beats": 0,
    "lease_seconds": 0.0,
    "lease_until": 0.0,
    "asked": 0,
    "scored": 0,
    "failed": 0,
    "architectures": 0,
    "cursor": 0,
    "log_number": 0,
    "log_counts": {},
    "weights_step": 0,
    "summary": {},
}


def _run(row: RowMapping) -> RunRow:
    found = dict(row)
    found["acts"] = found.pop("log_counts").get("act", 0)
    template = found["config"].get("template")
    if template:
        with suppress(ValueError):  # whoever asks for such a space is told
            found["space"] = _defined(json.dumps(template))
    return RunRow(**found | {"config": RunConfig.stored(found["space"], found["config"])})


@lru_cache(maxsize=256)
def _defined(document: str) -> str:
    """Make the space of a template known to this process; its name."""
    return spaces.define(json.loads(document)).name
