"""The version of a store's tables: an empty database gets the newest, an older one is upgraded, a newer one refused.

The upgrade of SQLite is one transaction, made after a complete copy was put beside the file: killed at any instant, the
store is what it was, for the programs of before too.
"""

from __future__ import annotations

import filecmp
import itertools
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

from nas_core.store._errors import StoreError
from nas_core.store._tables import metadata

VERSION = "0003"
"""The version of `_tables`: the last one in `migrations/versions`."""
_VERSIONS = ("0001", "0002", VERSION)
_UPGRADE_WAIT_SECONDS = 3600
"""How long a program waits while another one upgrades the store."""
_LOCK = 20_130_002
"""A number of our own among PostgreSQL's advisory locks."""

_LOG = logging.getLogger(__name__)


def prepare(engine: Engine, url: str, path: Path | None) -> None:
    """Bring the tables of a database to `VERSION`; `path` is the file of SQLite.

    Raises:
        StoreError: the store is newer than this program, or cannot be copied before the upgrade.
        SQLAlchemyError: it is of this version, but lacks a table or a column.
    """
    with engine.connect() as connection:
        found = version(connection)
        if found == VERSION:
            for table in metadata.sorted_tables:  # told now, not by every view of a page
                connection.execute(table.select().limit(0))
            return
    if found is not None and found not in _VERSIONS:
        raise StoreError(
            f"store {url!r} is of version {found}, newer than this program, which knows {VERSION}; "
            "update NAS Helm or choose another --store"
        )
    upgraded = False
    with _alone(engine.execution_options(writes=True)) as connection:
        found = version(connection)  # another program may have been first
        if found is None:
            metadata.create_all(connection)
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": VERSION})
        elif found != VERSION:
            _keep_copy(url, path, found)
            _upgrade(connection, found)
            upgraded = True
    if engine.dialect.name == "sqlite" and path is not None:
        _tidy(engine, upgraded)


def version(connection: Connection) -> str | None:
    """The version of the tables; None where there are none of ours."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none())
    return "0001" if {"runs", "log", "candidates", "scores"} <= names else None


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other program's opening gets between."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            driver = connection.connection.driver_connection
            assert driver is not None
            before = driver.execute("PRAGMA busy_timeout").fetchone()[0]
            driver.execute(f"PRAGMA busy_timeout={1000 * _UPGRADE_WAIT_SECONDS}")
            try:
                with connection.begin():
                    yield connection
            finally:
                driver.execute(f"PRAGMA busy_timeout={before}")
        else:
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
                yield connection


def _upgrade(connection: Connection, found: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if "alembic_version" not in inspect(connection).get_table_names():
        command.stamp(config, found)
    command.upgrade(config, VERSION)


def _keep_copy(url: str, path: Path | None, found: str) -> None:
    """Put a complete copy of an older store beside it; one that is there already stays.

    Raises:
        StoreError: there is no room for it, or the folder cannot be written.
    """
    if path is None:
        _LOG.warning("store %r is upgraded from version %s to %s; keep a dump of before", url, found, VERSION)
        return
    part = path.with_name(f"{path.name}.before-{VERSION}.part")
    try:
        part.unlink(missing_ok=True)
        copy_database(path, part)
        copies = (path.with_name(f"{path.name}.before-{VERSION}{n}") for n in itertools.chain([""], _numbered()))
        for copy in copies:
            if copy.exists() and filecmp.cmp(copy, part, shallow=False):
                break
            with suppress(FileExistsError):
                os.link(part, copy)  # unlike a renaming, this never takes the place of another file
                _LOG.warning("store %r is upgraded to version %s; a copy of before is %s", url, VERSION, copy)
                break
        part.unlink()
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreError(
            f"store {url!r} is of version {found} and must be upgraded, after a copy of it is kept in its folder: "
            f"{error}; free some disk space, or make folder and file writable"
        ) from error


def _numbered() -> Iterator[str]:
    return (f".{number}" for number in itertools.count(2))


def copy_database(source: Path, target: Path) -> None:
    """Write a complete copy of a live SQLite file, with what is in its journal still, to a new file."""
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, whole by itself
    with target.open("rb") as written:
        os.fsync(written.fileno())


def _tidy(engine: Engine, upgraded: bool) -> None:
    """Give bytes of deleted runs back from now on, and put the new tables into the file itself.

    Either may fail, where another program reads or the disk is full: nothing depends on it.
    """
    holder = engine.raw_connection()
    try:
        driver = holder.driver_connection
        assert driver is not None
        with suppress(sqlite3.Error):
            if upgraded:
                driver.execute("PRAGMA auto_vacuum=INCREMENTAL")
                driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        holder.close()
