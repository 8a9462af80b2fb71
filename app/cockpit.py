"""What the pages read: a run as arrays over its space, cached by cursor. Writes acts and commands only."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd

from nas_core import bench, spaces
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import Act, Architecture, SearchSpace, Steering, SteeringConflict
from nas_core.store import LogEntry, RunRow, Store

DEFAULT_CONFIG = {
    "strategy": "scan",
    "proxies": ["zico"],
    "rank_by": "zico",
    "settings": ScoreSettings.laptop().to_dict(),
    "budget": 6466,
    "seed": 0,
    "batch": 8,
}


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
    explained: float


@lru_cache(maxsize=4)
def space_table(name: str) -> SpaceTable:
    """The table of space `name`; PCA of its encoding, spread a little where points coincide."""
    space = spaces.get(name)
    archs = list(space.architectures())
    texts = [space.format(arch) for arch in archs]
    position = {arch: k for k, arch in enumerate(archs)}
    features = space.encode(archs)
    centred = features - features.mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    projection = centred @ axes[:, [-1, -2]]
    projection += np.random.default_rng(0).normal(scale=0.12, size=projection.shape)
    return SpaceTable(
        space,
        np.array(archs),
        texts,
        {text: k for k, text in enumerate(texts)},
        np.array([position[space.canonical(arch)] for arch in archs]),
        space.closed_forms(archs),
        projection,
        float(variance[[-1, -2]].sum() / variance.sum()),
    )


@dataclass
class RunValues:
    """Scores of a run read so far, by the order of scoring."""

    cursor: int = 0
    indices: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """A run at one moment: its row, steering, acts, and scored candidates as arrays."""

    run: RunRow
    table: SpaceTable
    steering: Steering
    acts: list[LogEntry]
    indices: np.ndarray
    values: dict[str, np.ndarray]

    @property
    def rank_by(self) -> str:
        """The score that ranks this run."""
        return str(self.run.config.get("rank_by", "zico"))

    @property
    def ranked(self) -> np.ndarray:
        """Values of the ranking score, in the order of scoring."""
        return self.values.get(self.rank_by, np.full(len(self.indices), np.nan))

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
        self._lock = threading.Lock()

    def ensure_run(self) -> str:
        """The newest run; on an empty store a first one on the embedded data is made."""
        runs = self.store.runs()
        return runs[0].id if runs else self.store.create_run("nb201", DEFAULT_CONFIG, "cells on digits")

    def view(self, identifier: str) -> View:
        """The run as it stands now."""
        run = self.store.run(identifier)
        table = space_table(run.space)
        acts = self.store.log(identifier, kind="act")
        with self._lock:
            read = self._read.setdefault(identifier, RunValues())
            for row in self.store.candidates(identifier, after=read.cursor):
                read.cursor = row.scored or read.cursor
                read.indices.append(table.index[row.arch])
                for name in run.config.get("proxies", ["zico"]):
                    read.values.setdefault(name, []).append((row.values or {}).get(name, float("nan")))
            indices = np.array(read.indices, dtype=int)
            values = {name: np.array(column) for name, column in read.values.items()}
        return View(run, table, self._fold(table.space, acts), acts, indices, values)

    @staticmethod
    def _fold(space: SearchSpace, acts: list[LogEntry]) -> Steering:
        try:
            return Steering.fold(space, [Act.from_dict(entry.body) for entry in acts])
        except SteeringConflict:
            return Steering.free(space)

    def act(self, identifier: str, act: Act) -> None:
        """Append a steering act once it is known to hold.

        Raises:
            SteeringConflict: with the reason.
        """
        run = self.store.run(identifier)
        log = [Act.from_dict(entry.body) for entry in self.store.log(identifier, kind="act")]
        Steering.fold(spaces.get(run.space), [*log, act])
        self.store.append(identifier, "act", {**act.to_dict(), "scored": run.scored})

    def layers(self, run: RunRow, arch: Architecture) -> pd.DataFrame:
        """Per-layer statistics of the run's ranking score for `arch`; empty where it is not scored."""
        space = spaces.get(run.space)
        key = ScoreSettings.from_dict(run.config.get("settings") or {}).key()
        text = space.format(space.canonical(arch))
        return self.store.layers(run.space, text, str(run.config.get("rank_by", "zico")), key)

    @staticmethod
    def truth(space: str) -> pd.DataFrame | None:
        """Known accuracies of the space, or None."""
        try:
            return bench.truth(space)
        except ValueError:
            return None
