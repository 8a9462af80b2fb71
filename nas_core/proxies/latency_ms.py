"""Milliseconds of a forward pass, taken with a clock on this machine: a cost, not a prediction of accuracy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies._registry import register
from nas_core.proxies._subject import explained
from nas_core.proxies._task import Loss, Output
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, untouched

if TYPE_CHECKING:
    from torch import Tensor, nn

WARM_UP = 3
"""Passes before the clock counts: the first ones choose kernels and fill caches."""
PASSES = 11
"""Passes timed; their median leaves out those that another program held up."""


@register("latency_ms")
class LatencyMs:
    """Median milliseconds of a forward pass of the first image batch, in eval mode without gradients, after warm-up.

    Measured, not computed: it holds for this machine under its present load, for the size of batch and network of the
    settings, on the device the model is on (a run's workers: one CPU thread each, side by side). It is not reproducible
    to the bit, and a value kept from an earlier run was measured then.

    Source: latency measured on the device as a search objective, Tan et al., MnasNet, CVPR 2019.
    """

    name = "latency_ms"
    version = 1
    higher_is_better = False
    reproducible = False  # of this machine and this moment: no cache keeps it for another
    needs = Needs.FORWARD
    summary = "milliseconds of a forward pass of one batch, measured on this machine"

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Time `model` on the first batch of images (b, ...); the model is left unchanged, a compiled one compiled.

        Raises:
            ValueError: batches no proxy can use.
        """
        import torch

        check_batches(batches, least=1, classes=loss is None)
        started = time.perf_counter()
        images = batches[0][0]
        with untouched(model, train=False), torch.inference_mode(), explained(model, images):
            taken = [_seconds(model, images.clone()) for _ in range(WARM_UP + PASSES)][WARM_UP:]
        return ProxyScore(1000 * float(np.median(taken)), seconds=time.perf_counter() - started)


def _seconds(model: nn.Module, images: Tensor) -> float:
    """One pass; an accelerator answers before it is done, so it is waited for."""
    import torch

    started = time.perf_counter()
    model(images)
    if images.is_cuda:
        torch.cuda.synchronize(images.device)
    return time.perf_counter() - started
