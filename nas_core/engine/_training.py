"""Shared weights in the engine: what a worker runs to train them a moment further and to score paths on them.

A worker holds nothing that is not in the checkpoint it returns: kill it, and the next goes on from the last one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nas_core.ladder import ONE_SHOT, TRAINED, WEIGHTS_STEP
from nas_core.spaces import Act, Architecture, Steering

if TYPE_CHECKING:
    from nas_core.proxies.settings import ScoreSettings
    from nas_core.scoring import CandidateScore
    from nas_core.search import Result
    from nas_core.supernet import Ranker, Trainer
    from nas_core.supernet._images import Images
    from nas_core.supernet._settings import SupernetSettings

MOMENT_SECONDS = 1.0
"""How long a worker trains before it hands its weights back: the longest wait for a pause, and what a kill costs."""


@dataclass(frozen=True)
class Moment:
    """A stretch of training to do: `weights` a checkpoint, None at the start; `acts` in force from its first step on;
    `epochs` of the whole budget; `until` the step at which other acts are to take effect."""

    settings: dict[str, Any]
    epochs: float
    acts: list[dict[str, Any]]
    weights: bytes | None = None
    until: int | None = None


@dataclass(frozen=True)
class Trained:
    """What came of it: the checkpoint and what it was trained with, defaults written out; steps and epochs in all, new
    points of the loss curve, whether that is all."""

    weights: bytes
    settings: dict[str, Any]
    step: int
    epoch: float
    losses: list[dict[str, float]]
    finished: bool


_HELD: dict[str, Any] = {"weights": None, "trainer": None}
"""The trainer of the last moment in this worker and the checkpoint it stands for, so that it need not be read again."""


def train(moment: Moment) -> Trained:
    """Train for about `MOMENT_SECONDS`, to `moment.until`, or to the end of the budget.

    Raises:
        ValueError: settings, data or acts that cannot be worked with, or a training that diverged.
    """
    from nas_core.supernet import dumps

    trainer = _trainer(moment)
    known = len(trainer.history_)
    deadline = time.monotonic() + MOMENT_SECONDS
    last = moment.until
    finished = trainer.train(stop=lambda: time.monotonic() > deadline or (last is not None and trainer.step_ >= last))
    weights = dumps(trainer)
    _HELD.update(weights=weights, trainer=trainer)
    losses = [asdict(record) for record in trainer.history_[known:]]
    return Trained(weights, trainer.settings.to_dict(), trainer.step_, trainer.epoch, losses, finished)


def _trainer(moment: Moment) -> Trainer:
    from nas_core.supernet import SupernetSettings, Trainer, loads

    settings = SupernetSettings.from_dict({**moment.settings, "epochs": moment.epochs})
    acts = [Act.from_dict(act) for act in moment.acts]
    images = _images(settings)
    if moment.weights is None:
        return Trainer(settings, acts=acts, images=images)
    held = _HELD["trainer"] if _HELD["weights"] == moment.weights else None
    _HELD.update(weights=None, trainer=None)  # until a moment has ended well: half-way, it stands for no checkpoint
    trainer: Trainer = held or loads(moment.weights, images=images)
    if trainer.settings.epochs != moment.epochs:
        trainer.extend(moment.epochs)
    if trainer.acts != acts:
        trainer.steer(acts, warm_up=trainer.steps_an_epoch)
    return trainer


@lru_cache(maxsize=2)
def _images(settings: SupernetSettings) -> Images:
    from nas_core.supernet import _images

    return _images.load(settings)


def score(
    weights: bytes, space: str, archs: Sequence[Architecture], proxies: Sequence[str], settings: ScoreSettings
) -> list[CandidateScore]:
    """Score `archs` on shared weights, and by zero-cost `proxies` beside."""
    from nas_core import spaces
    from nas_core.scoring import CandidateScore, score_architectures

    ranker, step = _ranker(weights)
    known = spaces.get(space)
    if proxies:
        found = score_architectures(space, archs, proxies, settings)
    else:
        found = [CandidateScore(known.format(known.canonical(arch)), {}, {}) for arch in archs]
    for arch, scores in zip(archs, found, strict=True):
        began = time.perf_counter()
        row = ranker.scores([arch]).iloc[0]
        if ranker.alone:
            scores.values[TRAINED] = 100 * float(row["hits"])
        else:
            scores.values.update({name: float(row[name]) for name in ONE_SHOT})
        taken = time.perf_counter() - began
        scores.values[WEIGHTS_STEP] = step
        scores.seconds.update({name: taken for name in (TRAINED,) if ranker.alone} or dict.fromkeys(ONE_SHOT, taken))
    return found


@lru_cache(maxsize=1)
def _ranker(weights: bytes) -> tuple[Ranker, int]:
    from nas_core.supernet import Ranker, loads

    trainer = loads(weights)
    # A network alone keeps the statistics of its own training; shared weights hold those of all paths.
    return Ranker(trainer, calibration=0 if trainer.settings.arch else 512), trainer.step_


class OneArchitecture:
    """The strategy of a run that trains one network alone: asks for it once."""

    def __init__(self, arch: Architecture, state: Mapping[str, Any] | None = None) -> None:
        self.arch, self._asked = arch, bool((state or {}).get("asked"))

    def ask(self, n: int, steering: Steering) -> list[Architecture]:
        """The architecture, the first time."""
        found = [] if self._asked else [self.arch]
        self._asked = True
        return found

    def tell(self, results: Sequence[Result]) -> None:
        """Nothing to learn."""

    def state(self) -> dict[str, Any]:
        """Whether it was asked for."""
        return {"asked": self._asked}
