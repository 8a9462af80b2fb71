"""What the pages read: a run as arrays over its space, cached by cursor. Writes acts and commands only."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from app import layer_names
from app.labels import lower_is_better
from app.preview import Preview, preview
from app.space_table import SpaceTable, space_table
from app.truth import Truth, truth_of, truths_of
from nas_core import proxies, spaces
from nas_core.config import ALONE as ALONE_TASK
from nas_core.config import Objective, RunConfig
from nas_core.ladder import AGGREGATE, RUNGS, TRAINED, rung
from nas_core.predict import aggregate, block_fitness
from nas_core.spaces import Act, Architecture, Steering, SteeringConflict
from nas_core.store import RESCORED, LogEntry, LogMoved, RunRow, Store, twin

DEFAULT_SPACE = "nb201"
DEFAULT_CONFIG = RunConfig(space=DEFAULT_SPACE, strategy="scan", budget=6466, batch=32)
"""The run of an empty store: every distinct network of the space, scored on the embedded images."""


UNDERWAY = ("queued", "running")
"""States of a run that an engine works on, or will."""
MOST_EPOCHS = 1000
ALONE = {"learning_rate": 0.1, "channels": 16}
"""What a network trained alone has otherwise than shared weights: a width of its own, and a rate for one path."""


@dataclass
class RunValues:
    """Scores of a run read so far, by the order of scoring; `rescored` counts how often some were written again."""

    cursor: int = 0
    rescored: int = 0
    indices: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Candidates that could not be scored, by their notation, with the reason."""
    table: SpaceTable | None = None
    """That of the space, and behind it what the run asked for beyond a sample of it."""


