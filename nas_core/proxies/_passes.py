"""Passes through a network that many scores read at once: who reads what, and who pays. No formula lives here.

A `Measurement` listens to one pass and is taken once, however many proxies read it; a `Measured` proxy names the
measurements it reads and turns them into a score. A proxy of any other kind runs by its own `score`.
"""

from __future__ import annotations

import enum
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from nas_core.proxies._registry import get
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies.base import (
    Batches,
    Needs,
    Proxy,
    ProxyScore,
    check_batches,
    gaussian_images,
    gradients_of,
    keyword_not_taken,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

    from nas_core.proxies.base import Target

RANDOM_IMAGES = 64
"""Gaussian images of the random pass (AZ-NAS, Lee & Ham 2024, section 4.1: batches of 64)."""


class Pass(enum.StrEnum):
    """A way through the network in train mode; scores that listen to the same pass share it."""

    TRAIN = "train"
    """The given batches one after another; cross-entropy where a gradient is asked for."""
    RANDOM = "random"
    """One batch of `RANDOM_IMAGES` standard normal images, no labels, no loss."""


@dataclass
class Step:
    """One batch after its forward pass, and its gradients where they were asked for."""

    subject: Subject
    images: Tensor
    outputs: Tensor
    loss: Tensor | None = None
    gradients: dict[Measurement, list[Tensor | None]] = field(default_factory=dict)

    def undefined(self, needs: Needs) -> str:
        """Why what needs this cannot be read off the step; empty where it can."""
        if needs is Needs.GRADIENTS and self.loss is not None:
            return "" if bool(self.loss.detach().isfinite()) else f"the loss is {float(self.loss.detach())}"
        return "the model's output holds NaN" if bool(self.outputs.detach().isnan().any()) else ""


class Measurement(ABC):
    """What one score or several read off a pass. Made anew for every run; keeps what it needs of each step."""

    listens: ClassVar[Pass] = Pass.TRAIN
    every_batch: ClassVar[bool] = False
    """Whether it hears all batches of the pass or the first one only."""
    needs: ClassVar[Needs] = Needs.FORWARD
    keeps_graph: ClassVar[bool] = False
    """Whether `add` differentiates on its own: the graph is kept for it, and the images take gradients."""
    only_paths: ClassVar[bool] = False
    """Whether it asks which weights have a gradient and not for its values, so that NaN does not matter."""

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        """Hooks for one forward pass; they are removed after it."""
        return []

    def targets(self, subject: Subject) -> Sequence[Target]:
        """What to differentiate the loss of this step by; the gradients come back in `step.gradients[self]`."""
        return ()

    @abstractmethod
    def add(self, step: Step) -> None:
        """Take what is wanted from a step."""


M = TypeVar("M", bound=Measurement)


class Readings:
    """The measurements of a run by their class, with the network they were taken on."""

    def __init__(self, subject: Subject, kinds: Sequence[type[Measurement]]) -> None:
        self.subject = subject
        self.undefined: dict[type[Measurement], str] = {}
        """Measurements that could not be taken, and why."""
        self._taken = {kind: kind() for kind in kinds}

    def __getitem__(self, kind: type[M]) -> M:
        return self._taken[kind]  # type: ignore[return-value]


class Measured(ABC):
    """A proxy that is a formula over measurements. `score` alone and `score_many` are the same run."""

    name: str
    version = 1
    higher_is_better = True
    needs: Needs
    summary: str
    least_batches: ClassVar[int] = 1
    reads: ClassVar[tuple[type[Measurement], ...]]

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Score `model` on batches of images (b, ...) and labels (b,); the model is left unchanged.

        Args:
            model: any network.
            batches: pairs of tensors.
            output: picks the tensor to score from what the model returns (default: it returns a tensor).
            loss: of outputs and labels, one number (default: mean cross-entropy).

        Raises:
            ValueError: too few batches, or batches or a model the measurements cannot use.
        """
        return _score(model, batches, {self.name: self}, Task(output, loss))[self.name]

    @abstractmethod
    def read(self, readings: Readings) -> ProxyScore:
        """The score from what was measured."""


def score_many(
    model: nn.Module,
    batches: Batches,
    names: Sequence[str],
    *,
    output: Output | None = None,
    loss: Loss | None = None,
) -> dict[str, ProxyScore]:
    """Score `model` by many proxies, sharing every forward and backward pass that can be shared.

    `seconds` of a score is its own time plus an equal share of every step it listened to. The values are those of
    `get(name).score(model, batches)`, exactly.

    Args:
        model: any network.
        batches: pairs of images (b, ...) and labels (b,).
        names: of the proxies.
        output: picks the tensor to score from what the model returns (default: it returns a tensor).
        loss: of outputs and labels, one number (default: mean cross-entropy).

    Raises:
        ValueError: unknown proxy, or batches or a model that one of them cannot use.
    """
    return _score(model, batches, {name: get(name) for name in names}, Task(output, loss))


def _score(model: nn.Module, batches: Batches, proxies: Mapping[str, Proxy], task: Task) -> dict[str, ProxyScore]:
    measured = {name: proxy for name, proxy in proxies.items() if isinstance(proxy, Measured)}
    scores: dict[str, ProxyScore] = {}
    if measured:
        least = max(proxy.least_batches for proxy in measured.values())
        check_batches(batches, least=least, classes=task.loss is None)
        scores = _score_measured(Subject(model, task), batches, measured)
    for name in proxies:
        if name not in scores:
            scores[name] = proxies[name].score(model, batches, **_taken(proxies[name], task.keywords()))
    return {name: scores[name] for name in proxies}


def _taken(proxy: Proxy, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keywords `given`, which `proxy` has to take."""
    word = keyword_not_taken(proxy, given)
    if word:
        raise ValueError(f"{word}: {proxy.name} takes no {word}=, expected a score that does")
    return given


def _score_measured(subject: Subject, batches: Batches, proxies: Mapping[str, Measured]) -> dict[str, ProxyScore]:
    readers: dict[type[Measurement], list[str]] = {}
    for name, proxy in proxies.items():
        for kind in proxy.reads:
            readers.setdefault(kind, []).append(name)
    readings, spent = Readings(subject, list(readers)), _SecondsByProxy(proxies)
    _run_passes(readings, readers, batches, spent)
    unknown = subject.not_a_number()
    scores: dict[str, ProxyScore] = {}
    for name, proxy in proxies.items():
        started = time.perf_counter()
        missing = [readings.undefined[kind] for kind in proxy.reads if kind in readings.undefined]
        reason = "" if proxy.needs is Needs.NOTHING else next(iter(missing), unknown)
        score = ProxyScore(math.nan, reason=reason) if reason else proxy.read(readings)
        spent.share([name], time.perf_counter() - started)
        scores[name] = replace(score, seconds=spent.seconds[name])
    return scores


def measure(subject: Subject, batches: Batches, kinds: Sequence[type[Measurement]], *, least: int) -> Readings:
    """Measurements of these kinds, as a score would read them; at least `least` batches are needed."""
    check_batches(batches, least=least, classes=subject.task.loss is None)
    readings = Readings(subject, kinds)
    _run_passes(readings, {kind: [""] for kind in kinds}, batches, _SecondsByProxy({"": None}))
    return readings


def _run_passes(
    readings: Readings, readers: Mapping[type[Measurement], list[str]], batches: Batches, spent: _SecondsByProxy
) -> None:
    """Run every pass that somebody listens to."""
    for way in Pass:
        listeners = {readings[kind]: names for kind, names in readers.items() if kind.listens is way}
        if listeners:
            _run(readings, _inputs(way, batches), listeners, spent)


class _SecondsByProxy:
    """What every proxy of a run took."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self.seconds = dict.fromkeys(names, 0.0)

    def share(self, names: Sequence[str], seconds: float) -> None:
        """Add `seconds` to `names`, in equal parts."""
        for name in names:
            self.seconds[name] += seconds / len(names)


def _inputs(way: Pass, batches: Batches) -> Sequence[tuple[Tensor, Tensor | None]]:
    return batches if way is Pass.TRAIN else [(gaussian_images(batches[0][0], RANDOM_IMAGES), None)]


def _run(
    readings: Readings,
    inputs: Sequence[tuple[Tensor, Tensor | None]],
    listeners: Mapping[Measurement, list[str]],
    spent: _SecondsByProxy,
) -> None:
    started = time.perf_counter()
    with readings.subject.visit():
        for number, (images, labels) in enumerate(inputs):
            active = [measurement for measurement in listeners if number == 0 or measurement.every_batch]
            if not active:
                break
            step = _step(readings.subject, active, images, labels)
            present = list(dict.fromkeys(name for measurement in active for name in listeners[measurement]))
            now = time.perf_counter()
            spent.share(present, now - started)
            for measurement in active:
                started = now
                _add(readings, measurement, step)
                now = time.perf_counter()
                spent.share(listeners[measurement], now - started)
            started = now
            del step  # nothing of a batch outlives it but what was measured


def _add(readings: Readings, measurement: Measurement, step: Step) -> None:
    kind, reason = type(measurement), step.undefined(measurement.needs)
    if reason:
        readings.undefined.setdefault(kind, reason)
    if kind not in readings.undefined or measurement.only_paths:
        with full_precision(step.outputs):
            measurement.add(step)


def full_precision(tensor: Tensor) -> AbstractContextManager[Any]:
    """What is computed of `tensor` inside keeps its precision, also where the caller casts automatically."""
    import torch

    place = tensor.device.type
    return torch.autocast(place, enabled=False) if torch.is_autocast_enabled(place) else nullcontext()


def _step(subject: Subject, active: Sequence[Measurement], images: Tensor, labels: Tensor | None) -> Step:
    import torch

    differentiates = any(measurement.needs is Needs.GRADIENTS for measurement in active)
    keep_graph = any(measurement.keeps_graph for measurement in active)
    images = images.detach()
    if keep_graph and images.is_floating_point():
        images = images.clone().requires_grad_()
    handles: list[RemovableHandle] = []
    try:
        for measurement in active:
            handles += measurement.hooks(subject)
        with torch.set_grad_enabled(differentiates):
            step = Step(subject, images, subject(images))
    finally:
        for handle in handles:
            handle.remove()
    if differentiates and labels is not None:
        step.loss = subject.task.loss_of(step.outputs, labels)
        _differentiate(step, active, keep_graph)
    return step


def _differentiate(step: Step, active: Sequence[Measurement], keep_graph: bool) -> None:
    """One backward pass by all that anybody asked for, each target once."""
    assert step.loss is not None
    wanted = {measurement: measurement.targets(step.subject) for measurement in active}
    targets = {id(target): target for targets in wanted.values() for target in targets}
    gradients = gradients_of(step.loss, list(targets.values()), keep_graph=keep_graph)
    by_target = dict(zip(targets, gradients, strict=True))
    step.gradients = {
        measurement: [by_target[id(target)] for target in targets] for measurement, targets in wanted.items()
    }
