"""What closed forms share: whole spaces at once from the space's own table, and counting on anybody's module."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies.base import (
    Batches,
    Needs,
    ProxyScore,
    check_batches,
    untouched,
    weight_gradients,
    weighted_layers,
)

if TYPE_CHECKING:
    from torch import nn

    from nas_core.spaces import Architecture, ImageShape, Scale, SearchSpace


class ClosedForm(ABC):
    """A count. `score_space` needs no torch and no network; `score` counts on a module."""

    name: str
    higher_is_better = True
    needs = Needs.NOTHING
    summary: str

    def score_space(
        self,
        space: SearchSpace,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        image: ImageShape | None = None,
        classes: int = 10,
        scale: Scale | None = None,
    ) -> np.ndarray:
        """Values of many architectures at once, float array (n,)."""
        return space.closed_forms(archs, image=image, classes=classes, scale=scale)[self.name].to_numpy(dtype=float)

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Count on `model`, with the first batch where a pass is needed to see what is live."""
        started = time.perf_counter()
        value = self._count(model, batches)
        return ProxyScore(float(value), seconds=time.perf_counter() - started)

    @abstractmethod
    def _count(self, model: nn.Module, batches: Batches) -> float:
        """The count itself."""


def live_layers(model: nn.Module, batches: Batches) -> list[nn.Module]:
    """Conv2d and Linear layers whose weight has a path to the loss."""
    check_batches(batches, least=1)
    layers = weighted_layers(model)
    with untouched(model):
        gradients = weight_gradients(model, layers, *batches[0])
    return [module for (_, module), gradient in zip(layers, gradients, strict=True) if gradient is not None]
