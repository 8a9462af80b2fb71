"""GraSP (Wang et al., ICLR 2020): what removing a weight does to the flow of the gradient."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nas_core.proxies._layers import sum_of_terms
from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore, finite, gradients_of

if TYPE_CHECKING:
    from torch import Tensor


class HessianGradientProducts(Measurement):
    """`H g` by layer on the first batch: Hessian of the loss by the weights times its gradient."""

    needs = Needs.GRADIENTS
    keeps_graph = True

    def __init__(self) -> None:
        self.weights: list[Tensor] = []
        self.products: list[Tensor | None] = []

    def add(self, step: Step) -> None:
        import torch

        weights, loss = step.subject.weights, step.loss
        self.weights, self.products = [weight.detach() for weight in weights], [None] * len(weights)
        if loss is None:
            return
        try:
            gradients = gradients_of(loss, weights, keep_graph=True, twice=True)
            flow = [gradient for gradient in gradients if gradient is not None and gradient.requires_grad]
            if flow:
                half_flow = torch.stack([(gradient.detach() * gradient).sum() for gradient in flow]).sum()
                self.products = gradients_of(half_flow, weights, keep_graph=True)
        except RuntimeError as error:
            raise ValueError(_not_twice(str(error))) from error


def _not_twice(message: str) -> str:
    """Why a second derivative cannot be taken, from what torch says of it."""
    named = re.search(r"derivative for '?([\w:]+)'? is not implemented", message)
    what = named[1].removesuffix("_backward") if named else message.splitlines()[0]
    return f"grasp takes second derivatives, which torch does not have of this model: {what}"


@register("grasp")
class Grasp(Measured):
    """`-sum_l sum_w w (H g)_w` over the layers' weights, each once, g the gradient and H the Hessian of L by them.

    On the first batch, L the mean cross-entropy; the product is exact (a second backward pass), the sign that of
    Abdelfattah et al. The table's term is a layer's sum, NaN where the product has no path to it. Without any the
    empty sum is 0; NaN where the sum overflows. A model with an operation that torch cannot differentiate twice
    (Hardsigmoid, recurrent layers of a library) is refused.

    Source: Wang, Zhang & Grosse, Picking winning tickets before training by preserving gradient flow, ICLR 2020;
    summed over the network as in Abdelfattah et al., ICLR 2021.
    """

    name = "grasp"
    needs = Needs.GRADIENTS
    summary = "loss of gradient flow, -weight x Hessian x gradient (Wang et al., ICLR 2020)"
    reads = (HessianGradientProducts,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum over layers."""
        found = readings[HessianGradientProducts]
        sums = [
            None if product is None else -float((weight * product).sum())
            for weight, product in zip(found.weights, found.products, strict=True)
        ]
        score = sum_of_terms(readings.subject.layers, sums)
        return replace(score, value=finite(score.value))
