"""Gradient norm (Abdelfattah et al., ICLR 2021)."""

from __future__ import annotations

import math

from nas_core.proxies._layers import FirstGradients, layer_table
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore


@register("grad_norm")
class GradNorm(Measured):
    """`sum_l || dL/dW_l ||_2` over Conv2d and Linear weights, on the first batch, L the mean cross-entropy.

    The table's term is a layer's norm, NaN without gradient. Without any gradient the empty sum is 0.

    Source: Abdelfattah, Mehrotra, Dudziak & Lane, Zero-cost proxies for lightweight NAS, ICLR 2021.
    """

    name = "grad_norm"
    needs = Needs.GRADIENTS
    summary = "sum of the layers' gradient norms (Abdelfattah et al., ICLR 2021)"
    reads = (FirstGradients,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum of the norms."""
        norms = [math.nan if g is None else float(g.norm()) for g in readings[FirstGradients].gradients]
        table = layer_table(readings.subject.layers, ["term"], [(norm,) for norm in norms])
        return ProxyScore(float(table["term"].sum()), table)
