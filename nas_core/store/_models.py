"""Tables of the store. Rows of `log` are never changed or deleted while their run exists."""

from __future__ import annotations

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Declarative base of every table."""


class Run(Base):
    """One search: configuration, state and lease."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    space: Mapped[str] = mapped_column(String(64))
    config: Mapped[dict] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), default="created")
    message: Mapped[str] = mapped_column(String(500), default="")
    strategy_state: Mapped[dict | None] = mapped_column(JSON, default=None)
    engine: Mapped[str | None] = mapped_column(String(64), default=None)
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    created: Mapped[float] = mapped_column(Float)
    busy_seconds: Mapped[float] = mapped_column(Float, default=0.0)


class Log(Base):
    """Commands, steering acts and events, in the order they were appended."""

    __tablename__ = "log"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict] = mapped_column(JSON)
    time: Mapped[float] = mapped_column(Float)

    __table_args__ = (Index("log_by_run", "run", "id"), {"sqlite_autoincrement": True})


class Candidate(Base):
    """An architecture inside a run; `position` is the order in which it was asked for."""

    __tablename__ = "candidates"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    arch: Mapped[str] = mapped_column(String(500))
    canonical: Mapped[str] = mapped_column(String(500))
    values: Mapped[dict | None] = mapped_column(JSON, default=None)
    seconds: Mapped[dict | None] = mapped_column(JSON, default=None)
    scored: Mapped[int | None] = mapped_column(Integer, default=None)
    """Ascending number of the scoring within the run: the cursor of live reads."""

    __table_args__ = (
        UniqueConstraint("run", "position"),
        UniqueConstraint("run", "arch"),
        Index("candidates_scored", "run", "scored"),
        {"sqlite_autoincrement": True},
    )


class Score(Base):
    """The score cache: one row a (space, canonical form, proxy, settings with seed)."""

    __tablename__ = "scores"

    space: Mapped[str] = mapped_column(String(64), primary_key=True)
    canonical: Mapped[str] = mapped_column(String(500), primary_key=True)
    proxy: Mapped[str] = mapped_column(String(64), primary_key=True)
    settings: Mapped[str] = mapped_column(String(300), primary_key=True)
    value: Mapped[float | None] = mapped_column(Float, default=None)
    seconds: Mapped[float] = mapped_column(Float, default=0.0)
    layers: Mapped[list | None] = mapped_column(JSON, default=None)


class File(Base):
    """What a run keeps beside its rows: the weights of a training."""

    __tablename__ = "files"

    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Template(Base):
    """A template that a user saved, by its name."""

    __tablename__ = "templates"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    document: Mapped[dict] = mapped_column(JSON)
    saved: Mapped[float] = mapped_column(Float)
