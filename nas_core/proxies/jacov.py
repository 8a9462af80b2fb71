"""Jacobian covariance (Mellor et al., 2020): how alike the outputs' gradients by different images are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore, gradients_of

if TYPE_CHECKING:
    from torch import Tensor

STABILISER = 1e-5
"""k of the formula (Mellor et al., 2020, section 3)."""


class InputGradients(Measurement):
    """Gradients of the summed outputs by the first batch's images (b, ...); None without a path."""

    needs = Needs.GRADIENTS
    keeps_graph = True

    def __init__(self) -> None:
        self.gradients: Tensor | None = None

    def add(self, step: Step) -> None:
        if not step.images.is_floating_point():
            found = f"got integers ({step.images.dtype})"
            raise ValueError(f"jacov takes gradients by the images; {found}, expected floating-point numbers")
        (self.gradients,) = gradients_of(step.outputs.sum(), [step.images], keep_graph=True)


@register("jacov")
class Jacov(Measured):
    """`-sum_i ( log(v_i + k) + 1/(v_i + k) )`, v the eigenvalues of the correlation matrix (b x b) of the Jacobians.

    Row n of the Jacobians is the gradient of the outputs' sum by image n of the first batch; k is 1e-5. At most -b,
    where all rows are uncorrelated. NaN where an image has no gradient or an even one, so that correlations are
    undefined (a cell without a live path).

    Source: Mellor, Turner, Storkey & Crowley, Neural architecture search without training, arXiv:2006.04647v1, 2020;
    named jacob_cov in Abdelfattah et al., ICLR 2021.
    """

    name = "jacov"
    needs = Needs.GRADIENTS
    summary = "spread of the correlations of input Jacobians (Mellor et al., 2020)"
    reads = (InputGradients,)

    def read(self, readings: Readings) -> ProxyScore:
        """Minus the sum over eigenvalues."""
        gradients = readings[InputGradients].gradients
        if gradients is None:
            return ProxyScore(math.nan, reason="no path leads from the images to the output")
        rows = gradients.flatten(1).double().cpu().numpy()
        rows = rows - rows.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (lengths > 0).all():
            return ProxyScore(math.nan, reason="an image has a gradient that is even, or NaN")
        rows = rows / lengths
        eigenvalues = np.linalg.eigvalsh(rows @ rows.T).clip(min=0) + STABILISER
        return ProxyScore(float(-(np.log(eigenvalues) + 1 / eigenvalues).sum()))
