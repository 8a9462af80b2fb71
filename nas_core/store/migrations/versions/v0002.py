"""Counters and the task's state apart in runs, a log numbered by run, open requests, one row an evaluation.

Numbers of log lines stay, as answers, events and regions refer to them. What the cache holds is of version 1, computed
on the processor.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_OLD = ("runs", "log", "candidates", "scores", "files")
_USUAL = hashlib.sha256(b'["", 0, null, ""]').hexdigest()[:32]
"""The digest of the conditions of every evaluation so far: the run's own scores, once."""


def upgrade() -> None:
    """Make the new tables, carry everything over, drop the old ones."""
    for name in _OLD:
        op.rename_table(name, f"old_{name}")
    _create()
    _carry()
    for name in reversed(_OLD):
        op.drop_table(f"old_{name}")


def _of_a_run() -> sa.Column:
    return sa.Column("run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def _create() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("space", sa.Text, nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("busy_seconds", sa.Float, nullable=False),
        sa.Column("engine", sa.String(64)),
        sa.Column("beats", sa.Integer, nullable=False),
        sa.Column("lease_seconds", sa.Float, nullable=False),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("scored", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("architectures", sa.Integer, nullable=False),
        sa.Column("cursor", sa.Integer, nullable=False),
        sa.Column("log_number", sa.Integer, nullable=False),
        sa.Column("log_counts", sa.JSON, nullable=False),
        sa.Column("weights_step", sa.Integer, nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
    )
    op.create_table("task_states", _of_a_run(), sa.Column("state", sa.JSON))
    op.create_table(
        "log",
        _of_a_run(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
    )
    op.create_index("log_by_kind", "log", ["run", "kind", "number"])
    op.create_table(
        "requests",
        _of_a_run(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "candidates",
        _of_a_run(),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("arch", sa.Text, nullable=False),
        sa.Column("canonical", sa.Text, nullable=False),
        sa.UniqueConstraint("run", "digest", name="candidates_by_arch"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evaluations",
        _of_a_run(),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("candidate", sa.Integer, nullable=False),
        sa.Column("conditions", sa.String(32), nullable=False),
        sa.Column("fidelity", sa.String(64), nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("budget", sa.Float),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("values", sa.JSON),
        sa.Column("seconds", sa.JSON),
        sa.Column("standard_error", sa.Float),
        sa.Column("failed", sa.Text, nullable=False),
        sa.Column("scored", sa.Integer),
        sa.UniqueConstraint("run", "candidate", "conditions", name="evaluations_by_conditions"),
        sqlite_with_rowid=False,
    )
    op.create_index("evaluations_by_scoring", "evaluations", ["run", "scored"])
    op.create_table(
        "scores",
        sa.Column("space", sa.Text, primary_key=True),
        sa.Column("proxy", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("compute", sa.String(64), primary_key=True),
        sa.Column("settings", sa.Text, primary_key=True),
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("canonical", sa.Text, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("layers", sa.JSON),
    )
    op.create_table(
        "files",
        _of_a_run(),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _carry() -> None:
    digest, step = _by_dialect()
    op.execute(
        f"""
        INSERT INTO runs (id, name, space, config, state, message, created, busy_seconds, engine, beats, lease_seconds,
            lease_until, asked, scored, failed, architectures, cursor, log_number, log_counts, weights_step, summary)
        SELECT id, name, space, config, state, message, created, busy_seconds, engine, 0, 10.0,
            lease_until, 0, 0, 0, 0, 0, 0, '{{}}', COALESCE({step}, 0), '{{}}'
        FROM old_runs
        """
    )
    op.execute("INSERT INTO task_states (run, state) SELECT id, strategy_state FROM old_runs")
    op.execute("INSERT INTO log (run, number, kind, body, time) SELECT run, id, kind, body, time FROM old_log")
    op.execute("INSERT INTO files (run, name, data) SELECT run, name, data FROM old_files")
    op.execute(
        f"""
        INSERT INTO candidates (run, number, digest, arch, canonical)
        SELECT run, position, {digest("arch")}, arch, canonical FROM old_candidates ORDER BY run, position
        """
    )
    op.execute(
        f"""
        INSERT INTO evaluations (run, position, candidate, conditions, fidelity, seed, budget, settings, "values",
            seconds, standard_error, failed, scored)
        SELECT run, position, position, '{_USUAL}', '', 0, NULL, '',
            CASE WHEN scored IS NULL THEN NULL ELSE "values" END,
            CASE WHEN scored IS NULL THEN NULL ELSE seconds END, NULL, '', scored
        FROM old_candidates ORDER BY run, position
        """
    )
    op.execute(
        f"""
        INSERT INTO scores (space, proxy, version, compute, settings, digest, canonical, value, seconds, layers)
        SELECT space, proxy, 1, 'cpu', settings, {digest("canonical")}, canonical, value, seconds, layers
        FROM old_scores
        """
    )
    _count()
    _open_requests()


def _by_dialect() -> tuple[Callable[[str], str], str]:
    """How the database spells the digest of a column, and the training step inside a strategy's state."""
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        driver: Any = bind.connection.driver_connection
        driver.create_function("text_digest", 1, _digest, deterministic=True)
        step = "CAST(json_extract(strategy_state, '$.training.step') AS INTEGER)"
        return (lambda column: f"text_digest({column})"), step
    step = "CAST(CAST(strategy_state->'training'->>'step' AS double precision) AS integer)"
    return (lambda column: f"substr(encode(sha256(convert_to({column}, 'UTF8')), 'hex'), 1, 32)"), step


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _count() -> None:
    """Set the counters of every run to what its rows are."""
    bind = op.get_bind()
    runs = sa.table(
        "runs",
        sa.column("id", sa.String),
        *(sa.column(name, sa.Integer) for name in ("asked", "scored", "architectures", "cursor", "log_number")),
        sa.column("log_counts", sa.JSON),
    )
    found: dict[str, dict] = defaultdict(lambda: {"log_counts": {}})
    query = "SELECT run, COUNT(*), COUNT(scored), COALESCE(MAX(scored), 0), MAX(position) FROM evaluations GROUP BY run"
    for run, asked, scored, cursor, last in bind.execute(sa.text(query)):
        number = max(asked, last + 1)
        found[run].update(asked=number, scored=scored, architectures=number, cursor=cursor)
    for run, number in bind.execute(sa.text("SELECT run, MAX(number) FROM log GROUP BY run")):
        found[run]["log_number"] = number
    for run, kind, count in bind.execute(sa.text("SELECT run, kind, COUNT(*) FROM log GROUP BY run, kind")):
        found[run]["log_counts"][kind] = count
    for run, values in found.items():
        bind.execute(sa.update(runs).where(runs.c.id == run).values(**values))


def _open_requests() -> None:
    """Note the requests that no line of the log answers."""
    bind = op.get_bind()
    log = sa.table("log", *(sa.column(name) for name in ("run", "number", "kind")), sa.column("body", sa.JSON))
    answers = bind.execute(sa.select(log.c.run, log.c.body).where(log.c.kind == "answer"))
    answered = {(run, int(body["request"])) for run, body in answers}
    asked = bind.execute(sa.select(log.c.run, log.c.number).where(log.c.kind == "request"))
    requests = sa.table("requests", sa.column("run", sa.String), sa.column("number", sa.Integer))
    still = [{"run": run, "number": number} for run, number in asked if (run, number) not in answered]
    if still:
        bind.execute(requests.insert(), still)
