"""What the pages read: a run as arrays over its space, cached by cursor. Writes acts and commands only."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache

import numpy as np
import pandas as pd
from sklearn.manifold import trustworthiness

from nas_core import bench, proxies, spaces
from nas_core.predict import block_fitness
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import Act, Architecture, SearchSpace, Steering, SteeringConflict
from nas_core.store import LogEntry, LogMoved, RunRow, Store, twin

DEFAULT_SPACE = "nb201"
LARGEST_SPACE = 100_000
"""Architectures a map can hold; larger spaces cannot be opened in the browser yet."""
DEFAULT_CONFIG = {
    "strategy": "scan",
    "proxies": ["zico"],
    "rank_by": "zico",
    "settings": ScoreSettings.laptop().to_dict(),
    "budget": 6466,
    "seed": 0,
    "batch": 32,
}


RUNGS = ("closed form", "zero-cost")
"""The evaluation ladder as far as it is built, lowest first."""
_TRUST_SAMPLE = 1000


@dataclass(frozen=True)
class SpaceTable:
    """Every architecture of an enumerable space with what is known at once."""

    space: SearchSpace
    archs: np.ndarray
    texts: list[str]
    index: dict[str, int]
    canonical: np.ndarray
    closed: pd.DataFrame
    projection: np.ndarray
    trustworthiness: float
    """How far neighbours on the projection are neighbours in the encoding, 0 to 1, by a sample of 1,000."""


@lru_cache(maxsize=4)
def space_table(name: str) -> SpaceTable:
    """The table of space `name`."""
    space = spaces.get(name)
    archs = list(space.architectures())
    texts = [space.format(arch) for arch in archs]
    position = {arch: k for k, arch in enumerate(archs)}
    table = np.array(archs)
    closed = space.closed_forms(archs)
    encoding = space.encode(archs)
    projection = _project(space, table, encoding, closed)
    picked = np.random.default_rng(0).choice(len(archs), min(len(archs), _TRUST_SAMPLE), replace=False)
    return SpaceTable(
        space,
        table,
        texts,
        {text: k for k, text in enumerate(texts)},
        np.array([position[space.canonical(arch)] for arch in archs]),
        closed,
        projection,
        float(trustworthiness(encoding[picked], projection[picked], n_neighbors=10)),
    )


def _project(space: SearchSpace, archs: np.ndarray, encoding: np.ndarray, closed: pd.DataFrame) -> np.ndarray:
    """First two principal components (n, 2) of encoding, choices counted over decisions, and closed forms.

    The encoding alone is nearly isotropic, so its components would show little more than one decision; the counts
    and, at half weight, the logarithms of the closed forms give it a direction. Points that coincide are spread.
    """
    names = sorted({choice for decision in space.decisions for choice in decision.choices})
    counts = np.zeros((len(archs), len(names)))
    for d, decision in enumerate(space.decisions):
        for c, choice in enumerate(decision.choices):
            counts[:, names.index(choice)] += archs[:, d] == c
    sizes = np.log1p(closed.to_numpy(dtype=float))
    sizes = (sizes - sizes.mean(axis=0)) / np.maximum(sizes.std(axis=0), 1e-12)
    parts = []
    for weight, part in ((1.0, encoding), (1.0, counts), (0.5, sizes)):
        part = part - part.mean(axis=0)
        parts.append(weight * part / max(float(np.sqrt((part**2).sum() / len(part))), 1e-12))
    features = np.concatenate(parts, axis=1)
    axes = np.linalg.eigh(features.T @ features)[1][:, [-1, -2]]
    projection = features @ axes
    projection *= np.where(projection.T @ sizes.sum(axis=1) < 0, -1.0, 1.0)  # larger networks to the right and above
    return projection + np.random.default_rng(0).normal(scale=0.06 * projection.std(), size=projection.shape)


@cache
def lower_is_better() -> frozenset[str]:
    """Scores of which less is better."""
    return frozenset(name for name in proxies.names() if not proxies.get(name).higher_is_better)


def turned(metric: str) -> str:
    """The name of a score as it is ranked by: with a minus where less is better."""
    return f"−{metric}" if metric in lower_is_better() else metric


@dataclass
class RunValues:
    """Scores of a run read so far, by the order of scoring."""

    cursor: int = 0
    indices: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)


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
    cursor: int

    @property
    def rank_by(self) -> str:
        """The score that ranks this run."""
        return _rank_by(self.run)

    @property
    def ranked(self) -> np.ndarray:
        """Values of the ranking score, in the order of scoring, turned so that higher is better."""
        return self.oriented(self.rank_by)

    def oriented(self, metric: str) -> np.ndarray:
        """`metric` of the scored candidates, in the order of scoring, turned so that higher is better."""
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
        known = np.full(len(self.table.archs), np.nan)
        if metric in self.values:
            known[self.table.canonical[self.indices]] = self.values[metric]
        return known[self.table.canonical]

    @property
    def metrics(self) -> list[str]:
        """Scores of the run first, then the closed forms."""
        names = [str(name) for name in self.run.config.get("proxies", [])]
        return names + [str(c) for c in self.table.closed if c not in names]

    @cached_property
    def blocks(self) -> pd.DataFrame:
        """Fitness of every block, see `block_fitness`."""
        return block_fitness(self.table.space.decisions, self.table.archs[self.indices], self.ranked)

    @cached_property
    def kept(self) -> np.ndarray:
        """Which architectures of the space obey the steering: bool (n,)."""
        return self.steering.mask(self.table.archs)

    def rungs(self) -> np.ndarray:
        """How the best known value of every architecture was obtained: index into `RUNGS`, uint8 (n,)."""
        scored = np.zeros(len(self.table.archs), dtype=np.uint8)
        scored[self.table.canonical[self.indices]] = RUNGS.index("zero-cost")
        return scored[self.table.canonical]

    def in_force(self) -> list[tuple[int, Act]]:
        """Acts not undone, with their number in the log of acts."""
        acts = [Act.from_dict(entry.body) for entry in self.acts]
        undone = {act.target for act in acts if act.kind == "undo"}
        return [(k, act) for k, act in enumerate(acts) if act.kind != "undo" and k not in undone]


class Cockpit:
    """The app's side of the store. One instance an app; safe to use from many request threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._read: dict[str, RunValues] = {}
        self._views: dict[str, View] = {}
        self._lock = threading.Lock()

    def ensure_run(self) -> str:
        """The newest run; on an empty store a first one on the embedded data is made."""
        with self._lock:
            runs = self.store.runs()
            return runs[0].id if runs else self.store.create_run(DEFAULT_SPACE, DEFAULT_CONFIG, "cells on digits")

    def view(self, identifier: str) -> View:
        """The run as it stands now."""
        run = self.store.run(identifier)
        table = space_table(run.space)
        acts = self.store.log(identifier, kind="act")
        with self._lock:
            read = self._read.setdefault(identifier, RunValues())
            behind = run.scored > len(read.indices)
            for row in self.store.candidates(identifier, after=read.cursor) if behind else ():
                read.cursor = row.scored or read.cursor
                read.indices.append(table.index[row.arch])
                for name in run.config.get("proxies", ["zico"]):
                    read.values.setdefault(name, []).append((row.values or {}).get(name, float("nan")))
                    read.seconds.setdefault(name, []).append((row.seconds or {}).get(name, 0.0))
            indices = np.array(read.indices, dtype=int)
            values = {name: np.array(column) for name, column in read.values.items()}
            seconds = {name: np.array(column) for name, column in read.seconds.items()}
            cursor = read.cursor
        seen = self._views.get(identifier)
        if (
            seen is not None
            and (seen.cursor, len(seen.acts)) == (cursor, len(acts))
            and (seen.run.state, seen.run.message, seen.run.config) == (run.state, run.message, run.config)
        ):
            return seen  # the views of one pulse share what they derive
        steering, refused = Steering.settle(table.space, [Act.from_dict(entry.body) for entry in acts])
        view = View(run, table, steering, acts, refused, indices, values, seconds, cursor)
        self._views[identifier] = view
        return view

    def act(self, identifier: str, act: Act) -> None:
        """Append a steering act once it is known to hold.

        Raises:
            SteeringConflict: with the reason.
        """
        run = self.store.run(identifier)
        space = spaces.get(run.space)
        while True:
            log = [Act.from_dict(entry.body) for entry in self.store.log(identifier, kind="act")]
            _, refused = Steering.settle(space, [*log, act])
            if len(log) in refused:
                raise SteeringConflict(refused[len(log)])
            try:
                self.store.append(identifier, "act", {**act.to_dict(), "scored": run.scored}, seen=len(log))
            except LogMoved:
                continue  # another browser acted in between: decide on the log as it is now
            return

    def twin(self, identifier: str) -> str:
        """Make and start the run that this one would have been without its acts; what to tell the user."""
        other = twin(self.store, identifier)
        self.store.command(other, "start")
        name = self.store.run(other).name
        return f"“{name}” runs: the same seed and budget without the acts. Compare the two below."

    def layers(self, run: RunRow, arch: Architecture) -> pd.DataFrame:
        """Per-layer statistics of the run's ranking score for `arch`; empty where it is not scored."""
        return self._kept(run, arch, _rank_by(run))

    def distributions(self, run: RunRow, arch: Architecture) -> pd.DataFrame:
        """Histograms of the ranking score's statistics inside every layer of `arch`; empty where not computed yet."""
        return self._kept(run, arch, proxies.distribution_name(_rank_by(run)))

    def _kept(self, run: RunRow, arch: Architecture, score: str) -> pd.DataFrame:
        key = ScoreSettings.from_dict(run.config.get("settings") or {}).key()
        return self.store.layers(run.space, _canonical_text(run, arch), score, key)

    def request_distributions(self, run: RunRow, archs: Sequence[Architecture]) -> str:
        """Ask the engine for the distributions of `archs`, each once; why it could not, where it said so."""
        texts = [_canonical_text(run, arch) for arch in archs]
        asked = {entry.body["arch"]: entry.id for entry in self.store.log(run.id, kind="request")}
        for text in texts:
            if text not in asked:
                body = {"what": "distributions", "arch": text, "proxy": _rank_by(run)}
                asked[text] = self.store.append(run.id, "request", body)
        answers = {int(entry.body["request"]): entry.body["message"] for entry in self.store.log(run.id, kind="answer")}
        return next((answers[asked[text]] for text in texts if answers.get(asked[text])), "")

    @staticmethod
    def truth(space: str) -> pd.DataFrame | None:
        """Known accuracies of the space, or None."""
        try:
            return bench.truth(space)
        except ValueError:
            return None


def _rank_by(run: RunRow) -> str:
    return str(run.config.get("rank_by", "zico"))


def _canonical_text(run: RunRow, arch: Architecture) -> str:
    space = spaces.get(run.space)
    return space.format(space.canonical(arch))
