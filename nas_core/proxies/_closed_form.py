"""What closed forms share: whole spaces at once from the space's own table, and counting on anybody's module."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.proxies._layers import NO_PATH, FirstGradients
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies._weights import Layer
from nas_core.proxies.base import Batches, Needs, ProxyScore

if TYPE_CHECKING:
    from torch import nn

    from nas_core.spaces import Architecture, InputShape, SearchSpace


class ClosedForm:
    """A count. `score_space` needs no torch and no network; `score` counts on a module."""

    name: str
    version = 1
    higher_is_better = True
    needs = Needs.NOTHING
    summary: str

    def score_space(
        self,
        space: SearchSpace,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: Any = None,
    ) -> np.ndarray:
        """Values of many architectures at once, float array (n,)."""
        return space.closed_forms(archs, input=input, classes=classes, scale=scale)[self.name].to_numpy(dtype=float)


class StructureCount(ClosedForm, ABC):
    """A closed form that is counted on a module without a gradient."""

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Count on `model`, with the first image where a pass is needed to see shapes.

        Raises:
            ValueError: a lazy layer that has seen no input, or batches that cannot be used.
        """
        started = time.perf_counter()
        value = self._count(Subject(model, Task(output, loss)), batches)
        return ProxyScore(float(value), seconds=time.perf_counter() - started)

    @abstractmethod
    def _count(self, subject: Subject, batches: Batches) -> float:
        """The count itself."""


class LiveCount(ClosedForm, Measured):
    """A closed form that is counted on the layers of a module which the first batch's gradient reaches."""

    reads = (FirstGradients,)

    def read(self, readings: Readings) -> ProxyScore:
        """Count the layers whose weight has a path to the loss, each weight once."""
        gradients = readings[FirstGradients].gradients
        layers = zip(readings.subject.layers, gradients, strict=True)
        live = [layer for layer, gradient in layers if gradient is not None]
        return ProxyScore(float(self._count(live)), reason="" if live else NO_PATH)

    @abstractmethod
    def _count(self, live: Sequence[Layer]) -> float:
        """The count over live layers."""
