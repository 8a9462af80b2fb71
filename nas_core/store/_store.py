"""Reading and writing the store. Every method is one short transaction; nothing outside this room sees a table."""

from __future__ import annotations

import itertools
import math
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import create_engine, delete, event, func, or_, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.orm import Session, sessionmaker

from nas_core import spaces
from nas_core.store._models import Base, Candidate, File, Log, Run, Score, Template

DEFAULT_URL = os.environ.get("NAS_HELM_STORE", f"sqlite:///{Path.home() / '.nas_helm' / 'store.db'}")
LEASE_SECONDS = 10.0
COMMANDS = ("start", "pause", "resume", "stop", "extend", "train")
RESCORED = "rescored"
"""The kind of log line that tells of scored candidates with new values."""
_TEMPLATE_NAME = 60  # letters, as many as a template's document may have
WEIGHTS = "weights"
"""The file of a run that holds the checkpoint of its training."""


class StoreError(ValueError):
    """The store cannot be read or written; the message says which one and what to do."""


class LeaseLost(RuntimeError):
    """Another engine holds the run; nothing was written."""


class LogMoved(RuntimeError):
    """Someone appended to the log since it was read; nothing was written. Read again and decide anew."""


@dataclass(frozen=True)
class RunRow:
    """A run as it stands. `state` is created, queued, running, paused, stopped, finished or failed."""

    id: str
    name: str
    space: str
    config: dict[str, Any]
    state: str
    message: str
    strategy_state: dict[str, Any] | None
    engine: str | None
    lease_until: float
    created: float
    busy_seconds: float
    asked: int
    scored: int

    @property
    def space_title(self) -> str:
        """What people call the space: its name, or that of the template it is made of."""
        return str((self.config.get("template") or {}).get("name", self.space))

    @property
    def asked_scores(self) -> list[str]:
        """Scores that the run asks for, `zico` where it names none."""
        return [str(name) for name in dict.fromkeys(self.config.get("proxies") or ["zico"])]

    @property
    def rank_by(self) -> str:
        """The score that ranks its candidates, the first where it says nothing."""
        return str(self.config.get("rank_by") or self.asked_scores[0])


@dataclass(frozen=True)
class LogEntry:
    """One line of the log. `kind` is command, act, event, request, answer, region, or loss (a point of the curve)."""

    id: int
    kind: str
    body: dict[str, Any]
    time: float


@dataclass(frozen=True)
class CandidateRow:
    """An architecture inside a run; `values` is None until it has been scored."""

    position: int
    arch: str
    canonical: str
    values: dict[str, float] | None
    seconds: dict[str, float] | None
    scored: int | None


