"""SNIP (Lee et al., ICLR 2019): what the loss would lose with each connection."""

from __future__ import annotations

import math

from nas_core.proxies._layers import FirstGradients, layer_table
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore


@register("snip")
class Snip(Measured):
    """`sum_l sum_w |w dL/dw|` over the Conv2d and Linear weights, on the first batch, L the mean cross-entropy.

    The table's term is a layer's sum, NaN without gradient. Without any gradient the empty sum is 0.

    Source: Lee, Ajanthan & Torr, SNIP: single-shot network pruning based on connection sensitivity, ICLR 2019;
    summed over the network as in Abdelfattah et al., ICLR 2021.
    """

    name = "snip"
    needs = Needs.GRADIENTS
    summary = "sum of |weight x gradient| (Lee et al., ICLR 2019)"
    reads = (FirstGradients,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum of the sensitivities."""
        subject, gradients = readings.subject, readings[FirstGradients].gradients
        sums = [
            math.nan if gradient is None else float((weight.detach() * gradient).abs().sum())
            for weight, gradient in zip(subject.weights, gradients, strict=True)
        ]
        table = layer_table(subject.layers, ["term"], [(total,) for total in sums])
        return ProxyScore(float(table["term"].sum()), table)
