"""Shared weights in the engine: what a worker runs to train them a moment further and to score paths on them.

A worker holds nothing that is not in the checkpoint it returns: kill it, and the next goes on from the last one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nas_core.ladder import ONE_SHOT, TRAINED, WEIGHTS_STEP
from nas_core.spaces import Act, Architecture
from nas_core.workers import Reference, report

if TYPE_CHECKING:
    from nas_core.scoring import CandidateScore
    from nas_core.supernet import Images, SupernetSettings, Trainer

MOMENT_SECONDS = 1.0
"""How long a worker trains before it hands its weights back: the longest wait for a pause, and what a kill costs."""
_CALIBRATION = 512
"""Images by which a path on shared weights is re-calibrated before it is scored."""


@dataclass(frozen=True)
class Moment:
    """A stretch of training to do: `weights` a checkpoint, None at the start; `acts` in force from its first step on;
    `epochs` of the whole budget; `until` the step at which other acts are to take effect."""

    settings: dict[str, Any]
    epochs: float
    acts: list[dict[str, Any]]
    weights: Reference | None = None
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


_held: dict[str, Any] = {"digest": None, "trainer": None}
"""The trainer of the last moment in this worker and the checkpoint it stands for, so that it need not be read again."""


def train(moment: Moment) -> Trained:
    """Train for about `MOMENT_SECONDS`, to `moment.until`, or to the end of the budget.

    Raises:
        ValueError: settings, data or acts that cannot be worked with, or a training that diverged.
    """
    from nas_core.supernet import dumps

    trainer = _trainer(moment)
    report("trains")
    known = len(trainer.history_)
    deadline = time.monotonic() + MOMENT_SECONDS
    last = moment.until
    finished = trainer.train(stop=lambda: time.monotonic() > deadline or (last is not None and trainer.step_ >= last))
    weights = dumps(trainer)
    _held.update(digest=Reference.carrying(weights).digest, trainer=trainer)
    losses = [asdict(record) for record in trainer.history_[known:]]
    return Trained(weights, trainer.settings.to_dict(), trainer.step_, trainer.epoch, losses, finished)


def _trainer(moment: Moment) -> Trainer:
    from nas_core.supernet import SupernetSettings, Trainer, loads

    settings = SupernetSettings.from_dict({**moment.settings, "epochs": moment.epochs})
    acts = [Act.from_dict(act) for act in moment.acts]
    images = _images(settings)
    if moment.weights is None:
        return Trainer(settings, acts=acts, images=images)
    held = _held["trainer"] if _held["digest"] == moment.weights.digest else None
    _held.update(digest=None, trainer=None)  # until a moment has ended well: half-way, it stands for no checkpoint
    trainer: Trainer = held or loads(moment.weights.load(), images=images)
    if trainer.settings.epochs != moment.epochs:
        trainer.extend(moment.epochs)
    if trainer.acts != acts:
        trainer.steer(acts, warm_up=trainer.steps_an_epoch)
    return trainer


def load_images(settings: Mapping[str, Any]) -> Images:
    """The images that weights of these settings are trained on.

    Raises:
        ValueError: unreadable data, or too few images.
    """
    from nas_core.supernet import SupernetSettings

    return _images(SupernetSettings.from_dict(settings))


@lru_cache(maxsize=2)
def _images(settings: SupernetSettings) -> Images:
    from nas_core import supernet

    return supernet.load_images(settings)


class ScoredOnWeights:
    """Scores of paths on one state of shared weights, or of the one network that they are."""

    def __init__(self, checkpoint: bytes) -> None:
        from nas_core.supernet import Ranker, loads

        trainer = loads(checkpoint)
        # A network alone keeps the statistics of its own training; shared weights hold those of all paths.
        self._ranker = Ranker(trainer, calibration=0 if trainer.settings.arch else _CALIBRATION)
        self._space, self._step = trainer.space, trainer.step_

    def scores(self, arch: Architecture, zero_cost: CandidateScore | None = None) -> CandidateScore:
        """Scores of `arch` on the weights, beside its `zero_cost` ones."""
        from nas_core.scoring import CandidateScore

        found = zero_cost or CandidateScore(self._space.format(self._space.canonical(arch)), {}, {})
        began = time.perf_counter()
        row = self._ranker.scores([arch]).iloc[0]
        if self._ranker.alone:
            found.values[TRAINED] = 100 * float(row["hits"])
        else:
            found.values.update({name: float(row[name]) for name in ONE_SHOT})
        taken = time.perf_counter() - began
        found.values[WEIGHTS_STEP] = self._step
        found.seconds.update(dict.fromkeys((TRAINED,) if self._ranker.alone else ONE_SHOT, taken))
        return found
