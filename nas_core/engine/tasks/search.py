"""A search: steering folded before every ask, a generation scored, then told in the order asked.

A generation is the unit of recovery. What was asked is written with the strategy's state in one transaction, so a
crash at any instant leaves either the state before the ask, or the state after it and the candidates still to score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nas_core import proxies, search
from nas_core.costs import costs_of
from nas_core.engine.tasks import register
from nas_core.engine.tasks._scoring import Scored, Scoring
from nas_core.engine.tasks._session import SessionNotes, SessionScript
from nas_core.engine.tasks._steering import SteeringLog
from nas_core.engine.tasks._training import WeightsTraining
from nas_core.engine.tasks.base import Step, Task, TaskContext
from nas_core.ladder import WEIGHTS_STEP
from nas_core.search.objectives import ObjectiveKind
from nas_core.store import Asked, CandidateRow, Outcome, RunRow
from nas_core.workers import Failure

if TYPE_CHECKING:
    from nas_core.scoring import CandidateScore

_FRUITLESS_ASKS = 100
_HOPELESS = 16
"""Candidates that fail one after another, without a score before, until the run does."""
_POINTS = 40
"""Points of the curve that lists of runs show."""


@register("search")
class Search(Task):
    """Asks a strategy, scores what it asks for, tells it; with a supernet, trains shared weights first."""

    summary = "searches a space"

    def __init__(self, context: TaskContext) -> None:
        super().__init__(context)
        self.space = self.config.known_space
        self._told = int(self.saved.get("told", 0))
        self._notes = SessionNotes(self.saved.get("course"))
        self._script = SessionScript(self.config.script)
        self._steering = SteeringLog(context.store, context.identifier, self.config, self._script)
        self._scoring = Scoring(self)
        self._training = (
            WeightsTraining(self, self._scoring, self._notes, self._script)
            if self.config.supernet is not None
            else None
        )
        self._strategy = self.strategy()
        self._fruitless = 0
        self._curve: list[list[float]] = list(context.run().summary.get("curve", []))

    def strategy(self) -> search.Strategy:
        """The strategy, fresh or as it was when the run was left."""
        return search.get(self.config.strategy, self.space, self.config.seed, self.saved.get("strategy"))

    def steps(self) -> Iterator[Step]:
        """Generation by generation, to the end of the budget, or of the space."""
        store, identifier = self.context.store, self.context.identifier
        while True:
            store.set_state(identifier, "running", expected=("queued",))
            run = self.context.run()
            if run.state != "running":
                return
            self.config = run.config  # a budget may have been raised
            generation = store.generation(identifier, self._told)
            if not generation and self._training is not None:
                if self._training.due(run):
                    yield from self._training.moment(run, self._steering, self._state())
                    yield Step.MOVED
                    continue
                if self._training.progress.get("told") != self._training.step:
                    if not (yield from self._score_again(self._training)):
                        return
                    yield Step.MOVED
                    continue
            if not generation:
                ended = self._ask(run)
                if ended is None:
                    generation = store.generation(identifier, self._told)
                elif self._is_hopeless(at_the_end=True) or self.context.finish(ended):
                    return
                else:
                    continue
            if not (yield from self._score(generation)):
                return
            self._tell()
            if self._is_hopeless():
                return
            yield Step.MOVED

    # asking ----------------------------------------------------------------------------------------------------------

    def _ask(self, run: RunRow) -> str | None:
        """Ask the strategy for the next generation; why there is none, where there is none."""
        config = self.config
        n = config.batch if config.budget is None else min(config.batch, config.budget - run.asked)
        if n <= 0:
            return f"budget of {config.budget} candidates reached"
        n = self._script.size_of_ask(run.asked, n)
        acts = self._steering.read(run, proposed=self._strategy.acts())
        asked = self._strategy.ask(n, self._steering.fold(acts))
        if not asked:
            return f"nothing new is left under the steering after {run.asked} candidates"
        self._notes.note_ask(run.asked, n, len(acts), config.batch)
        rows = self.context.store.ask(
            self.context.identifier,
            [
                Asked(
                    self.space.format(ask.arch),
                    self.space.format(self.space.canonical(ask.arch)),
                    ask.fidelity,
                    ask.seed,
                    ask.budget,
                )
                for ask in asked
            ],
            self._state(),
            engine=self.context.engine,
        )
        self._fruitless = 0 if rows else self._fruitless + 1
        if self._fruitless >= _FRUITLESS_ASKS:
            return f"{config.strategy} proposes only what it has asked before"
        return None

    def _state(self) -> dict[str, Any]:
        """Everything that a resumed run goes on from, but for weights and candidates."""
        state = {"told": self._told, "strategy": self._strategy.state(), "course": self._notes.lists}
        return state | (self._training.state() if self._training is not None else {})

    # scoring ---------------------------------------------------------------------------------------------------------

    def _score(self, generation: Sequence[CandidateRow]) -> Generator[Step, None, bool]:
        """Score what has no scores yet; False where the task was left before."""
        store, config = self.context.store, self.config
        rows = [row for row in generation if row.scored is None]
        key = config.settings.key()
        known = store.cached(self.space.name, [row.canonical for row in rows], config.scores, key)
        waiting: list[CandidateRow] = []
        cached: list[Outcome] = []
        for row in rows:
            values = {name: known[row.canonical, name] for name in config.scores if (row.canonical, name) in known}
            if len(values) == len(config.scores):
                cached.append(Outcome(row.position, values, dict.fromkeys(config.scores, 0.0)))
            else:
                waiting.append(row)
        if cached:
            store.tell(self.context.identifier, cached, engine=self.context.engine)
        weights = self._training.weights if self._training is not None else None
        return (yield from self._scoring.carry_out(waiting, config.proxies, weights, self._write))

    def _write(self, scored: Scored) -> None:
        """Keep first scores, and in the cache those that outlast the run; a failure with its reason."""
        store = self.context.store
        lasting = [(row, found) for row, found in scored if not isinstance(found, Failure)]
        store.remember_all(
            self.space.name,
            self.config.settings.key(),
            [(row.canonical, self._lasting(found.values), found.seconds, found.layers) for row, found in lasting],
        )
        for k, single in enumerate(self.config.settings.single() if self.config.settings.seeds > 1 else ()):
            alone = [(row.canonical, {name: one[k] for name, one in found.by_seed.items()}) for row, found in lasting]
            store.remember_all(
                self.space.name, single.key(), [(text, self._lasting(values), {}, {}) for text, values in alone]
            )
        store.tell(
            self.context.identifier,
            [
                Outcome(row.position, {}, {}, failed=found.reason)
                if isinstance(found, Failure)
                else Outcome(row.position, found.values, found.seconds, self._standard_error(found))
                for row, found in scored
            ],
            engine=self.context.engine,
        )

    def _standard_error(self, found: CandidateScore) -> float | None:
        """The error that seeds leave in the mean that ranks; None where there is one seed, or several scores rank."""
        single = found.by_seed.get(self.config.rank_by, ()) if self.config.objective.kind is ObjectiveKind.SCORE else ()
        return float(np.std(single, ddof=1)) / len(single) ** 0.5 if len(single) > 1 else None

    def _lasting(self, values: dict[str, float]) -> dict[str, float]:
        """Those of `values` that depend on nothing but architecture and settings: what the cache may keep."""
        kept = (name for name in self.config.proxies if getattr(proxies.get(name), "reproducible", True))
        return {name: values[name] for name in kept if name in values}

    def _score_again(self, training: WeightsTraining) -> Generator[Step, None, bool]:
        """After more training, score earlier candidates on the weights as they are now, and tell the strategy anew.

        Values of two states of the weights cannot be compared. False where the task was left before.
        """
        store, identifier = self.context.store, self.context.identifier
        rows = store.generation(identifier, 0)
        known = [row for row in rows if row.scored is not None and not row.failed]
        stale = [row for row in known if (row.values or {}).get(WEIGHTS_STEP) != training.step]
        if stale:
            word = "candidate" if len(stale) == 1 else "candidates"
            message = f"scores {len(stale)} {word} again, on the weights as they are now"
            store.set_state(identifier, "running", message, expected=("running",))
            if not (yield from self._scoring.carry_out(stale, [], training.weights, self._write_again)):
                return False
            store.set_state(identifier, "running", expected=("running",))
        if rows:  # also where an interruption fell between the last score and this
            self._told = 0
            self._tell()
        training.progress["told"] = training.step
        return True

    def _write_again(self, scored: Scored) -> None:
        """Put new scores on the weights in the place of the old ones; those of no weights stay."""
        outcomes = [
            Outcome(row.position, {**(row.values or {}), **found.values}, {**(row.seconds or {}), **found.seconds})
            for row, found in scored
            if not isinstance(found, Failure)  # it keeps the scores that it has
        ]
        self.context.store.tell_again(self.context.identifier, outcomes, engine=self.context.engine)

    # telling ---------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Tell the whole generation in the order asked, with values of which more is better."""
        store, identifier = self.context.store, self.context.identifier
        rows = store.generation(identifier, self._told)
        if not rows:
            return
        archs = [self.space.parse(row.arch) for row in rows]
        table = self._table(rows)
        costs = costs_of(self.space, [row.arch for row in rows], self.config.objective.costs, table)
        values = self._values(rows, table, costs)
        pareto = self.config.objective.kind is ObjectiveKind.PARETO
        self._strategy.tell(
            [
                search.Result(
                    search.Ask(arch, row.fidelity, row.seed, row.budget),
                    scores=row.values or {},
                    value=float(value),
                    standard_error=row.standard_error,
                    costs=tuple(map(float, cost)) if pareto else (),
                    failed=row.failed,
                )
                for arch, row, value, cost in zip(archs, rows, values, costs, strict=True)
            ]
        )
        again = not self._told
        self._told += len(rows)
        self._summarise(values, again=again)

    def _table(self, rows: Sequence[CandidateRow]) -> pd.DataFrame:
        return pd.DataFrame([row.values or {} for row in rows], columns=list(self.config.scores), dtype=float)

    def _values(self, rows: Sequence[CandidateRow], table: pd.DataFrame, costs: np.ndarray) -> np.ndarray:
        """What the strategy learns of these candidates; an aggregate ranks them among all so far."""
        objective = self.config.objective
        if objective.kind is ObjectiveKind.AGGREGATE:
            known = self.context.store.generation(self.context.identifier, 0)[: rows[-1].position + 1]
            table, costs = self._table(known), np.empty((len(known), 0))
        return objective.values(table, costs, self.config.lower_is_better)[len(table) - len(rows) :]

    def _summarise(self, values: np.ndarray, *, again: bool) -> None:
        """Keep what lists of runs show: the best value so far and its curve, `[candidates, value]` at each step up."""
        curve = [] if again else self._curve
        known = values[np.isfinite(values)]
        if len(known) and (not curve or known.max() > curve[-1][1]):
            curve = [*curve, [self._told, float(known.max())]]
            curve = curve if len(curve) <= 2 * _POINTS else [*curve[:-1:2], curve[-1]]
        if curve != self._curve:
            self._curve = curve
            self.context.store.summarise(self.context.identifier, {"best": curve[-1][1], "curve": curve})

    def _is_hopeless(self, *, at_the_end: bool = False) -> bool:
        """Whether nothing of the run can be scored: then it fails, and says why."""
        run = self.context.run()
        enough = at_the_end or run.failed >= min(_HOPELESS, self.config.budget or _HOPELESS)
        if run.scored or not run.failed or not enough:
            return False
        reasons = Counter(row.failed for row in self.context.store.generation(self.context.identifier, 0) if row.failed)
        reason, number = reasons.most_common(1)[0]
        word = "candidate" if run.failed == 1 else "candidates"
        which = f"{number} of them: " if number < run.failed else ""
        self.context.fail(f"none of {run.failed} {word} could be scored; {which}{reason}")
        return True
