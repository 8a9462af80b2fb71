"""GraSP (Wang et al., ICLR 2020): what removing a weight does to the flow of the gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nas_core.proxies._layers import layer_table
from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore, finite

if TYPE_CHECKING:
    from torch import Tensor


class HessianGradientProducts(Measurement):
    """`H g` by layer on the first batch: Hessian of the cross-entropy by the weights times its gradient."""

    needs = Needs.GRADIENTS
    keeps_graph = True

    def __init__(self) -> None:
        self.products: list[Tensor | None] = []

    def add(self, step: Step) -> None:
        import torch

        weights, loss = step.subject.weights, step.loss
        self.products = [None] * len(weights)
        trained = [number for number, weight in enumerate(weights) if weight.requires_grad]
        if loss is None or not loss.requires_grad or not trained:
            return
        wanted = [weights[number] for number in trained]
        gradients = torch.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
        flow = [gradient for gradient in gradients if gradient is not None and gradient.requires_grad]
        if not flow:
            return
        half_flow = torch.stack([(gradient.detach() * gradient).sum() for gradient in flow]).sum()
        found = torch.autograd.grad(half_flow, wanted, retain_graph=True, allow_unused=True)
        for number, product in zip(trained, found, strict=True):
            self.products[number] = product


@register("grasp")
class Grasp(Measured):
    """`-sum_l sum_w w (H g)_w` over Conv2d and Linear weights, g the gradient and H the Hessian of L by them.

    On the first batch, L the mean cross-entropy; the product is exact (a second backward pass), the sign that of
    Abdelfattah et al. The table's term is a layer's sum, NaN where the product has no path to it. Without any the
    empty sum is 0; NaN where the sum overflows.

    Source: Wang, Zhang & Grosse, Picking winning tickets before training by preserving gradient flow, ICLR 2020;
    summed over the network as in Abdelfattah et al., ICLR 2021.
    """

    name = "grasp"
    needs = Needs.GRADIENTS
    summary = "loss of gradient flow, -weight x Hessian x gradient (Wang et al., ICLR 2020)"
    reads = (HessianGradientProducts,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum over layers."""
        subject, products = readings.subject, readings[HessianGradientProducts].products
        sums = [
            math.nan if product is None else -float((weight.detach() * product).sum())
            for weight, product in zip(subject.weights, products, strict=True)
        ]
        table = layer_table(subject.layers, ["term"], [(total,) for total in sums])
        return ProxyScore(finite(float(table["term"].sum())), table)