@dataclass(frozen=True)
class View:
    """A run at one moment: its row, steering, acts, and scored candidates as arrays."""

    run: RunRow
    table: SpaceTable
    steering: Steering
    acts: list[LogEntry]
    refused: dict[int, str]
    indices: np.ndarray
    values: dict[str, np.ndarray]
    seconds: dict[str, np.ndarray]
    version: tuple[int, int]
    """Candidates read, and how often scores were written again: two views of one version have the same scores."""
    trained: dict[str, float] = field(default_factory=dict)
    """Held-out accuracy, in percent, of architectures that were trained alone for this run, by their notation."""
    training: dict[str, str] = field(default_factory=dict)
    """The last run that was made to train an architecture alone for this run, by its notation."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Candidates that could not be scored, by their notation, with the reason."""

    @property
    def rank_by(self) -> str:
        """The score that ranks this run."""
        return self.run.rank_by

    @cached_property
    def networks(self) -> np.ndarray:
        """The network (n,) of every scored candidate, as its place in the space: equal where two are the same one."""
        return self.table.canonical[self.indices]

    @property
    def ranked(self) -> np.ndarray:
        """Values of the ranking score, in the order of scoring, with the sign that makes higher better."""
        return self.oriented(self.rank_by)

    def oriented(self, metric: str) -> np.ndarray:
        """`metric` of the scored candidates, in the order of scoring, with the sign that makes higher better."""
        values = self.over_space(metric)[self.indices]
        return -values if metric in lower_is_better() else values

    def milliseconds(self, metric: str) -> float:
        """Mean time `metric` took an architecture; NaN for closed forms and scores that came from the cache."""
        taken = self.seconds.get(metric, np.zeros(0))
        taken = taken[taken > 0]
        return 1000 * float(taken.mean()) if len(taken) else float("nan")

    def over_space(self, metric: str) -> np.ndarray:
        """`metric` for every architecture of the space; NaN where it is not known yet."""
        if metric in self.table.closed:
            return self.table.closed[metric].to_numpy(dtype=float)
        if metric not in self.values and "/" in metric:
            recorded = truth_of(self.table.space.name, metric)
            if recorded is not None and recorded.choice == metric:
                return recorded.over(self.table)
        known = np.full(len(self.table.archs), np.nan)
        if metric == AGGREGATE:
            known[self.networks] = self.aggregate
        elif metric in self.values:
            known[self.networks] = self.values[metric]
        return known[self.table.canonical]

    @cached_property
    def aggregate(self) -> np.ndarray:
        """The aggregate of the run's own scores, in the order of scoring: what ranks a run by several scores."""
        own = self.own_scores
        return aggregate(own, tuple(lower_is_better())) if len(own.columns) else np.full(len(self.indices), np.nan)

    @property
    def own_scores(self) -> pd.DataFrame:
        """The scores that the run asked for (n, scores), in the order of scoring, as they were computed."""
        return pd.DataFrame({name: self.values[name] for name in self.run.config.scores if name in self.values})

    @property
    def shown(self) -> list[str]:
        """The metrics, and what ranks the run where it is none of them."""
        return self.metrics if self.rank_by in self.metrics else [self.rank_by, *self.metrics]

    @property
    def metrics(self) -> list[str]:
        """Scores of the run first, then the closed forms."""
        names = list(self.run.config.scores)
        names += [TRAINED] if TRAINED in self.values and TRAINED not in names else []
        return names + [str(c) for c in self.table.closed if c not in names]

    @cached_property
    def blocks(self) -> pd.DataFrame:
        """Fitness of every block, see `block_fitness`."""
        archs = self.table.archs[self.indices]
        return block_fitness(self.table.space.decisions, archs, self.ranked, networks=self.networks)

    @cached_property
    def kept(self) -> np.ndarray:
        """Which architectures of the space obey the steering: bool (n,)."""
        return self.steering.mask(self.table.archs)

    def rungs(self) -> np.ndarray:
        """How the best known value of every architecture was obtained: index into `RUNGS`, uint8 (n,)."""
        scored = np.zeros(len(self.table.archs), dtype=np.uint8)
        for name, values in self.values.items():
            known = self.indices[~np.isnan(values)]
            places = self.table.canonical[known]
            scored[places] = np.maximum(scored[places], RUNGS.index(rung(name)))
        return scored[self.table.canonical]

    def rung(self, metric: str) -> str:
        """The rung of the evaluation ladder that `metric` stands on."""
        return RUNGS[0] if metric in self.table.closed else rung(metric)

    def preview(self, after: Steering) -> Preview:
        """What another steering would remove; by exact counts where the map shows a sample only."""
        seen = preview(self.steering, after, self.table.archs, self.indices, self.ranked)
        if not self.table.sampled:
            return seen
        before, left = (self.table.space.count(steering).value for steering in (self.steering, after))
        return replace(seen, removed=before - left, share=(before - left) / max(before, 1))

    def in_force(self) -> list[tuple[int, Act]]:
        """Acts not undone, with their number in the log of acts."""
        acts = [Act.from_dict(entry.body) for entry in self.acts]
        undone = {act.target for act in acts if act.kind == "undo"}
        return [(k, act) for k, act in enumerate(acts) if act.kind != "undo" and k not in undone]


