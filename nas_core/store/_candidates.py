"""Candidates of runs: asked, scored, scored again, failed; read by position or by the cursor of their scoring.

A run holds an architecture once, and an evaluation of it once for all of fidelity, seed, budget and settings.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Select, bindparam, select, update

from nas_core.store._database import Database, LockedRun, portions
from nas_core.store._json import jsonable, numbers
from nas_core.store._log import RESCORED
from nas_core.store._rows import Asked, CandidateRow, Outcome
from nas_core.store._tables import candidates, conditions, digest, evaluations

_CONDITIONS = ("fidelity", "seed", "budget")
_WRITE = (
    update(evaluations)
    .where(evaluations.c.run == bindparam("of_run"), evaluations.c.position == bindparam("at"))
    .values({name: bindparam(f"new_{name}") for name in ("values", "seconds", "standard_error", "failed", "scored")})
)


class CandidateRecords(Database):
    """The tables of candidates and their evaluations."""

    # writing --------------------------------------------------------------------------------------------------------

    def ask(
        self,
        identifier: str,
        asked: Sequence[Asked | tuple[str, str]],
        state: Mapping[str, Any],
        *,
        engine: str | None = None,
    ) -> list[CandidateRow]:
        """Add evaluations asked for and the state of the task behind them, in one transaction.

        An evaluation that the run holds already is left out: the same architecture, fidelity, seed, budget and
        settings. Where only the architecture is told, with its canonical form, it is that by the run's own scores.

        Returns:
            The new rows, in order.

        Raises:
            LeaseLost: `engine` is given and does not hold the run.
        """
        wanted: dict[tuple[str, str], Asked] = {}
        for item in (Asked(*row) for row in asked):
            key = digest(item.arch), conditions(item.fidelity, item.seed, item.budget, item.settings)
            wanted.setdefault(key, item)
        with self._locked(identifier, engine) as run:
            run.keep_state(state)
            known = _numbers(run, [arch for arch, _ in wanted])
            held = _held(run, list(known.values()))
            fresh = {key: item for key, item in wanted.items() if (known.get(key[0]), key[1]) not in held}
            new = {arch: item for (arch, _), item in fresh.items() if arch not in known}
            known |= {arch: number for number, arch in enumerate(new, start=run.row["architectures"])}
            if new:
                rows = [
                    {
                        "run": run.id,
                        "number": known[arch],
                        "digest": arch,
                        "arch": item.arch,
                        "canonical": item.canonical,
                    }
                    for arch, item in new.items()
                ]
                run.connection.execute(candidates.insert(), rows)
            start = run.row["asked"]
            if fresh:
                run.connection.execute(
                    evaluations.insert(),
                    [
                        {
                            "run": run.id,
                            "position": position,
                            "candidate": known[arch],
                            "conditions": under,
                            "fidelity": item.fidelity,
                            "seed": item.seed,
                            "budget": item.budget,
                            "settings": item.settings,
                            "failed": "",
                        }
                        for position, ((arch, under), item) in enumerate(fresh.items(), start=start)
                    ],
                )
            run.add(asked=len(fresh), architectures=len(new))
        return [_asked(position, item) for position, item in enumerate(fresh.values(), start=start)]

    def tell(
        self,
        identifier: str,
        outcomes: Sequence[Outcome | tuple[int, Mapping[str, float], Mapping[str, float]]],
        strategy_state: Mapping[str, Any] | None = None,
        *,
        summary: Mapping[str, Any] | None = None,
        engine: str | None = None,
    ) -> None:
        """Write what came of evaluations; one that has scores, or failed, already keeps that.

        Args:
            identifier: the run.
            outcomes: by position; a failed one counts among the failed, and is read by the cursor like the others.
            strategy_state: the state of the task behind them.
            summary: what lists show of the run's results.
            engine: who writes.

        Raises:
            LeaseLost: `engine` is given and does not hold the run.
        """
        told: dict[int, Outcome] = {}
        for outcome in (Outcome(*row) for row in outcomes):
            told.setdefault(outcome.position, outcome)
        with self._locked(identifier, engine) as run:
            if strategy_state is not None:
                run.keep_state(strategy_state)
            if summary is not None:
                run.set(summary=dict(summary))
            known = _failures(run, list(told), scored=False)
            news = [outcome for position, outcome in told.items() if position in known]
            _write(run, news, {outcome.position: n for n, outcome in enumerate(news, start=run.row["cursor"] + 1)})
            failed = sum(bool(outcome.failed) for outcome in news)
            run.add(cursor=len(news), failed=failed, scored=len(news) - failed)

    def tell_again(
        self,
        identifier: str,
        outcomes: Sequence[Outcome | tuple[int, Mapping[str, float], Mapping[str, float]]],
        *,
        engine: str | None = None,
    ) -> None:
        """Write new outcomes over those of scored or failed evaluations, which keep their order.

        The log says so (`rescored`), for those who read by cursor.

        Raises:
            LeaseLost: `engine` is given and does not hold the run.
        """
        told = {outcome.position: outcome for outcome in (Outcome(*row) for row in outcomes)}
        with self._locked(identifier, engine) as run:
            known = _failures(run, list(told), scored=True)
            news = [outcome for position, outcome in told.items() if position in known]
            _write(run, news, {position: number for position, (number, _) in known.items()})
            more = sum(bool(told[position].failed) - bool(failed) for position, (_, failed) in known.items())
            run.add(failed=more, scored=-more)
            run.append(RESCORED, [{"candidates": len(outcomes)}], time.time())

    # reading --------------------------------------------------------------------------------------------------------

    def pending(self, identifier: str) -> list[CandidateRow]:
        """Evaluations asked for that have neither scores nor failed yet, in the order asked."""
        query = _rows().where(evaluations.c.run == identifier, evaluations.c.scored.is_(None))
        return self._read(query.order_by(evaluations.c.position))

    def generation(self, identifier: str, start: int) -> list[CandidateRow]:
        """Evaluations from position `start` on, scored or not, in the order asked."""
        query = _rows().where(evaluations.c.run == identifier, evaluations.c.position >= start)
        return self._read(query.order_by(evaluations.c.position))

    def candidates(self, identifier: str, after: int = 0, *, most: int | None = None) -> list[CandidateRow]:
        """Scored and failed evaluations behind the cursor `after` (their `scored` number), in order of scoring.

        With `most`, only so many of them: who goes on behind the last one reads a long run in portions.
        """
        query = _rows().where(evaluations.c.run == identifier, evaluations.c.scored > after)
        return self._read(query.order_by(evaluations.c.scored).limit(most))

    def candidates_of(self, identifiers: Sequence[str]) -> dict[str, list[CandidateRow]]:
        """Scored and failed evaluations of several runs at once, by run, in order of scoring."""
        found: dict[str, list[CandidateRow]] = {identifier: [] for identifier in identifiers}
        with self._reading() as connection:
            for some in portions(list(found)):
                query = _rows().where(evaluations.c.run.in_(some), evaluations.c.scored.is_not(None))
                for run, *columns in connection.execute(query.order_by(evaluations.c.scored)):
                    found[run].append(_candidate(*columns))
        return found

    def table(self, identifier: str) -> pd.DataFrame:
        """Every scored evaluation by position: position, arch, canonical, scored and one column a score.

        Where some are on a rung of their own, also fidelity, seed and budget. Those that failed are left out.
        """
        rows = [row for row in self.candidates(identifier) if not row.failed]
        rows.sort(key=lambda row: row.position)
        plain = ["position", "arch", "canonical", "scored"]
        if any(row.fidelity or row.seed or row.budget is not None for row in rows):
            plain += _CONDITIONS
        named = [{**{name: getattr(row, name) for name in plain}, **(row.values or {})} for row in rows]
        return pd.DataFrame(named, columns=None if rows else plain)

    def _read(self, query: Select) -> list[CandidateRow]:
        with self._reading() as connection:
            return [_candidate(*columns) for _, *columns in connection.execute(query)]


def _rows() -> Select:
    here = (candidates.c.run == evaluations.c.run) & (candidates.c.number == evaluations.c.candidate)
    columns = ("values", "seconds", "scored", "fidelity", "seed", "budget", "settings", "standard_error", "failed")
    return select(
        evaluations.c.run,
        evaluations.c.position,
        candidates.c.arch,
        candidates.c.canonical,
        *(evaluations.c[name] for name in columns),
    ).join_from(evaluations, candidates, here)


def _candidate(position: int, arch: str, canonical: str, values: Any, seconds: Any, *rest: Any) -> CandidateRow:
    return CandidateRow(position, arch, canonical, numbers(values), seconds, *rest)


def _asked(position: int, item: Asked) -> CandidateRow:
    return CandidateRow(
        position,
        item.arch,
        item.canonical,
        fidelity=item.fidelity,
        seed=item.seed,
        budget=item.budget,
        settings=item.settings,
    )


def _numbers(run: LockedRun, archs: Sequence[str]) -> dict[str, int]:
    """Numbers of those architectures, told by digest, that the run holds."""
    found: dict[str, int] = {}
    for some in portions(archs):
        query = select(candidates.c.digest, candidates.c.number)
        query = query.where(candidates.c.run == run.id, candidates.c.digest.in_(some))
        found |= {arch: number for arch, number in run.connection.execute(query)}
    return found


def _held(run: LockedRun, architectures: Sequence[int]) -> set[tuple[int | None, str]]:
    """The evaluations of these architectures, by number and conditions."""
    found: set[tuple[int | None, str]] = set()
    for some in portions(architectures):
        query = select(evaluations.c.candidate, evaluations.c.conditions)
        query = query.where(evaluations.c.run == run.id, evaluations.c.candidate.in_(some))
        found |= {(number, under) for number, under in run.connection.execute(query)}
    return found


def _failures(run: LockedRun, positions: Sequence[int], *, scored: bool) -> dict[int, tuple[int | None, str]]:
    """Number of the scoring and reason of a failure of those positions that are scored, or that are not."""
    column = evaluations.c.scored
    found: dict[int, tuple[int | None, str]] = {}
    for some in portions(positions):
        query = select(evaluations.c.position, column, evaluations.c.failed)
        query = query.where(evaluations.c.run == run.id, evaluations.c.position.in_(some))
        query = query.where(column.is_not(None) if scored else column.is_(None))
        found |= {position: (number, failed) for position, number, failed in run.connection.execute(query)}
    return found


def _write(run: LockedRun, outcomes: Sequence[Outcome], scored: Mapping[int, int | None]) -> None:
    if not outcomes:
        return
    rows = [
        {
            "of_run": run.id,
            "at": outcome.position,
            "new_values": {} if outcome.failed else jsonable(outcome.values),
            "new_seconds": jsonable(outcome.seconds),
            "new_standard_error": outcome.standard_error,
            "new_failed": outcome.failed,
            "new_scored": scored[outcome.position],
        }
        for outcome in outcomes
    ]
    run.connection.execute(_WRITE, rows)
