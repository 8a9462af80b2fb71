"""Tables of the store as they are today; `migrations/` says how older ones become these. Nothing outside sees a table.

What lists and pulses show are counters of a run's row, changed in the transaction that changes what they count. A text
of any length is found by its digest.
"""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()


def _of_a_run() -> Column:
    return Column("run", String(32), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("space", Text, nullable=False),
    Column("config", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("busy_seconds", Float, nullable=False),
    Column("engine", String(64)),
    Column("beats", Integer, nullable=False),  # grows with every beat of the engine, whatever its clock says
    Column("lease_seconds", Float, nullable=False),
    Column("lease_until", Float, nullable=False),  # by the database's clock
    Column("asked", Integer, nullable=False),  # the next position
    Column("scored", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("architectures", Integer, nullable=False),  # the next number of a candidate
    Column("cursor", Integer, nullable=False),  # the last number of a scoring
    Column("log_number", Integer, nullable=False),  # the last number of a log line
    Column("log_counts", JSON, nullable=False),  # log lines by kind
    Column("weights_step", Integer, nullable=False),
    Column("summary", JSON, nullable=False),
)

task_states = Table(
    "task_states",
    metadata,
    _of_a_run(),
    Column("state", JSON),  # apart from the run, which beats and lists need not carry it
)

log = Table(
    "log",
    metadata,
    _of_a_run(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("body", JSON, nullable=False),
    Column("time", Float, nullable=False),
    Index("log_by_kind", "run", "kind", "number"),
)

requests = Table(
    "requests",
    metadata,
    _of_a_run(),
    Column("number", Integer, primary_key=True, autoincrement=False),  # of the log line that asks
)

candidates = Table(
    "candidates",
    metadata,
    _of_a_run(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(32), nullable=False),  # of `arch`
    Column("arch", Text, nullable=False),
    Column("canonical", Text, nullable=False),
    UniqueConstraint("run", "digest", name="candidates_by_arch"),
    sqlite_with_rowid=False,
)

evaluations = Table(
    "evaluations",
    metadata,
    _of_a_run(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("candidate", Integer, nullable=False),
    Column("conditions", String(32), nullable=False),  # digest of fidelity, seed, budget and settings
    Column("fidelity", String(64), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("budget", Float),
    Column("settings", Text, nullable=False),
    Column("values", JSON(none_as_null=True)),
    Column("seconds", JSON(none_as_null=True)),
    Column("standard_error", Float),
    Column("failed", Text, nullable=False),
    Column("scored", Integer),
    UniqueConstraint("run", "candidate", "conditions", name="evaluations_by_conditions"),
    Index("evaluations_by_scoring", "run", "scored"),
    sqlite_with_rowid=False,
)

scores = Table(
    "scores",
    metadata,
    Column("space", Text, primary_key=True),
    Column("proxy", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("compute", String(64), primary_key=True),
    Column("settings", Text, primary_key=True),
    Column("digest", String(32), primary_key=True),  # of `canonical`
    Column("canonical", Text, nullable=False),
    Column("value", Float),
    Column("seconds", Float, nullable=False),
    Column("layers", JSON(none_as_null=True)),
)

files = Table(
    "files",
    metadata,
    _of_a_run(),
    Column("name", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("document", JSON, nullable=False),
    Column("saved", Float, nullable=False),
)

networks = Table(
    "networks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("made", Float, nullable=False),
    Column("taken", Integer, nullable=False),  # the number of the last snapshot
    Column("step", Integer, nullable=False),  # that of the last snapshot
    Column("about", JSON, nullable=False),
    Column("modules", JSON, nullable=False),
    Column("layers", JSON, nullable=False),  # by score, what all snapshots have in common
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("network", String(32), ForeignKey("networks.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, nullable=False),
    Column("time", Float, nullable=False),
    Column("values", JSON, nullable=False),
    Column("seconds", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("layers", JSON, nullable=False),  # by score and statistic, a number a layer
)


def digest(text: str) -> str:
    """32 hexadecimal digits that stand for a text; the migrations compute the same in SQL."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def conditions(fidelity: str, seed: int, budget: float | None, settings: str) -> str:
    """The digest of the conditions of an evaluation."""
    if (fidelity, seed, budget, settings) == ("", 0, None, ""):
        return _USUAL
    return digest(json.dumps([fidelity, int(seed), None if budget is None else float(budget), settings]))


_USUAL = digest(json.dumps(["", 0, None, ""]))
