"""Training of shared weights: one step, a whole budget, an edit of the steering in between. Needs torch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from nas_core import spaces
from nas_core.spaces import Act, Architecture, ImageShape, Steering
from nas_core.spaces.layout import to_channels_last
from nas_core.supernet import _shared
from nas_core.supernet._images import Images, load_images
from nas_core.supernet._optimizer import PathSGD
from nas_core.supernet._sampling import OnePath, sampler
from nas_core.supernet._settings import SupernetSettings

_VALIDATION_PATHS = 3
_VALIDATION_IMAGES = 256
_WARM_UP_TRIES = 20


@dataclass(frozen=True)
class Record:
    """A point of the loss curve: after `step` updates and `seconds` of training, cross-entropies in nats.

    `train` is the mean since the record before; `validation` that of a few fixed paths on held-out images, and
    `accuracy` the share of these images that they get right.
    """

    step: int
    epoch: float
    seconds: float
    train: float
    validation: float
    accuracy: float = math.nan


class Trainer:
    """A supernet in training.

    Batches and paths come from the seed alone, so that equal seeds, settings, edits and thread counts give equal
    weights bit for bit, however often a training by epochs was stopped and resumed.

    Example:
        trainer = Trainer(SupernetSettings(data="digits", epochs=5), acts=[Act("prune", "*", ("none",))])
        trainer.train()
        Ranker(trainer).scores(archs)
    """

    def __init__(self, settings: SupernetSettings, *, acts: Sequence[Act] = (), images: Images | None = None) -> None:
        """Raises ValueError: the space has no supernet, unreadable data, or acts that contradict each other."""
        self.settings, self.space = settings, spaces.get(settings.space)
        self.acts = list(acts)
        steering = Steering.fold(self.space, self.acts)
        self.arch = self.space.parse(settings.arch) if settings.arch else None
        self.sampler = (
            sampler(settings.sampling, self.space, steering, seed=settings.seed)
            if self.arch is None
            else OnePath(self.space, self.arch)
        )
        self.images = images or load_images(settings)
        self.supernet = fresh(settings, self.images)
        self.optimizer = PathSGD(
            self.supernet,
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        self.step_, self.seconds_ = 0, 0.0
        self.history_: list[Record] = []
        self._losses: list[float] = []
        self._new: list[tuple[int, int]] = []
        self._warm_up = 0
        self._criterion = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
        self._validation_paths = self._fixed_paths()

    @property
    def steering(self) -> Steering:
        """The steering in force."""
        return self.sampler.steering

    @property
    def fraction(self) -> float:
        """Share of the budget that is spent, 0 to 1."""
        if self.settings.seconds is not None:
            return min(1.0, self.seconds_ / self.settings.seconds)
        return min(1.0, self.step_ / max(1, round(self.settings.epochs * self._batches)))

    @property
    def finished(self) -> bool:
        """Whether the budget is spent."""
        return self.fraction >= 1.0

    @property
    def steps_an_epoch(self) -> int:
        """Updates that one pass over the training part takes."""
        return self._batches

    @property
    def epoch(self) -> float:
        """Passes over the training part so far."""
        return self.step_ / self._batches

    @property
    def _batches(self) -> int:
        return self.images.batches(self.settings.batch_size)

    def step(self) -> float:
        """One update: one batch, the summed gradients of the sampler's paths; returns their mean loss in nats.

        Raises:
            ValueError: the loss is no number any more.
        """
        images, labels = self.images.batch(self.step_, self.settings.batch_size, self.settings.seed)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.optimizer.zero_grad()
        paths = self._paths()
        total = 0.0
        for path in paths:
            loss = self._criterion(self.supernet(images, path), labels)
            loss.backward()
            total += loss.item()
        if not math.isfinite(total):
            raise ValueError(f"training diverged at step {self.step_}: loss {total}; lower the learning rate")
        if self._warm_up:
            self.optimizer.keep_gradients(weight for pair in self._new for weight in self.supernet.weights_of(*pair))
            self._warm_up -= 1
        self.optimizer.step()
        self.step_ += 1
        return total / len(paths)

    def train(
        self, *, stop: Callable[[], bool] = lambda: False, each_step: Callable[[Trainer], None] | None = None
    ) -> bool:
        """Spend the budget; `stop` is asked before every step. Returns whether the budget is spent.

        Raises:
            ValueError: training diverged.
        """
        self.supernet.train()
        while not self.finished:
            if stop():
                return False
            began = time.perf_counter()
            self._losses.append(self.step())
            record = self.step_ % self._batches == 0
            validation = self.validate() if record else (math.nan, math.nan)
            self.seconds_ += time.perf_counter() - began
            if record:
                self._record(*validation)
            if each_step:
                each_step(self)
        if self._losses:
            self._record(*self.validate())
        return True

    def extend(self, epochs: float) -> None:
        """Train up to `epochs` in all instead; the learning rate goes on from where the longer budget has it."""
        self.settings = replace(self.settings, epochs=epochs)

    def steer(self, acts: Sequence[Act], *, warm_up: int = 0) -> None:
        """Obey this log of acts from the next step on; no weight changes by it.

        What the steering no longer allows keeps its weights, untrained, for an undo. During the next `warm_up`
        steps every path holds a choice that this edit allowed anew, and nothing but such choices is trained. A
        warm-up on its way goes on through edits that allow nothing anew.

        Raises:
            SteeringConflict: the acts contradict each other or leave nothing to sample; the old ones stay in force.
        """
        before, steering = self.steering, Steering.fold(self.space, acts)
        self.sampler.steer(steering)
        self.acts = list(acts)
        warming = [(d, choice) for d, choice in self._new if self._warm_up and choice in steering.allowed[d]]
        new = [
            (decision, choice)
            for decision, choices in enumerate(steering.allowed)
            for choice in choices
            if choice not in before.allowed[decision] and self.supernet.weights_of(decision, choice)
        ]
        self._new = warming + new
        if new or not warming:
            self._warm_up = warm_up if new else 0
        self._validation_paths = self._fixed_paths()

    def validate(self) -> tuple[float, float]:
        """Mean cross-entropy and share of hits of a few fixed paths on held-out images.

        Normalised by the statistics of those images alone.
        """
        images = self.images.held_out[:_VALIDATION_IMAGES]
        labels = self.images.held_out_labels[:_VALIDATION_IMAGES]
        norms = [module for module in self.supernet.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.track_running_stats = False  # the running statistics stay those of training
        try:
            with torch.inference_mode():
                outputs = [self.supernet(images, path) for path in self._validation_paths]
                losses = [float(nn.functional.cross_entropy(logits, labels)) for logits in outputs]
                hits = [float((logits.argmax(dim=1) == labels).float().mean()) for logits in outputs]
        finally:
            for norm in norms:
                norm.track_running_stats = True
        return float(np.mean(losses)), float(np.mean(hits))

    def state(self) -> dict[str, Any]:
        """JSON-ready state of everything but tensors; `restore` goes on from it exactly."""
        return {
            "acts": [act.to_dict() for act in self.acts],
            "sampler": self.sampler.state(),
            "step": self.step_,
            "seconds": self.seconds_,
            "history": [list(astuple(record)) for record in self.history_],
            "losses": self._losses,
            "new": self._new,
            "warm_up": self._warm_up,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.acts = [Act.from_dict(act) for act in state["acts"]]
        self.sampler.steer(Steering.fold(self.space, self.acts))
        self.sampler.restore(state["sampler"])
        self.step_, self.seconds_ = int(state["step"]), float(state["seconds"])
        self.history_ = [Record(int(step), *map(float, rest)) for step, *rest in state["history"]]
        self._losses = [float(loss) for loss in state["losses"]]
        self._new = [(int(decision), int(choice)) for decision, choice in state["new"]]
        self._warm_up = int(state["warm_up"])
        self._validation_paths = self._fixed_paths()

    def _rate(self) -> float:
        """Learning rate of the next step."""
        left = self.settings.final_rate
        falling = (1 + math.cos(math.pi * self.fraction)) / 2
        return self.settings.learning_rate * (left + (1 - left) * falling)

    def _record(self, validation: float, accuracy: float) -> None:
        mean = float(np.mean(self._losses))
        self.history_.append(Record(self.step_, self.epoch, self.seconds_, mean, validation, accuracy))
        self._losses = []

    def _fixed_paths(self) -> list[Architecture]:
        if self.arch is not None:
            return [self.arch]
        rng = np.random.default_rng((self.settings.seed, 4))
        return [self.space.sample(rng, self.steering) for _ in range(_VALIDATION_PATHS)]

    def _paths(self) -> list[Architecture]:
        paths = self.sampler.draw()
        return [self._with_new_choice(path) for path in paths] if self._warm_up else paths

    def _with_new_choice(self, path: Architecture) -> Architecture:
        rng = self.sampler.rng
        for _ in range(_WARM_UP_TRIES):
            decision, choice = self._new[rng.integers(len(self._new))]
            changed = (*path[:decision], choice, *path[decision + 1 :])
            if self.space.valid(changed) and self.steering.allows(changed):
                return changed
        return path


def fresh(settings: SupernetSettings, images: Images) -> Any:
    """The untrained supernet of these settings, drawn from their seed; torch's global generator is left as it was."""
    space = spaces.get(settings.space)
    image = ImageShape(images.channels, images.size, images.size)
    scale = space.scale_for(channels=settings.channels, cells=settings.cells)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if settings.arch:
            network = space.build(space.parse(settings.arch), input=image, classes=images.classes, scale=scale)
            supernet: nn.Module = _shared.SingleNetwork(network)
        else:
            supernet = _shared.build(
                space,
                input=image,
                classes=images.classes,
                scale=scale,
                normalise_pools=settings.normalise_pools,
            )
    return to_channels_last(supernet)  # twice as fast on a CPU at these widths
