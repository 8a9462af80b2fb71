"""The database behind a store: connections, transactions, errors in one line, and whether it can be used at all.

A transaction that reads sees one moment; one that writes holds the write lock from its first statement on (SQLite), or
locks the run it is about (PostgreSQL). So whatever a transaction counts up, others see in that order.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import ColumnElement, Float, create_engine, event, literal_column, select, update
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, SQLAlchemyError, StatementError

from nas_core.store import _schema as schema
from nas_core.store._errors import LeaseLost, StoreError, explain, first_line
from nas_core.store._tables import log, requests, runs, task_states

DEFAULT_URL = os.environ.get("NAS_HELM_STORE", f"sqlite:///{Path.home() / '.nas_helm' / 'store.db'}")
_LEAST_FREE_BYTES = 256 * 1024
"""Room on a disk below which a store counts as full: a few writes, and the end of its journal."""
_HEALTH_WAIT_SECONDS = 1.0
_PORTION = 1000
"""Values in one `IN`: databases take some thousands."""

Item = TypeVar("Item")


def portions(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """`items` in portions that one statement bears."""
    for start in range(0, len(items), _PORTION):
        yield items[start : start + _PORTION]


class Database:
    """What every part of the store stands on.

    Args:
        url: SQLAlchemy URL, SQLite or PostgreSQL; None for the default.
        busy_seconds: how long a write waits for another program's write on SQLite.
        create: make the store where there is none.

    Raises:
        StoreError: the URL is malformed, the store is newer than this program, or the database is locked, full,
            corrupt or out of reach.
    """

    def __init__(self, url: str | None = None, *, busy_seconds: float = 10.0, create: bool = True) -> None:
        self.url = url or DEFAULT_URL
        self._opened: tuple[int, int] | None = None
        try:
            parsed = make_url(self.url)
            self.backend = parsed.get_backend_name()
            if self.backend not in ("sqlite", "postgresql"):
                raise StoreError(f"cannot open store {self.url!r}: expected a URL of sqlite or postgresql")
            self.path = _path(parsed.database) if self.backend == "sqlite" else None
            if self.path is not None:
                if not create and not self.path.exists():
                    raise StoreError(f"there is no store {self.url!r}; expected the --store URL of one")
                self.path.parent.mkdir(parents=True, exist_ok=True)
            arguments: dict[str, Any] = {}
            if self.backend == "sqlite":
                arguments = {"connect_args": {"timeout": busy_seconds}}
            self._engine = create_engine(parsed, **arguments, pool_pre_ping=self.backend == "postgresql")
        except (ArgumentError, ImportError, OSError) as error:
            raise StoreError(f"cannot open store {self.url!r}: {first_line(error)}") from error
        if self.backend == "sqlite":
            event.listen(self._engine, "do_connect", self._open_what_is_there)
            event.listen(self._engine, "connect", _tune)
            event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(writes=True)
        with self._told():
            schema.prepare(self._engine, self.url, self.path)
            if self.path is not None:
                found = os.stat(self.path)
                self._opened = found.st_dev, found.st_ino
        # A program that ends without a word leaves no journal behind, as long as it ends by itself.
        self._ending = weakref.finalize(self, _end, self._engine, os.getpid())

    def close(self) -> None:
        """Write the journal back into the file and release every connection."""
        with suppress(StoreError):
            self._checkpoint()
        self._engine.dispose()

    def health(self) -> str:
        """Why the store cannot be used, in one line; empty where it can. Quick: for every poll of a page."""
        try:
            self._check_place()
            with self._told():
                if self.path is None:
                    with self._engine.connect() as connection:
                        connection.execute(select(runs.c.id).limit(1))
                    return ""
                self._check_room(self.path)
                _read_anew(self.path)
        except StoreError as error:
            return str(error)
        return ""

    # transactions ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._check_place()
        with self._told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self._check_place()
        with self._told(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _locked(self, identifier: str, engine: str | None = None) -> Iterator[LockedRun]:
        """A transaction about one run, which no other can change meanwhile.

        Raises:
            StoreError: there is no such run.
            LeaseLost: `engine` is given and does not hold the run.
        """
        with self._writing() as connection:
            run = self._lock(connection, identifier)
            if engine is not None and (run is None or run.row["engine"] != engine):
                raise LeaseLost(f"run {identifier} is held by another engine")
            if run is None:
                raise self._unknown(identifier)
            yield run
            run.write()

    @staticmethod
    def _lock(connection: Connection, identifier: str) -> LockedRun | None:
        """The row of a run, held until the transaction ends; None where there is no such run."""
        query = select(runs).where(runs.c.id == identifier).with_for_update()
        row = connection.execute(query).mappings().one_or_none()
        return None if row is None else LockedRun(connection, dict(row))

    @property
    def _now(self) -> ColumnElement[float]:
        """The database's clock, in seconds since 1970."""
        if self.backend == "sqlite":
            return literal_column("((julianday('now') - 2440587.5) * 86400.0)", Float)
        return literal_column("CAST(extract(epoch FROM clock_timestamp()) AS double precision)", Float)

    def _checkpoint(self, mode: str = "TRUNCATE") -> None:
        """Write the journal of SQLite back into its file, as far as nobody reads it; a copy of the file is whole."""
        if self.path is None:
            return
        self._check_place()
        with self._told(), self._raw() as connection:
            before = connection.execute("PRAGMA busy_timeout").fetchone()[0]
            connection.execute("PRAGMA busy_timeout=0")  # whoever is busy will do it in our place
            try:
                connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
            finally:
                connection.execute(f"PRAGMA busy_timeout={before}")

    @contextmanager
    def _raw(self) -> Iterator[sqlite3.Connection]:
        """A connection of SQLite outside of any transaction."""
        holder = self._engine.raw_connection()
        try:
            yield holder.driver_connection  # type: ignore[misc]
        finally:
            holder.close()

    # errors ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the database as one line."""
        try:
            yield
        except SQLAlchemyError as error:
            of_the_database = isinstance(error, DBAPIError) or not isinstance(error, StatementError)
            if isinstance(error, DataError) or not of_the_database:  # trying again would not help
                cause = first_line(getattr(error, "orig", None) or error)
                raise ValueError(f"the store cannot keep this: {cause}") from error
            raise StoreError(explain(self.url, error)) from error
        except (sqlite3.Error, OSError) as error:
            raise StoreError(explain(self.url, error)) from error

    def _unknown(self, identifier: str) -> StoreError:
        return StoreError(f"unknown run {identifier!r}; expected the id of a run in {self.url}")

    def _check_place(self) -> None:
        """SQLite writes on into a file that was deleted or replaced, where nobody will ever read it: refuse that."""
        if self._opened is None or self.path is None:
            return
        advice = "put it back, or start again with another --store"
        try:
            found = os.stat(self.path)
        except OSError as error:
            raise StoreError(f"store {self.url!r}: the file is gone ({error.strerror}); {advice}") from error
        if (found.st_dev, found.st_ino) != self._opened:
            raise StoreError(f"store {self.url!r}: the file was replaced by another while it was open; {advice}")

    def _check_room(self, path: Path) -> None:
        disk = os.statvfs(path)
        if disk.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
            raise StoreError(f"store {self.url!r}: the file cannot be written; check its permissions")
        if disk.f_bavail * disk.f_frsize < _LEAST_FREE_BYTES:
            raise StoreError(f"store {self.url!r}: the disk is full; free some disk space, nothing written is lost")

    def _open_what_is_there(self, _dialect: Any, _record: Any, arguments: list[Any], named: dict[str, Any]) -> None:
        """Once open, a store never comes into being again as an empty file."""
        if self._opened is not None and self.path is not None and not named.get("uri"):
            arguments[0] = f"file:{quote(str(self.path))}?mode=rw"
            named["uri"] = True


