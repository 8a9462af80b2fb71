"""One search on its way: steering folded before every ask, a generation scored, then told in the order asked.

A generation is the unit of recovery. What was asked is written with the strategy's state in one transaction, so a
crash at any instant leaves either the state before the ask, or the state after it and the candidates still to score.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from nas_core import search
from nas_core.engine import _analyst as analyst
from nas_core.engine._plan import Plan, is_due
from nas_core.engine._pool import WorkerPool
from nas_core.engine._training import Moment, OneArchitecture
from nas_core.ladder import AGGREGATE, WEIGHTS_STEP
from nas_core.predict import rank_sum_so_far
from nas_core.spaces import Act, Steering
from nas_core.store import CandidateRow, LeaseLost, LogEntry, RunRow, Store

if TYPE_CHECKING:
    from nas_core.scoring import CandidateScore

STACK = 16
"""Candidates a worker gets at a time: it runs them side by side, and results still come every fraction of a second."""

_POLL_SECONDS = 0.1
_FRUITLESS_ASKS = 100

Interrupted = Callable[[], bool]


@dataclass(frozen=True)
class _Errand:
    """Candidates to score on the workers, by which proxies beside the weights, and how to write what comes."""

    rows: list[CandidateRow]
    proxies: list[str]
    write: Callable[[list[CandidateRow], list[CandidateScore], Plan], None]


class RunningSearch:
    """A leased run. Its configuration:

    strategy, proxies, rank_by (the score a strategy learns from, else the first; `aggregate` for all),
    settings (a `ScoreSettings` as a dictionary), budget (candidates; none for the whole space), seed, batch,
    script (acts and sizes of asks of a session to replay), analyst (whether the scripted analyst steers),
    costs (closed forms or proxies that a multi-objective strategy keeps low), template (the document of a space made
    by its user), supernet (a `SupernetSettings` as a dictionary: weights are trained first, and candidates are then
    scored on them; with its `arch`, one network is trained alone).
    """

    def __init__(self, store: Store, identifier: str, engine: str, pool: WorkerPool) -> None:
        self.identifier = identifier
        self._store, self._engine, self._pool = store, engine, pool
        self._strategy: search.Strategy | None = None
        self._told = 0
        self._course: dict[str, list[list[float]]] = {}
        self._training: dict[str, float] = {}
        self._settings: dict[str, Any] = {}
        self._weights: bytes | None = None
        self._fruitless = 0
        self._reported: set[int] = set()

    def advance(self, interrupted: Interrupted) -> bool:
        """One generation further; False once the run is no longer to be worked on.

        Raises:
            LeaseLost: another engine holds the run.
            ValueError: the configuration, or an architecture, cannot be worked with.
        """
        self._store.set_state(self.identifier, "running", expected=("queued",))
        run = self._store.run(self.identifier)
        if run.engine != self._engine:
            raise LeaseLost(f"run {self.identifier} is held by {run.engine}")
        if run.state != "running":
            return run.state == "queued"
        plan = Plan(run)
        strategy = self._strategy or self._resume(run, plan)
        generation = self._store.generation(self.identifier, self._told)
        if not generation:
            step = int(self._training["step"])
            if plan.supernet is not None and self._training["epochs"] < plan.epochs(run.asked, step):
                self._train(run, plan, strategy)
                return True
            if plan.supernet is not None and self._training.get("told") != step:
                return self._score_again(plan, strategy, interrupted)
            budget = plan.budget
            n = plan.batch if budget is None else min(plan.batch, budget - run.asked)
            if n <= 0:
                return self._finish(f"budget of {budget} candidates reached")
            n = plan.script_asks.get(run.asked, n)
            acts = self._store.log(self.identifier, kind="act")
            if self._play(run, plan, acts):
                acts = self._store.log(self.identifier, kind="act")
            asked = strategy.ask(n, self._steering(plan, acts))
            if not asked:
                return self._finish(f"nothing new is left under the steering after {run.asked} candidates")
            generation = self._store.ask(
                self.identifier,
                [(plan.space.format(arch), plan.space.format(plan.space.canonical(arch))) for arch in asked],
                self._state(strategy, self._coursed(run.asked, n, len(acts), plan)),
                engine=self._engine,
            )
            self._fruitless = 0 if generation else self._fruitless + 1
            if self._fruitless >= _FRUITLESS_ASKS:
                return self._finish(f"{plan.strategy} proposes only what it has asked before")
        if not self._score(generation, plan, interrupted):
            return False
        self._tell(strategy, plan)
        return True

    def _resume(self, run: RunRow, plan: Plan) -> search.Strategy:
        stored = run.strategy_state or {}
        self._told = int(stored.get("told", 0))
        self._course = {"acts": [], "asks": [], "steps": [], "trainings": []} | (stored.get("course") or {})
        self._training = stored.get("training") or {"step": 0, "epochs": 0.0}
        self._settings = stored.get("supernet") or {}
        self._weights = self._store.file(self.identifier) if plan.supernet is not None else None
        if plan.arch is not None:
            self._strategy = OneArchitecture(plan.arch, stored.get("strategy"))
        else:
            self._strategy = search.get(plan.strategy, plan.space, plan.seed, stored.get("strategy"))
        return self._strategy

    def _state(self, strategy: search.Strategy, course: dict[str, list[list[float]]]) -> dict[str, Any]:
        """Everything that a resumed run goes on from, but for weights and candidates."""
        return {
            "told": self._told,
            "strategy": strategy.state(),
            "course": course,
            "training": self._training,
            "supernet": self._settings,  # with the defaults of the day: a replay trains by them, whatever they are then
        }

    def _train(self, run: RunRow, plan: Plan, strategy: search.Strategy) -> None:
        """Train the weights a moment further, under the acts in force, and keep them with their loss curve."""
        assert plan.supernet is not None
        step = int(self._training["step"])
        epochs = plan.epochs(run.asked, step)
        acts = self._store.log(self.identifier, kind="act")
        if self._play(run, plan, acts, step):
            acts = self._store.log(self.identifier, kind="act")
        steering = self._steering(plan, acts)
        held = self._course["steps"][-1][1] if self._course["steps"] else 0
        if len(acts) != held:
            self._course["steps"].append([step, len(acts)])
        budgets = self._course["trainings"]
        if not budgets or budgets[-1][-1] != epochs:  # the learning rate follows the budget
            budgets.append([run.asked, step, epochs])
        in_force = [act.to_dict() for act in steering.acts]
        until = plan.next_step(run.asked, step)
        try:
            found = self._pool.train(Moment(plan.supernet, epochs, in_force, self._weights, until)).result()
        except BrokenExecutor as error:
            self._pool.replace(error)
            return
        self._pool.delivered()
        self._weights = found.weights
        self._settings = {name: value for name, value in found.settings.items() if name not in ("space", "template")}
        self._training["step"] = found.step
        if found.finished:
            self._training["epochs"] = epochs
        message = f"trained {found.epoch:.3g} of {epochs:g} epochs"
        if found.losses:
            message += f", validation loss {found.losses[-1]['validation']:.3g}"
        self._store.trained(
            self.identifier,
            found.weights,
            found.losses,
            self._state(strategy, self._course),
            "" if found.finished else message,
            engine=self._engine,
        )

    def _finish(self, message: str) -> bool:
        """Mark the run finished, unless a command came in between; True where it is to go on."""
        return not self._store.set_state(self.identifier, "finished", message, expected=("running",))

    def _play(self, run: RunRow, plan: Plan, acts: list[LogEntry], step: int | None = None) -> int:
        """Append the acts that a script, or the scripted analyst, makes before this ask; a kill repeats none.

        While weights are trained, `step` says how far they are. `acts` is the log of acts as it stands; returns how
        many were appended.
        """
        made = sum("scripted" in entry.body for entry in acts)
        due = [entry["act"] for entry in plan.script_acts if is_due(entry, run.asked, step)][made:]
        if plan.analyst and step is None and made < run.asked // plan.batch:
            steering, _ = Steering.settle(plan.space, [Act.from_dict(entry.body) for entry in acts])
            act = analyst.next_act(
                self._store, self.identifier, plan.space, steering, plan.rank_by, plan.higher_is_better
            )
            due += [] if act is None else [act.to_dict()]
        for number, body in enumerate(due, start=made):
            self._store.append(self.identifier, "act", {**body, "scored": run.scored, "scripted": number})
        return len(due)

    def _coursed(self, asked: int, size: int, acts: int, plan: Plan) -> dict[str, list[list[float]]]:
        """When acts took effect and which asks were no whole batch: what a session script is made of."""
        held = self._course["acts"][-1][1] if self._course["acts"] else 0
        if acts != held:
            self._course["acts"].append([asked, acts])
        if size != plan.batch:
            self._course["asks"].append([asked, size])
        return self._course

    def _steering(self, plan: Plan, entries: list[LogEntry]) -> Steering:
        """Every act in force; an act that cannot hold together with earlier ones is left out and reported."""
        acts = [Act.from_dict(entry.body) for entry in entries]
        steering, refused = Steering.settle(plan.space, acts)
        for position, reason in refused.items():
            entry = entries[position]
            if entry.id not in self._reported:
                self._reported.add(entry.id)
                body = {"refused": entry.id, "act": acts[position].describe(), "message": reason}
                self._store.append(self.identifier, "event", body)
        return steering

    def _score_again(self, plan: Plan, strategy: search.Strategy, interrupted: Interrupted) -> bool:
        """After more training, score earlier candidates on the weights as they are now, and tell the strategy anew.

        Values of two states of the weights cannot be compared. False where the run was interrupted.
        """
        step = self._training["step"]
        rows = self._store.generation(self.identifier, 0)
        stale = [row for row in rows if (row.values or {}).get(WEIGHTS_STEP) != step]
        if stale:
            word = "candidate" if len(stale) == 1 else "candidates"
            message = f"scores {len(stale)} {word} again, on the weights as they are now"
            self._store.set_state(self.identifier, "running", message, expected=("running",))
            if not self._carry_out(_Errand(stale, [], self._write_again), plan, interrupted):
                return False
            self._store.set_state(self.identifier, "running", expected=("running",))
        if rows:  # also where an interruption fell between the last score and this
            self._told = 0
            self._tell(strategy, plan)
        self._training["told"] = step
        return True

    def _score(self, generation: list[CandidateRow], plan: Plan, interrupted: Interrupted) -> bool:
        """Score what has no scores yet, writing each result as it arrives; False where the run was interrupted."""
        rows = [row for row in generation if row.scored is None]
        known = self._store.cached(plan.space.name, [row.canonical for row in rows], plan.scores, plan.settings_key)
        waiting: list[CandidateRow] = []
        cached: list[tuple[int, dict[str, float], dict[str, float]]] = []
        for row in rows:
            values = {name: known[row.canonical, name] for name in plan.scores if (row.canonical, name) in known}
            if len(values) == len(plan.scores):
                cached.append((row.position, values, dict.fromkeys(plan.scores, 0.0)))
            else:
                waiting.append(row)
        if cached:
            self._store.tell(self.identifier, cached, engine=self._engine)
        return self._carry_out(_Errand(waiting, plan.proxies, self._write), plan, interrupted)

    def _carry_out(self, errand: _Errand, plan: Plan, interrupted: Interrupted) -> bool:
        """Score on the workers, writing each result as it arrives; False where the run was interrupted."""
        waiting = errand.rows
        # As many groups as workers, so that the last of a generation does not keep all but one of them waiting.
        size = min(STACK, max(1, -(-len(waiting) // self._pool.workers)))
        groups = [waiting[k : k + size] for k in range(0, len(waiting), size)]
        running: dict[Future[list[CandidateScore]], list[CandidateRow]] = {}
        goes_on, checked = True, 0.0
        try:
            while groups or running:
                if goes_on and time.monotonic() - checked > _POLL_SECONDS:
                    goes_on, checked = not interrupted() and self._wanted(), time.monotonic()
                if not goes_on:
                    groups.clear()
                    running = {future: rows for future, rows in running.items() if not future.cancel()}
                broken = self._submit(groups, running, errand, plan) or self._collect(running, groups, errand, plan)
                if broken is not None:
                    groups[:0] = running.values()
                    running.clear()
                    self._pool.replace(broken)
        finally:
            for future in running:
                future.cancel()
        return goes_on and not interrupted() and self._wanted()

    def _submit(
        self,
        groups: list[list[CandidateRow]],
        running: dict[Future[list[CandidateScore]], list[CandidateRow]],
        errand: _Errand,
        plan: Plan,
    ) -> BrokenExecutor | None:
        """Keep every worker busy and one group more at hand."""
        try:
            while groups and len(running) < self._pool.workers + 1:
                archs = [plan.space.parse(row.arch) for row in groups[0]]
                weights = self._weights if plan.supernet is not None else None
                future = self._pool.submit(
                    plan.space.name, archs, errand.proxies, plan.settings, template=plan.template, weights=weights
                )
                running[future] = groups.pop(0)
        except BrokenExecutor as error:
            return error
        return None

    def _collect(
        self,
        running: dict[Future[list[CandidateScore]], list[CandidateRow]],
        groups: list[list[CandidateRow]],
        errand: _Errand,
        plan: Plan,
    ) -> BrokenExecutor | None:
        """Write what has arrived; the broken executor where a worker was lost."""
        done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            rows = running[future]
            try:
                scores = future.result()
            except BrokenExecutor as error:
                return error
            except CancelledError:
                del running[future]
                groups.append(rows)
                continue
            except Exception as error:
                named = rows[0].arch + (f" or one of {len(rows) - 1} more" if len(rows) > 1 else "")
                raise ValueError(f"{str(error) or type(error).__name__} (scoring {named})") from error
            del running[future]
            self._pool.delivered()
            errand.write(rows, scores, plan)
        return None

    def _write(self, rows: list[CandidateRow], scores: list[CandidateScore], plan: Plan) -> None:
        """Keep first scores, and in the cache those that outlast the run."""
        self._store.remember_all(
            plan.space.name,
            plan.settings_key,
            [(row.canonical, plan.lasting(s.values), s.seconds, s.layers) for row, s in zip(rows, scores, strict=True)],
        )
        results = [(row.position, found.values, found.seconds) for row, found in zip(rows, scores, strict=True)]
        self._store.tell(self.identifier, results, engine=self._engine)

    def _write_again(self, rows: list[CandidateRow], scores: list[CandidateScore], plan: Plan) -> None:
        """Put new scores on the weights in the place of the old ones; those of no weights stay."""
        results = [
            (row.position, {**(row.values or {}), **found.values}, {**(row.seconds or {}), **found.seconds})
            for row, found in zip(rows, scores, strict=True)
        ]
        self._store.tell_again(self.identifier, results, engine=self._engine)

    def _wanted(self) -> bool:
        """Whether this engine still holds the run and no command stopped it."""
        status = self._store.status(self.identifier)
        return status is not None and status[0] in ("queued", "running") and status[1] == self._engine

    def _tell(self, strategy: search.Strategy, plan: Plan) -> None:
        """Tell the whole generation in the order asked, with values turned so that higher is better."""
        rows = self._store.generation(self.identifier, self._told)
        archs = [plan.space.parse(row.arch) for row in rows]
        values, costs = self._values(rows, plan), plan.costs_of(archs, rows)
        strategy.tell([search.Result(*found) for found in zip(archs, values, costs, strict=True)])
        self._told += len(rows)

    def _values(self, rows: list[CandidateRow], plan: Plan) -> list[float]:
        """What the strategy learns of the last generation: higher is better.

        An aggregate ranks it among all candidates so far.
        """
        if plan.rank_by != AGGREGATE:
            values = [(row.values or {}).get(plan.rank_by, math.nan) for row in rows]
            return values if plan.higher_is_better else [-value for value in values]
        known = [row.values or {} for row in self._store.generation(self.identifier, 0)]
        table = pd.DataFrame(known[: rows[-1].position + 1] if rows else [], columns=plan.scores, dtype=float)
        return [float(value) for value in rank_sum_so_far(table, plan.lower_is_better)[len(table) - len(rows) :]]
