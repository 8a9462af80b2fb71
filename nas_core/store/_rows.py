"""What the store takes and gives: frozen rows, the same for every database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nas_core.config import RunConfig

Layers = Mapping[str, Sequence[float]]
"""Statistics of layers by name, each a number a layer."""


@dataclass(frozen=True)
class RunRow:
    """A run as it stands. `state` is created, queued, running, paused, stopped, finished or failed.

    Attributes:
        asked: evaluations asked for.
        scored: those of them that have scores; `failed` those that have a reason instead.
        acts: steering acts in the log.
        weights_step: updates of the weights that the run trains.
        summary: what lists show of its results, as whoever scored left it.
    """

    id: str
    name: str
    space: str
    config: RunConfig
    state: str
    message: str
    engine: str | None
    created: float
    busy_seconds: float
    asked: int
    scored: int
    failed: int
    acts: int
    weights_step: int
    summary: dict[str, Any]

    @property
    def space_title(self) -> str:
        """What people call the space: its name, or that of the template it is made of."""
        return self.config.space_title

    @property
    def rank_by(self) -> str:
        """The score that ranks its candidates."""
        return self.config.rank_by


@dataclass(frozen=True)
class Pulse:
    """What changes in a run while it is watched: state, message and counters; `log_counts` are log lines by kind."""

    run: str
    state: str
    message: str
    budget: int | None
    asked: int
    scored: int
    failed: int
    weights_step: int
    log_counts: dict[str, int]

    @property
    def acts(self) -> int:
        """Steering acts in the log."""
        return self.log_counts.get("act", 0)


@dataclass(frozen=True)
class LogEntry:
    """One line of the log. `kind` is command, act, event, request, answer, region, or loss (a point of the curve).

    `id` is its number within the run: a reader who has seen a number never meets a smaller one later.
    """

    id: int
    kind: str
    body: dict[str, Any]
    time: float


@dataclass(frozen=True)
class CandidateRow:
    """An architecture inside a run, evaluated under some conditions.

    Attributes:
        position: the order in which it was asked for.
        values: None until it has been scored; empty where that failed.
        scored: ascending number of the scoring within the run, the cursor of live reads.
        fidelity: a rung of the ladder, empty for the run's own scores.
        budget: epochs where the fidelity is a training.
        failed: why it has no scores, where that is so.
    """

    position: int
    arch: str
    canonical: str
    values: dict[str, float] | None = None
    seconds: dict[str, float] | None = None
    scored: int | None = None
    fidelity: str = ""
    seed: int = 0
    budget: float | None = None
    settings: str = ""
    standard_error: float | None = None
    failed: str = ""


class Asked(NamedTuple):
    """An evaluation asked for: an architecture in its notation, its canonical form, and the conditions."""

    arch: str
    canonical: str
    fidelity: str = ""
    seed: int = 0
    budget: float | None = None
    settings: str = ""


class Outcome(NamedTuple):
    """What came of an evaluation, by its position: values by score, or the reason why it failed."""

    position: int
    values: Mapping[str, float]
    seconds: Mapping[str, float] = {}
    standard_error: float | None = None
    failed: str = ""


@dataclass(frozen=True)
class NetworkRow:
    """A network that somebody watches.

    Attributes:
        made: when it was added, in seconds since 1970.
        taken: snapshots taken so far: the number of the last one.
        step: the training step of the last snapshot.
        about: what its scores are computed on.
    """

    id: str
    name: str
    made: float
    taken: int
    step: int
    about: dict[str, Any]


@dataclass(frozen=True)
class Structure:
    """What a network is made of.

    Attributes:
        modules: its modules, each after the one that it is part of: `name` (empty for the network itself), `kind`,
            `weights` (parameters of its own), `called` (its place in the order of a pass; None where it is not called).
        layers: by score, what does not change of the rows of its table of layers (`layer`, `kind`, `shape`, `weights`).
    """

    modules: Sequence[Mapping[str, Any]]
    layers: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Snapshot:
    """A network at one step of its training.

    Attributes:
        step: updates of its weights so far.
        values: scores; NaN where undefined.
        layers: by score, statistics of its layers in the order of `Structure.layers`.
        reasons: by score, why its value is undefined.
        seconds: by score.
        number: place among the snapshots of the network; given by the store.
        time: seconds since 1970; given by the store where it is 0.
    """

    step: int
    values: Mapping[str, float]
    layers: Mapping[str, Layers] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    number: int = 0
    time: float = 0.0


@dataclass(frozen=True)
class StoreInfo:
    """A store in figures; sizes in bytes. `journal` is what a copy of the main file alone would lack."""

    url: str
    version: str
    size: int
    journal: int
    unused: int
    runs: int
    candidates: int
    evaluations: int
    log_lines: int
    scores: int
    files: int
    templates: int
    networks: int
    snapshots: int
    states: dict[str, int] = field(default_factory=dict)
