"""The append-only log of every run: commands, steering acts, events, requests and their answers.

Lines are numbered by run, inside the transaction that holds the run: numbers are seen in ascending order by everybody.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select

from nas_core.config import RunConfig
from nas_core.store._database import Database
from nas_core.store._errors import LogMoved, StoreError
from nas_core.store._rows import LogEntry
from nas_core.store._tables import log, requests, runs

COMMANDS = ("start", "pause", "resume", "stop", "extend", "train")
RESCORED = "rescored"
"""The kind of log line that tells of scored candidates with new values."""
_COLUMNS = (log.c.number, log.c.kind, log.c.body, log.c.time)


class LogRecords(Database):
    """Reading and writing the log. Lines are never changed or deleted while their run exists."""

    def append(self, identifier: str, kind: str, body: Mapping[str, Any], *, seen: int | None = None) -> int:
        """Append a command, act, event or request; returns its number, which is the cursor just behind it.

        Raises:
            StoreError: there is no such run.
            LogMoved: `seen` is given and the run's log does not hold that many entries of the kind any more.
        """
        with self._locked(identifier) as run:
            held = run.row["log_counts"].get(kind, 0)
            if seen is not None and held != seen:
                raise LogMoved(f"run {identifier} has {held} entries of kind {kind}, not {seen}")
            return run.append(kind, [body], time.time())

    def command(self, identifier: str, name: str, **arguments: Any) -> int:
        """Append a command and mark the run for the engine.

        Commands are start, pause, resume, stop, extend (with `budget`), and train (with `epochs`, all in all).

        Raises:
            StoreError: no such command, or no such run.
            ValueError: a budget or epochs that no run can have.
        """
        if name not in COMMANDS:
            raise StoreError(f"unknown command {name!r}; expected one of: {', '.join(COMMANDS)}")
        state = {"pause": "paused", "stop": "stopped"}.get(name, "queued")
        now = time.time()
        with self._locked(identifier) as run:
            number = run.append("command", [{"name": name, **arguments}], now)
            config = RunConfig.stored(run.row["space"], run.row["config"])
            if name == "extend":
                run.set(config=replace(config, budget=arguments["budget"]).to_dict())
            if name == "train":
                supernet = {**(config.supernet or {}), "epochs": float(arguments["epochs"])}
                run.set(config=replace(config, supernet=supernet).to_dict())
            run.set(state=state, message="")
            run.append("event", [{"state": state, "message": ""}], now)
        return number

    def log(self, identifier: str, after: int = 0, kind: str | None = None) -> list[LogEntry]:
        """Log lines behind the cursor `after`, oldest first."""
        query = select(*_COLUMNS).where(log.c.run == identifier, log.c.number > after).order_by(log.c.number)
        if kind is not None:
            query = query.where(log.c.kind == kind)
        with self._reading() as connection:
            return [LogEntry(*row) for row in connection.execute(query)]

    def log_counts(self, identifier: str) -> dict[str, int]:
        """How many lines of each kind the log of a run holds."""
        with self._reading() as connection:
            found = connection.scalar(select(runs.c.log_counts).where(runs.c.id == identifier))
        return dict(found or {})

    def requests(self) -> list[tuple[str, LogEntry]]:
        """Requests of all runs that nobody has answered yet, oldest first, each with its run."""
        here = (log.c.run == requests.c.run) & (log.c.number == requests.c.number)
        query = select(log.c.run, *_COLUMNS).join_from(requests, log, here).order_by(log.c.time, log.c.number)
        with self._reading() as connection:
            return [(run, LogEntry(*entry)) for run, *entry in connection.execute(query)]

    def answer(self, identifier: str, request: int, body: Mapping[str, Any]) -> int | None:
        """Answer a request; the number of the answer, or None where it was answered already: the first one is kept.

        Raises:
            StoreError: there is no such run.
        """
        mine = delete(requests).where(requests.c.run == identifier, requests.c.number == request)
        with self._locked(identifier) as run:
            if not run.connection.execute(mine).rowcount:
                return None
            return run.append("answer", [{"request": request, **body}], time.time())
