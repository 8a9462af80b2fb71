"""Looking after a store: what is in it, whether it is sound, a copy of it while it is in use, its unused bytes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Row, func, select, text

from nas_core.store import _schema as schema
from nas_core.store._database import Database
from nas_core.store._errors import StoreError
from nas_core.store._rows import StoreInfo
from nas_core.store._tables import candidates, evaluations, files, log, networks, runs, scores, snapshots, templates


class Upkeep(Database):
    """What an administrator asks of a store."""

    def info(self) -> StoreInfo:
        """The store in figures."""
        with self._reading() as connection:
            counts = {
                name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
                for name, table in _COUNTED.items()
            }
            states = connection.execute(select(runs.c.state, func.count()).group_by(runs.c.state))
            by_state = {state: count for state, count in states}
            version = str(schema.version(connection))
            if self.path is None:
                size = int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
                return StoreInfo(self.url, version, size, 0, 0, **counts, states=by_state)
            unused = connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
            unused *= connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
        journal = self.path.with_name(self.path.name + "-wal")
        kept = journal.stat().st_size if journal.exists() else 0
        return StoreInfo(self.url, version, self.path.stat().st_size, kept, unused, **counts, states=by_state)

    def check(self) -> list[str]:
        """What is wrong with the store, a line each; reads all of it."""
        wrong: list[str] = []
        if self.path is not None:
            with self._reading() as connection:
                for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
                    wrong += [] if line == "ok" else [f"damaged: {line}"]
                for table, *_ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
                    wrong.append(f"a row of {table} belongs to no {'network' if table == snapshots.name else 'run'}")
        return wrong + self._check_counters() + self._check_networks()

    def backup(self, target: Path) -> int:
        """Write a complete copy of the store, in use or not, to a new file; its size in bytes.

        Raises:
            StoreError: there is a file of that name, or the copy cannot be written; PostgreSQL has `pg_dump` for it.
        """
        if self.path is None:
            raise StoreError(f"store {self.url!r}: only a SQLite file is copied; for PostgreSQL use pg_dump")
        self._check_place()
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            if target.exists():
                raise FileExistsError
            schema.copy_database(self.path, part)
            os.link(part, target)  # unlike a renaming, this never takes the place of another file
            return target.stat().st_size
        except FileExistsError as error:
            raise StoreError(f"{target} exists; expected the name of a new file") from error
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the copy {target} cannot be written: {error}") from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def vacuum(self) -> tuple[int, int]:
        """Give back what a store does not use; its size in bytes before and after.

        Raises:
            StoreError: another program writes, or the disk has no room for a second copy meanwhile.
        """
        if self.path is None:
            with self._told(), self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text("VACUUM"))
            size = self.info().size
            return size, size
        before = self.path.stat().st_size
        self._check_place()
        with self._told(), self._raw() as connection:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("VACUUM")
        self._checkpoint()
        return before, self.path.stat().st_size

    def _check_counters(self) -> list[str]:
        """Where the counters of a run say other than its rows."""
        wrong: list[str] = []
        done = evaluations.c.scored.is_not(None)
        by_run = select(
            evaluations.c.run,
            func.count(),
            func.count().filter(done, evaluations.c.failed == ""),
            func.count().filter(done, evaluations.c.failed != ""),
            func.max(evaluations.c.scored),
            func.count(evaluations.c.scored.distinct()),
            func.count(evaluations.c.scored),
        ).group_by(evaluations.c.run)
        with self._reading() as connection:
            rows = {run: tuple(found) for run, *found in connection.execute(by_run)}
            held = dict(_pairs(connection.execute(select(candidates.c.run, func.count()).group_by(candidates.c.run))))
            last = dict(_pairs(connection.execute(select(log.c.run, func.max(log.c.number)).group_by(log.c.run))))
            lines: dict[str, dict[str, int]] = {}
            per_kind = select(log.c.run, log.c.kind, func.count()).group_by(log.c.run, log.c.kind)
            for run, kind, count in connection.execute(per_kind):
                lines.setdefault(run, {})[kind] = count
            orphans = select(func.count()).select_from(
                evaluations.outerjoin(
                    candidates,
                    (candidates.c.run == evaluations.c.run) & (candidates.c.number == evaluations.c.candidate),
                )
            )
            if lost := connection.scalar(orphans.where(candidates.c.number.is_(None))):
                wrong.append(f"{lost} evaluations belong to no candidate")
            for row in connection.execute(select(runs)).mappings():
                asked, scored, failed, cursor, distinct, numbered = rows.get(row["id"], (0, 0, 0, None, 0, 0))
                pairs = (
                    ("asked", row["asked"], asked),
                    ("scored", row["scored"], scored),
                    ("failed", row["failed"], failed),
                    ("architectures", row["architectures"], held.get(row["id"], 0)),
                )
                for name, counter, found in pairs:
                    if counter != found:
                        wrong.append(f"run {row['id']}: its counter of {name} says {counter}, its rows {found}")
                if distinct != numbered or (cursor or 0) > row["cursor"]:
                    wrong.append(f"run {row['id']}: numbers of scorings are given twice, or beyond the last")
                if row["log_counts"] != lines.get(row["id"], {}):
                    wrong.append(f"run {row['id']}: its counters of log lines say other than its log")
                if last.get(row["id"], 0) > row["log_number"]:
                    wrong.append(f"run {row['id']}: its log goes beyond its last number")
        return wrong

    def _check_networks(self) -> list[str]:
        """Where a watched network has snapshots beyond the last that it counts, or none."""
        last = select(snapshots.c.network, func.max(snapshots.c.number)).group_by(snapshots.c.network)
        with self._reading() as connection:
            numbers = dict(_pairs(connection.execute(last)))
            counted = list(_pairs(connection.execute(select(networks.c.id, networks.c.taken))))
        return [
            f"network {network}: its counter of snapshots says {taken}, its last one is {numbers.get(network, 'none')}"
            for network, taken in counted
            if numbers.get(network) != taken
        ]


_COUNTED = {
    "runs": runs,
    "candidates": candidates,
    "evaluations": evaluations,
    "log_lines": log,
    "scores": scores,
    "files": files,
    "templates": templates,
    "networks": networks,
    "snapshots": snapshots,
}


def _pairs(rows: Iterable[Row]) -> Iterator[tuple[str, int]]:
    return ((run, number) for run, number in rows)