class LockedRun:
    """The row of a run inside a transaction that no other can get between; changes are written at its end."""

    def __init__(self, connection: Connection, row: dict[str, Any]) -> None:
        self.connection, self.row = connection, row
        self._changes: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.row["id"])

    def set(self, **changes: Any) -> None:
        """Change columns of the run."""
        self.row.update(changes)
        self._changes.update(changes)

    def add(self, **amounts: int) -> None:
        """Count columns of the run up."""
        self.set(**{name: self.row[name] + amount for name, amount in amounts.items()})

    def keep_state(self, state: Mapping[str, Any]) -> None:
        """Write the state that the run's task resumes from."""
        change = update(task_states).where(task_states.c.run == self.id)
        self.connection.execute(change.values(state=dict(state)))

    def append(self, kind: str, bodies: Sequence[Mapping[str, Any]], time: float) -> int:
        """Append lines to the run's log; the number of the last one."""
        if not bodies:
            return int(self.row["log_number"])
        first = self.row["log_number"] + 1
        lines = [
            {"run": self.id, "number": number, "kind": kind, "body": dict(body), "time": time}
            for number, body in enumerate(bodies, start=first)
        ]
        self.connection.execute(log.insert(), lines)
        counts = dict(self.row["log_counts"])
        counts[kind] = counts.get(kind, 0) + len(lines)
        self.set(log_number=self.row["log_number"] + len(lines), log_counts=counts)
        if kind == "request":
            self.connection.execute(requests.insert(), [{"run": self.id, "number": line["number"]} for line in lines])
        return int(self.row["log_number"])

    def write(self) -> None:
        """Write what was changed."""
        if self._changes:
            self.connection.execute(update(runs).where(runs.c.id == self.id).values(self._changes))
            self._changes = {}


def _path(database: str | None) -> Path | None:
    """The file of SQLite; None for a database in memory, or one named by a URI."""
    if database in (None, "", ":memory:") or str(database).startswith("file:"):
        return None
    return Path(str(database)).expanduser()


def _tune(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so
    cursor = connection.cursor()
    if not cursor.execute("PRAGMA page_count").fetchone()[0]:  # an empty file, before its journal is chosen
        cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _read_anew(path: Path) -> None:
    """Read header, schema and the first rows of a SQLite file from the disk, past what other connections remember."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=_HEALTH_WAIT_SECONDS)
    try:
        connection.execute("SELECT id, state, config FROM runs LIMIT 20").fetchall()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):  # busy is not broken
            raise
    finally:
        connection.close()


def _end(engine: Engine, process: int) -> None:
    if os.getpid() == process:  # a child must not close what it has in common with its parent
        with suppress(Exception):
            engine.dispose()
