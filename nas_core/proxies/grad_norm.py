"""Gradient norm (Abdelfattah et al., ICLR 2021)."""

from __future__ import annotations

from nas_core.proxies._layers import FirstGradients, sum_of_terms
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore


@register("grad_norm")
class GradNorm(Measured):
    """`sum_l || dL/dW_l ||_2` over the layers' weights, each once, on the first batch, L the mean cross-entropy.

    The table's term is a layer's norm, NaN without gradient. Without any gradient the empty sum is 0.

    Source: Abdelfattah, Mehrotra, Dudziak & Lane, Zero-cost proxies for lightweight NAS, ICLR 2021.
    """

    name = "grad_norm"
    needs = Needs.GRADIENTS
    summary = "sum of the layers' gradient norms (Abdelfattah et al., ICLR 2021)"
    reads = (FirstGradients,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum of the norms."""
        norms = [None if g is None else float(g.norm()) for g in readings[FirstGradients].gradients]
        return sum_of_terms(readings.subject.layers, norms)
