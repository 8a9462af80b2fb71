"""The tables of before migrations: runs with their strategy's state, a log numbered across runs, candidates."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("space", sa.String(64), nullable=False),
        sa.Column("config", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.String(500), nullable=False),
        sa.Column("strategy_state", sa.JSON),
        sa.Column("engine", sa.String(64)),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("busy_seconds", sa.Float, nullable=False),
    )
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("log_by_run", "log", ["run", "id"])
    op.create_table(
        "candidates",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("arch", sa.String(500), nullable=False),
        sa.Column("canonical", sa.String(500), nullable=False),
        sa.Column("values", sa.JSON),
        sa.Column("seconds", sa.JSON),
        sa.Column("scored", sa.Integer),
        sa.UniqueConstraint("run", "position"),
        sa.UniqueConstraint("run", "arch"),
        sqlite_autoincrement=True,
    )
    op.create_index("candidates_scored", "candidates", ["run", "scored"])
    op.create_table(
        "scores",
        sa.Column("space", sa.String(64), primary_key=True),
        sa.Column("canonical", sa.String(500), primary_key=True),
        sa.Column("proxy", sa.String(64), primary_key=True),
        sa.Column("settings", sa.String(300), primary_key=True),
        sa.Column("value", sa.Float),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("layers", sa.JSON),
    )
    op.create_table(
        "files",
        sa.Column("run", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "templates",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("saved", sa.Float, nullable=False),
    )