class Store:
    """Runs, log, candidates and the score cache behind one SQLAlchemy URL.

    Args:
        url: SQLAlchemy URL; None for the default.
        busy_seconds: how long a write waits for another program's write on SQLite.

    Raises:
        StoreError: the URL is malformed, or the database is locked, full, corrupt or out of reach.
    """

    def __init__(self, url: str | None = None, *, busy_seconds: float = 10.0) -> None:
        self.url = url or DEFAULT_URL
        self._busy_seconds = busy_seconds
        try:
            parsed = make_url(self.url)
            if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
                Path(str(parsed.database)).expanduser().parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(parsed, connect_args=self._connect_arguments(parsed.get_backend_name()))
        except (ArgumentError, ImportError, OSError) as error:
            raise StoreError(f"cannot open store {self.url!r}: {_first_line(error)}") from error
        if parsed.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", self._tune_sqlite)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        with self._guard():
            Base.metadata.create_all(self._engine)

    def _connect_arguments(self, backend: str) -> dict[str, Any]:
        return {"timeout": self._busy_seconds} if backend == "sqlite" else {}

    def _tune_sqlite(self, connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            of_the_database = isinstance(error, DBAPIError) or not isinstance(error, StatementError)
            if isinstance(error, DataError) or not of_the_database:  # trying again would not help
                raise ValueError(
                    f"the store cannot keep this: {_first_line(getattr(error, 'orig', None) or error)}"
                ) from error
            raise StoreError(_explain(self.url, error)) from error

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._guard(), self._sessions.begin() as session:
            yield session

    # runs -----------------------------------------------------------------------------------------------------------

    def create_run(self, space: str, config: Mapping[str, Any], name: str = "") -> str:
        """Add a run in state `created` and return its id."""
        identifier = uuid.uuid4().hex[:12]
        if config.get("template"):
            spaces.define(config["template"])  # a run whose space cannot be built is not made
        with self._transaction() as session:
            session.add(
                Run(
                    id=identifier,
                    name=name or f"{(config.get('template') or {}).get('name', space)} {identifier[:4]}",
                    space=space,
                    config=dict(config),
                    created=time.time(),
                )
            )
        return identifier

    def runs(self) -> list[RunRow]:
        """Every run, newest first."""
        return self._runs(None)

    def run(self, identifier: str) -> RunRow:
        """One run.

        Raises:
            StoreError: there is no such run.
        """
        found = self._runs(identifier)
        if not found:
            raise StoreError(f"unknown run {identifier!r}; expected the id of a run in {self.url}")
        return found[0]

    def _runs(self, identifier: str | None) -> list[RunRow]:
        counts = (
            select(Candidate.run, func.count().label("asked"), func.count(Candidate.scored).label("scored"))
            .group_by(Candidate.run)
            .subquery()
        )
        query = select(Run, counts.c.asked, counts.c.scored).outerjoin(counts, counts.c.run == Run.id)
        if identifier is not None:
            query = query.where(Run.id == identifier)
        with self._transaction() as session:
            rows = session.execute(query.order_by(Run.created.desc())).all()
        names = {}
        for run, *_ in rows:
            if run.config.get("template"):
                with suppress(ValueError):  # whoever asks for such a space is told
                    names[run.id] = spaces.define(run.config["template"]).name
        return [
            RunRow(
                id=run.id,
                name=run.name,
                space=names.get(run.id, run.space),
                config=run.config,
                state=run.state,
                message=run.message,
                strategy_state=run.strategy_state,
                engine=run.engine,
                lease_until=run.lease_until,
                created=run.created,
                busy_seconds=run.busy_seconds,
                asked=asked or 0,
                scored=scored or 0,
            )
            for run, asked, scored in rows
        ]

    def set_state(
        self, identifier: str, state: str, message: str = "", *, expected: Sequence[str] | None = None
    ) -> bool:
        """Change the state of a run and log it as an event; False, and no change, unless it is one of `expected`."""
        change = update(Run).where(Run.id == identifier).values(state=state, message=message[:500])
        if expected is not None:
            change = change.where(Run.state.in_(expected))
        with self._transaction() as session:
            if not session.execute(change).rowcount:  # type: ignore[attr-defined]
                return False
            session.add(Log(run=identifier, kind="event", body={"state": state, "message": message}, time=time.time()))
            return True

    def status(self, identifier: str) -> tuple[str, str | None] | None:
        """State of a run and the engine that holds it, quickly; None where the run is gone."""
        with self._transaction() as session:
            row = session.execute(select(Run.state, Run.engine).where(Run.id == identifier)).one_or_none()
            return None if row is None else (row.state, row.engine)

    def configure(self, identifier: str, **changes: Any) -> None:
        """Merge `changes` into the configuration of a run."""
        with self._transaction() as session:
            run = session.get_one(Run, identifier)
            run.config = {**run.config, **changes}

    def delete_run(self, identifier: str) -> None:
        """Remove a run with its log and candidates; cached scores stay."""
        with self._transaction() as session:
            for table in (Candidate, Log, File):
                session.execute(delete(table).where(table.run == identifier))
            session.execute(delete(Run).where(Run.id == identifier))

    # lease ----------------------------------------------------------------------------------------------------------

    def lease(self, engine: str, seconds: float = LEASE_SECONDS, *, among: Sequence[str] | None = None) -> str | None:
        """Take, or keep, the lease of one run in state queued or running (one of `among`); its id, or None."""
        now = time.time()
        with self._transaction() as session:
            query = (
                select(Run.id)
                .where(Run.state.in_(("queued", "running")), or_(Run.lease_until < now, Run.engine == engine))
                .order_by(Run.created)
            )
            if among is not None:
                query = query.where(Run.id.in_(among))
            for identifier in session.scalars(query).all():
                taken = session.execute(
                    update(Run)
                    .where(Run.id == identifier, or_(Run.lease_until < now, Run.engine == engine))
                    .values(engine=engine, lease_until=now + seconds)
                )
                if taken.rowcount:  # type: ignore[attr-defined]
                    return str(identifier)
        return None

    def beat(self, identifier: str, engine: str, seconds: float = LEASE_SECONDS, busy: float = 0.0) -> bool:
        """Extend a lease; False when another engine holds the run."""
        with self._transaction() as session:
            kept = session.execute(
                update(Run)
                .where(Run.id == identifier, Run.engine == engine)
                .values(lease_until=time.time() + seconds, busy_seconds=Run.busy_seconds + busy)
            )
            return bool(kept.rowcount)  # type: ignore[attr-defined]

    def release(self, identifier: str, engine: str) -> None:
        """Give a lease back."""
        with self._transaction() as session:
            session.execute(
                update(Run).where(Run.id == identifier, Run.engine == engine).values(engine=None, lease_until=0.0)
            )

    # log ------------------------------------------------------------------------------------------------------------

    def append(self, identifier: str, kind: str, body: Mapping[str, Any], *, seen: int | None = None) -> int:
        """Append a command, act or event; returns its number, which is the cursor just behind it.

        Raises:
            LogMoved: `seen` is given and the run's log does not hold that many entries of the kind any more.
        """
        entry = Log(run=identifier, kind=kind, body=dict(body), time=time.time())
        with self._transaction() as session:
            if seen is not None:
                _claim(session, identifier, None)
                held = session.scalar(select(func.count()).where(Log.run == identifier, Log.kind == kind))
                if held != seen:
                    raise LogMoved(f"run {identifier} has {held} entries of kind {kind}, not {seen}")
            session.add(entry)
            session.flush()
            return entry.id

    def command(self, identifier: str, name: str, **arguments: Any) -> int:
        """Append a command and mark the run for the engine.

        Commands are start, pause, resume, stop, extend (with `budget`), and train (with `epochs`, all in all).

        Raises:
            StoreError: no such command.
        """
        if name not in COMMANDS:
            raise StoreError(f"unknown command {name!r}; expected one of: {', '.join(COMMANDS)}")
        cursor = self.append(identifier, "command", {"name": name, **arguments})
        if name == "extend":
            self.configure(identifier, budget=int(arguments["budget"]))
        if name == "train":
            supernet = self.run(identifier).config.get("supernet") or {}
            self.configure(identifier, supernet={**supernet, "epochs": float(arguments["epochs"])})
        state = {"pause": "paused", "stop": "stopped"}.get(name, "queued")
        self.set_state(identifier, state)
        return cursor

    def log(self, identifier: str, after: int = 0, kind: str | None = None) -> list[LogEntry]:
        """Log lines behind the cursor `after`, oldest first."""
        query = select(Log).where(Log.run == identifier, Log.id > after).order_by(Log.id)
        if kind is not None:
            query = query.where(Log.kind == kind)
        with self._transaction() as session:
            return [LogEntry(row.id, row.kind, row.body, row.time) for row in session.scalars(query)]

    def log_counts(self, identifier: str) -> dict[str, int]:
        """How many lines of each kind the log of a run holds."""
        query = select(Log.kind, func.count()).where(Log.run == identifier).group_by(Log.kind)
        with self._transaction() as session:
            return {kind: count for kind, count in session.execute(query)}

    def entries(self, kinds: Sequence[str], after: int = 0) -> list[tuple[str, LogEntry]]:
        """Log lines of these kinds behind the cursor `after`, of every run, oldest first, each with its run."""
        query = select(Log).where(Log.kind.in_(kinds), Log.id > after).order_by(Log.id)
        with self._transaction() as session:
            return [(row.run, LogEntry(row.id, row.kind, row.body, row.time)) for row in session.scalars(query)]

    # candidates -----------------------------------------------------------------------------------------------------

    def ask(
        self,
        identifier: str,
        candidates: Sequence[tuple[str, str]],
        strategy_state: Mapping[str, Any],
        *,
        engine: str | None = None,
    ) -> list[CandidateRow]:
        """Add asked candidates `(arch, canonical)` and the strategy's state behind them, in one transaction.

        Architectures that the run holds already are left out; the new rows are returned, in order.

        Raises:
            LeaseLost: `engine` is given and does not hold the run.
        """
        with self._transaction() as session:
            _claim(session, identifier, engine, strategy_state=dict(strategy_state))
            start = session.scalar(select(func.count()).where(Candidate.run == identifier)) or 0
            known = select(Candidate.arch).where(
                Candidate.run == identifier, Candidate.arch.in_([arch for arch, _ in candidates])
            )
            held = set(session.scalars(known))
            fresh = {arch: canonical for arch, canonical in candidates if arch not in held}
            rows = [
                Candidate(run=identifier, position=start + k, arch=arch, canonical=canonical)
                for k, (arch, canonical) in enumerate(fresh.items())
            ]
            session.add_all(rows)
        return [CandidateRow(row.position, row.arch, row.canonical, None, None, None) for row in rows]

    def pending(self, identifier: str) -> list[CandidateRow]:
        """Candidates asked for and not yet scored, in order."""
        query = select(Candidate).where(Candidate.run == identifier, Candidate.scored.is_(None))
        with self._transaction() as session:
            return [_candidate(row) for row in session.scalars(query.order_by(Candidate.position))]

    def tell(
        self,
        identifier: str,
        results: Sequence[tuple[int, Mapping[str, float], Mapping[str, float]]],
        strategy_state: Mapping[str, Any] | None = None,
        *,
        engine: str | None = None,
    ) -> None:
        """Write results `(position, values, seconds)`; a candidate that has scores already keeps them.

        Raises:
            LeaseLost: `engine` is given and does not hold the run.
        """
        with self._transaction() as session:
            changes = {} if strategy_state is None else {"strategy_state": dict(strategy_state)}
            _claim(session, identifier, engine, **changes)
            number = session.scalar(select(func.max(Candidate.scored)).where(Candidate.run == identifier)) or 0
            for position, values, seconds in results:
                number += 1
                session.execute(
                    update(Candidate)
                    .where(Candidate.run == identifier, Candidate.position == position, Candidate.scored.is_(None))
                    .values(values=_jsonable(values), seconds=_jsonable(seconds), scored=number)
                )

    def tell_again(
        self,
        identifier: str,
        results: Sequence[tuple[int, Mapping[str, float], Mapping[str, float]]],
        *,
        engine: str | None = None,
    ) -> None:
        """Write new results `(position, values, seconds)` over those of scored candidates, which keep their order.

        The log says so (`rescored`), for those who read by cursor.

        Raises:
            LeaseLost: `engine` is given and does not hold the run.
        """
        with self._transaction() as session:
            _claim(session, identifier, engine)
            for position, values, seconds in results:
                session.execute(
                    update(Candidate)
                    .where(Candidate.run == identifier, Candidate.position == position, Candidate.scored.is_not(None))
                    .values(values=_jsonable(values), seconds=_jsonable(seconds))
                )
            body = {"candidates": len(results)}
            session.add(Log(run=identifier, kind=RESCORED, body=body, time=time.time()))

    def generation(self, identifier: str, start: int) -> list[CandidateRow]:
        """Candidates from position `start` on, scored or not, in the order in which they were asked."""
        query = select(Candidate).where(Candidate.run == identifier, Candidate.position >= start)
        with self._transaction() as session:
            return [_candidate(row) for row in session.scalars(query.order_by(Candidate.position))]

    def candidates(self, identifier: str, after: int = 0) -> list[CandidateRow]:
        """Scored candidates behind the cursor `after` (their `scored` number), in order of scoring."""
        query = select(Candidate).where(Candidate.run == identifier, Candidate.scored > after)
        with self._transaction() as session:
            return [_candidate(row) for row in session.scalars(query.order_by(Candidate.scored))]

    def candidates_of(self, identifiers: Sequence[str]) -> dict[str, list[CandidateRow]]:
        """Scored candidates of several runs at once, by run, in order of scoring."""
        query = select(Candidate).where(Candidate.run.in_(identifiers), Candidate.scored.is_not(None))
        found: dict[str, list[CandidateRow]] = {identifier: [] for identifier in identifiers}
        with self._transaction() as session:
            for row in session.scalars(query.order_by(Candidate.scored)):
                found[row.run].append(_candidate(row))
        return found

    def table(self, identifier: str) -> pd.DataFrame:
        """Every scored candidate by position: position, arch, canonical, scored and one column a score."""
        rows = sorted(self.candidates(identifier), key=lambda row: row.position)
        return pd.DataFrame(
            [
                {
                    "position": r.position,
                    "arch": r.arch,
                    "canonical": r.canonical,
                    "scored": r.scored,
                    **(r.values or {}),
                }
                for r in rows
            ],
            columns=None if rows else ["position", "arch", "canonical", "scored"],
        )

    # training -------------------------------------------------------------------------------------------------------

    def trained(
        self,
        identifier: str,
        weights: bytes,
        losses: Sequence[Mapping[str, float]],
        strategy_state: Mapping[str, Any],
        message: str,
        *,
        engine: str,
    ) -> None:
        """Keep a checkpoint with the new points of its loss curve and the state behind it, in one transaction.

        Raises:
            LeaseLost: `engine` does not hold the run.
        """
        now = time.time()
        with self._transaction() as session:
            _claim(session, identifier, engine, strategy_state=dict(strategy_state))
            session.merge(File(run=identifier, name=WEIGHTS, data=weights))
            session.add_all(Log(run=identifier, kind="loss", body=_jsonable(body), time=now) for body in losses)
            running = update(Run).where(Run.id == identifier, Run.state == "running")
            session.execute(running.values(message=message[:500]))

    def keep_file(self, identifier: str, name: str, data: bytes) -> None:
        """Keep a file with a run; one of the same name is replaced."""
        with self._transaction() as session:
            session.merge(File(run=identifier, name=name, data=data))

    def file(self, identifier: str, name: str = WEIGHTS) -> bytes | None:
        """A file of a run; None where there is none."""
        with self._transaction() as session:
            return session.scalar(select(File.data).where(File.run == identifier, File.name == name))

    # templates ------------------------------------------------------------------------------------------------------

    def save_template(self, document: Mapping[str, Any], *, replaces: str | None = None) -> str:
        """Keep a template under its name, or under the next free one, `mine 2`, where another template has that.

        Args:
            document: the template.
            replaces: the saved template that this is a later form of; it is replaced, and its name stays.

        Returns:
            The name under which it is kept.
        """
        with self._transaction() as session:
            held = {row.name: row.document for row in session.scalars(select(Template))}
            asked = str(document["name"])[:_TEMPLATE_NAME]
            later = (f"{asked[: _TEMPLATE_NAME - 5]} {number}" for number in itertools.count(2))
            name = replaces or next(
                name
                for name in itertools.chain([asked], later)
                if name not in held or held[name] == {**document, "name": name}
            )
            session.merge(Template(name=name, document={**document, "name": name}, saved=time.time()))
        return name

    def templates(self) -> dict[str, dict[str, Any]]:
        """Saved templates by name, newest first."""
        with self._transaction() as session:
            rows = session.scalars(select(Template).order_by(Template.saved.desc())).all()
            return {row.name: row.document for row in rows}

    # score cache ----------------------------------------------------------------------------------------------------

    def cached(
        self, space: str, canonical: Sequence[str], proxies: Sequence[str], settings: str
    ) -> dict[tuple[str, str], float]:
        """Known values by `(canonical, proxy)`; NaN where a score is known to be undefined."""
        query = select(Score.canonical, Score.proxy, Score.value).where(
            Score.space == space, Score.settings == settings, Score.proxy.in_(proxies), Score.canonical.in_(canonical)
        )
        with self._transaction() as session:
            return {(c, p): math.nan if v is None else v for c, p, v in session.execute(query)}

    def settings(self, space: str, proxy: str) -> dict[str, int]:
        """Settings under which `proxy` is cached, with how many canonical forms each; most first."""
        number = func.count()
        query = select(Score.settings, number).where(Score.space == space, Score.proxy == proxy)
        with self._transaction() as session:
            rows = session.execute(query.group_by(Score.settings).order_by(number.desc(), Score.settings)).all()
        return {settings: count for settings, count in rows}

    def scores(self, space: str, proxy: str, settings: str) -> dict[str, float]:
        """Every cached value of `proxy` under `settings` by canonical form; NaN where it is known to be undefined."""
        query = select(Score.canonical, Score.value).where(
            Score.space == space, Score.proxy == proxy, Score.settings == settings
        )
        with self._transaction() as session:
            return {c: math.nan if value is None else value for c, value in session.execute(query)}

    def remember(
        self,
        space: str,
        canonical: str,
        settings: str,
        values: Mapping[str, float],
        seconds: Mapping[str, float],
        layers: Mapping[str, list[dict[str, Any]]] | None = None,
    ) -> None:
        """Cache the scores of one canonical form; the first writer wins."""
        with self._guard(), suppress(IntegrityError), self._sessions.begin() as session:
            _keep_scores(session, space, canonical, settings, values, seconds, layers or {})

    def remember_all(
        self,
        space: str,
        settings: str,
        scores: Sequence[tuple[str, Mapping[str, float], Mapping[str, float], Mapping[str, list[dict[str, Any]]]]],
    ) -> None:
        """Cache scores `(canonical, values, seconds, layers)` in one transaction, so that others hardly wait."""
        try:
            with self._guard(), self._sessions.begin() as session:
                for canonical, values, seconds, layers in scores:
                    _keep_scores(session, space, canonical, settings, values, seconds, layers)
        except StoreError as error:
            if not isinstance(error.__cause__, IntegrityError):
                raise
            for canonical, values, seconds, layers in scores:  # another engine came first with one of them
                self.remember(space, canonical, settings, values, seconds, layers)

    def layers(self, space: str, canonical: str, proxy: str, settings: str) -> pd.DataFrame:
        """The per-layer table of a cached score; empty where none was kept."""
        with self._transaction() as session:
            row = session.get(Score, (space, canonical, proxy, settings))
            return pd.DataFrame(row.layers if row is not None and row.layers else [])


def _keep_scores(
    session: Session,
    space: str,
    canonical: str,
    settings: str,
    values: Mapping[str, float],
    seconds: Mapping[str, float],
    layers: Mapping[str, list[dict[str, Any]]],
) -> None:
    for proxy, value in _jsonable(values).items():
        if session.get(Score, (space, canonical, proxy, settings)) is None:
            session.add(
                Score(
                    space=space,
                    canonical=canonical,
                    proxy=proxy,
                    settings=settings,
                    value=value,
                    seconds=seconds.get(proxy, 0.0),
                    layers=layers.get(proxy),
                )
            )


def _claim(session: Session, identifier: str, engine: str | None, **changes: Any) -> None:
    """Take the write lock by changing the run first, and make sure that `engine` still holds it."""
    change = update(Run).where(Run.id == identifier).values(changes or {"id": identifier})
    if engine is not None:
        change = change.where(Run.engine == engine)
    if not session.execute(change).rowcount and engine is not None:  # type: ignore[attr-defined]
        raise LeaseLost(f"run {identifier} is held by another engine")


def _candidate(row: Candidate) -> CandidateRow:
    values = None if row.values is None else {k: math.nan if v is None else v for k, v in row.values.items()}
    return CandidateRow(row.position, row.arch, row.canonical, values, row.seconds, row.scored)


def _jsonable(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(value) if math.isfinite(value) else None for name, value in values.items()}


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _explain(url: str, error: SQLAlchemyError) -> str:
    text = _first_line(getattr(error, "orig", None) or error)
    advice = {
        "locked": "another program holds it; close that program or choose another --store",
        "disk is full": "free some disk space, nothing written so far is lost",
        "disk I/O": "check the disk; nothing written so far is lost",
        "malformed": "the file is damaged; restore a copy or choose another --store",
        "not a database": "the file is no SQLite database; choose another --store",
        "unable to open": "check that the folder exists and can be written",
        "readonly": "the file cannot be written; check its permissions",
    }
    hint = next((hint for sign, hint in advice.items() if sign in text), "check the --store URL")
    return f"store {url!r}: {text}; {hint}"
