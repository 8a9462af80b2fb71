"""SWAP (Peng et al., ICLR 2024): how many different answers the units give to the images."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies._relu_codes import UnitPatterns
from nas_core.proxies._task import Loss, Output
from nas_core.proxies.base import Batches, Needs, ProxyScore, untouched

if TYPE_CHECKING:
    from torch import nn


@register("swap")
class Swap(Measured):
    """Number of distinct rows of the binary matrix (ReLU units x images), over the images of all batches.

    An integer from 1 to the smaller of 2^images and the units: it wants at least 16 images or so. A model without
    ReLU is refused.

    `initialisations=k` scores k other draws of the weights, by the `reset_parameters` of every module, and takes the
    mean, as the authors do; the default is the weights as they are.

    Source: Peng, Song, Fayek, Ciesielski & Chang, SWAP-NAS: sample-wise activation patterns for ultra-fast NAS,
    ICLR 2024, definition 3.2.
    """

    name = "swap"
    needs = Needs.FORWARD
    summary = "number of sample-wise activation patterns (Peng et al., ICLR 2024)"
    reads = (UnitPatterns,)

    def __init__(self, initialisations: int = 0) -> None:
        if initialisations < 0:
            raise ValueError(f"initialisations: got {initialisations}, expected 0 (the weights as they are) or more")
        self.initialisations = initialisations

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Score `model` on all batches, with its own weights or as a mean over drawn ones; they are given back.

        Raises:
            ValueError: batches, or a model, that cannot be used.
        """
        if not self.initialisations:
            return super().score(model, batches, output=output, loss=loss)
        started, values = time.perf_counter(), []
        for seed in range(self.initialisations):
            with untouched(model):
                _draw(model, seed)
                values.append(super().score(model, batches, output=output, loss=loss).value)
        return ProxyScore(sum(values) / len(values), seconds=time.perf_counter() - started)

    def read(self, readings: Readings) -> ProxyScore:
        """The count."""
        return ProxyScore(float(readings[UnitPatterns].distinct))


def _draw(model: nn.Module, seed: int) -> None:
    """Draw the weights of every module that can do so anew."""
    import torch

    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    with torch.no_grad():
        for module in model.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
