"""Condition number of the neural tangent kernel (Chen et al., ICLR 2021)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import one_row_an_image
from nas_core.proxies.base import Needs, ProxyScore, gradients_of

if TYPE_CHECKING:
    from torch import Tensor


MOST_IMAGES = 16
"""Images of the kernel, which takes a backward pass for each."""


class TangentKernel(Measurement):
    """The kernel of the first batch's first images: products of the gradients of every image's summed outputs."""

    needs = Needs.GRADIENTS
    keeps_graph = True

    def __init__(self) -> None:
        self.kernel: Tensor | None = None

    def add(self, step: Step) -> None:
        import torch

        weights, outputs = _weights(step.subject), one_row_an_image(step.outputs, step.subject.images)
        images = [gradients_of(output.sum(), weights, keep_graph=True) for output in outputs[:MOST_IMAGES]]
        self.kernel = torch.zeros(len(images), len(images), dtype=torch.float64, device="cpu")
        for gradients in zip(*images, strict=True):
            if gradients[0] is not None:
                rows = torch.stack([g.flatten() for g in gradients if g is not None]).double()
                self.kernel += (rows @ rows.T).cpu()


def _weights(subject: Subject) -> list[Tensor]:
    """The weights of layers, and all other parameters called weight, each once."""
    layers = subject.layers
    held = {id(tensor) for layer in layers for tensor in layer.made_of}
    others = [p for name, p in subject.model.named_parameters() if name.endswith("weight") and id(p) not in held]
    return [*subject.weights, *others]


@register("ntk_condition")
class NtkCondition(Measured):
    """`lambda_max / lambda_min` of the tangent kernel `Theta = J J^T` of the first batch; lower is better.

    The kernel is (n x n) over the n first images, 16 at most, as each takes a backward pass. Row i of J is the
    gradient of the sum of image i's outputs by the layers' weights and all other parameters called weight (batch
    norms; no biases), batch norm in train mode, as in the authors' code. NaN where the kernel is singular (a cell
    without a live path, two equal images).

    Source: Chen, Gong & Wang, Neural architecture search on ImageNet in four GPU hours: a theoretically inspired
    perspective (TE-NAS), ICLR 2021, equation 4.
    """

    name = "ntk_condition"
    higher_is_better = False
    needs = Needs.GRADIENTS
    summary = "condition number of the neural tangent kernel (Chen et al., ICLR 2021)"
    reads = (TangentKernel,)

    def read(self, readings: Readings) -> ProxyScore:
        """The condition number."""
        kernel = np.asarray(readings[TangentKernel].kernel)
        if not np.isfinite(kernel).all():
            return ProxyScore(math.nan, reason="a gradient is NaN or infinite")
        eigenvalues = np.linalg.eigvalsh(kernel)
        least, most = float(eigenvalues[0]), float(eigenvalues[-1])
        # Below the rounding of the gradients (float32) an eigenvalue is noise.
        singular = not most > 0 or least <= most * np.finfo(np.float32).eps ** 2
        return ProxyScore(math.nan, reason="the kernel is singular") if singular else ProxyScore(most / least)
