"""SNIP (Lee et al., ICLR 2019): what the loss would lose with each connection."""

from __future__ import annotations

from nas_core.proxies._layers import FirstGradients, sum_of_terms
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore


@register("snip")
class Snip(Measured):
    """`sum_l sum_w |w dL/dw|` over the layers' weights, each once, on the first batch, L the mean cross-entropy.

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
        first = readings[FirstGradients]
        sums = [
            None if gradient is None else float((weight * gradient).abs().sum())
            for weight, gradient in zip(first.weights, first.gradients, strict=True)
        ]
        return sum_of_terms(readings.subject.layers, sums)