class Cockpit:
    """The app's side of the store. One instance an app; safe to use from many request threads."""

    def __init__(self, store: Store, engine_problem: Callable[[], str] = str) -> None:
        self.store = store
        self.engine_problem = engine_problem
        """What is wrong with the engine beside the app, in one line; empty where nothing is."""
        self._read: dict[str, RunValues] = {}
        self._views: dict[str, View] = {}
        self._lock = threading.Lock()

    def ensure_run(self) -> str:
        """The newest run; on an empty store a first one on the embedded data is made."""
        with self._lock:
            runs = self.store.runs()
            return runs[0].id if runs else self.store.create_run(DEFAULT_CONFIG, "cells on digits")

    def holds(self, identifier: str) -> bool:
        """Whether the store has this run, or has it still."""
        return self.store.status(identifier) is not None

    def view(self, identifier: str) -> View:
        """The run as it stands now."""
        run = self.store.run(identifier)
        acts = self.store.log(identifier, kind="act")
        trainings = self._trainings(identifier)
        trained = self._accuracies(trainings)
        training = {str(entry.body["arch"]): str(entry.body["run"]) for entry in trainings}
        rescored = self.store.log_counts(identifier).get(RESCORED, 0) if run.config.supernet is not None else 0
        with self._lock:
            read = self._read.get(identifier)
            if read is None or read.rescored < rescored:
                read = self._read[identifier] = RunValues(rescored=rescored, table=read.table if read else None)
            behind = run.scored + run.failed > len(read.indices) + len(read.failed)
            rows = self.store.candidates(identifier, after=read.cursor) if behind else []
            table = read.table = (read.table or space_table(run.space)).with_texts([row.arch for row in rows])
            for row in rows:
                read.cursor = row.scored or read.cursor
                if row.failed:
                    read.failed = {**read.failed, row.arch: row.failed}
                    continue
                read.indices.append(table.index[row.arch])
                for name in run.config.scores:
                    read.values.setdefault(name, []).append((row.values or {}).get(name, float("nan")))
                    read.seconds.setdefault(name, []).append((row.seconds or {}).get(name, 0.0))
            indices = np.array(read.indices, dtype=int)
            values = {name: np.array(column) for name, column in read.values.items()}
            seconds = {name: np.array(column) for name, column in read.seconds.items()}
            version = (read.cursor, read.rescored)
        if trained:
            values[TRAINED] = np.array([trained.get(table.texts[k], math.nan) for k in indices])
        seen = self._views.get(identifier)
        if (
            seen is not None
            and (seen.version, len(seen.acts), seen.trained, seen.training) == (version, len(acts), trained, training)
            and (seen.run.state, seen.run.message, seen.run.config) == (run.state, run.message, run.config)
        ):
            return seen  # the views of one pulse share what they derive
        steering, refused = Steering.fold_compatible(table.space, [Act.from_dict(entry.body) for entry in acts])
        view = View(
            run, table, steering, acts, refused, indices, values, seconds, version, trained, training, read.failed
        )
        if seen is not None and seen.version == version and "blocks" in vars(seen):
            vars(view)["blocks"] = seen.blocks  # an act changes what is allowed, not what is known of a block
        self._views[identifier] = view
        return view

    def trained(self, identifier: str) -> dict[str, float]:
        """Accuracies of the architectures that were trained alone for a run, by their notation."""
        return self._accuracies(self._trainings(identifier))

    def _accuracies(self, trainings: Sequence[LogEntry]) -> dict[str, float]:
        runs = [str(entry.body["run"]) for entry in trainings]
        rows = [row for held in self.store.candidates_of(runs).values() for row in held] if runs else []
        return {row.arch: (row.values or {}).get(TRAINED, math.nan) for row in rows}

    def train(self, identifier: str, text: str, epochs: float) -> str:
        """Make and start a run that trains one architecture alone; what to tell the user.

        Raises:
            ValueError: no architecture of the run's space, epochs that are no positive number, or the same training
                is on its way.
        """
        run = self.store.run(identifier)
        space = spaces.get(run.space)
        arch = space.format(space.parse(text))
        if not isinstance(epochs, int | float) or not 0 < epochs <= MOST_EPOCHS:
            raise ValueError(f"epochs: got {epochs!r}, expected a number above 0, at most {MOST_EPOCHS}")
        base = run.config.supernet or {"data": run.config.settings.data, "seed": run.config.seed}
        config = RunConfig(
            space=run.space,
            task=ALONE_TASK,
            scores=(TRAINED,),
            objective=Objective(score=TRAINED),
            settings=run.config.settings,
            budget=1,
            seed=run.config.seed,
            template=run.config.template,
            supernet={**base, **ALONE, "epochs": float(epochs), "arch": arch},
            parent=identifier,
        )
        with self._lock:  # of two quick presses the second finds the first
            for entry in self._trainings(identifier):
                same = (entry.body["arch"], entry.body["epochs"]) == (arch, epochs)
                if same and (self.store.status(entry.body["run"]) or ("",))[0] in UNDERWAY:
                    name = self.store.run(entry.body["run"]).name
                    raise ValueError(
                        f"this network is being trained for {epochs:g} epochs already: see the run “{name}”"
                    )
            other = self.store.create_run(config, f"{epochs:g} epochs alone: {arch}"[:80])
            self.store.append(identifier, "training", {"run": other, "arch": arch, "epochs": epochs})
            self.store.command(other, "start")
        beside = " beside this run" if run.state in UNDERWAY else ""
        return f"Training for {epochs:g} epochs{beside}."

    def acts_in_force(self, run: RunRow) -> int:
        """How many acts of a run are not undone."""
        if not run.acts:
            return 0
        acts = [Act.from_dict(entry.body) for entry in self.store.log(run.id, kind="act")]
        undone = {act.target for act in acts if act.kind == "undo"}
        return sum(act.kind != "undo" and number not in undone for number, act in enumerate(acts))

    def _trainings(self, identifier: str) -> list[LogEntry]:
        return self.store.log(identifier, kind="training")

    def act(self, identifier: str, act: Act) -> None:
        """Append a steering act once it is known to hold.

        Raises:
            SteeringConflict: with the reason.
        """
        run = self.store.run(identifier)
        space = spaces.get(run.space)
        while True:
            log = [Act.from_dict(entry.body) for entry in self.store.log(identifier, kind="act")]
            _, refused = Steering.fold_compatible(space, [*log, act])
            if len(log) in refused:
                raise SteeringConflict(refused[len(log)])
            try:
                self.store.append(identifier, "act", {**act.to_dict(), "scored": run.scored}, seen=len(log))
            except LogMoved:
                continue  # another browser acted in between: decide on the log as it is now
            return

    def twin(self, identifier: str) -> str:
        """Make and start the run that this one would have been without its acts; what to tell the user."""
        other = self.store.run(twin(self.store, identifier))
        if other.state == "finished":
            return f"“{other.name}” has run already."
        self.store.command(other.id, "resume" if other.state in ("paused", "stopped") else "start")
        return f"“{other.name}” runs: the same seed and budget without the acts."

    def layers(self, run: RunRow, arch: Architecture, score: str = "") -> pd.DataFrame:
        """Per-layer statistics of a score of the run, of the ranking one where none is named, for `arch`.

        Layers have the names that people give them, their modules' own stand in `module`; empty where not scored.
        """
        kept = self._kept(run, arch, score or run.rank_by)
        space = spaces.get(run.space)
        return layer_names.renamed(kept, space, space.canonical(arch), run.config.settings)

    def distributions(self, run: RunRow, arch: Architecture, score: str = "") -> pd.DataFrame:
        """Histograms of a score's statistics inside every layer of `arch`; empty where not computed yet.

        `score` is the ranking one where none is named; layers have the names of their modules.
        """
        return self._kept(run, arch, proxies.distribution_name(score or run.rank_by))

    def _kept(self, run: RunRow, arch: Architecture, score: str) -> pd.DataFrame:
        return self.store.layers(run.space, _canonical_text(run, arch), score, run.config.settings.key())

    def request_distributions(self, run: RunRow, archs: Sequence[Architecture], score: str = "") -> str:
        """Ask the engine for the distributions of `archs`, each once; why it could not, where it said so."""
        score = score or run.rank_by
        texts = [_canonical_text(run, arch) for arch in archs]
        asked = {
            entry.body["arch"]: entry.id
            for entry in self.store.log(run.id, kind="request")
            if entry.body.get("what", "distributions") == "distributions" and entry.body.get("proxy", score) == score
        }
        for text in texts:
            if text not in asked:
                body = {"what": "distributions", "arch": text, "proxy": score}
                asked[text] = self.store.append(run.id, "request", body)
        answers = {int(entry.body["request"]): entry.body["message"] for entry in self.store.log(run.id, kind="answer")}
        return next((answers[asked[text]] for text in texts if answers.get(asked[text])), "")

    @staticmethod
    def truth(space: str, choice: str | None = None) -> Truth | None:
        """The known results of a space that were chosen, the default where it has none of that name, or None."""
        return truth_of(space, choice)

    @staticmethod
    def truths(space: str, choice: str | None = None) -> list[Truth]:
        """The known results that were chosen, and others of their table that measure the same."""
        return truths_of(space, choice)


def _canonical_text(run: RunRow, arch: Architecture) -> str:
    space = spaces.get(run.space)
    return space.format(space.canonical(arch))
