"""Regularised SWAP (Peng et al., ICLR 2024): SWAP held near a wanted size."""

from __future__ import annotations

import math

from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies._relu_codes import UnitPatterns
from nas_core.proxies.base import Needs, ProxyScore


@register("swap_reg")
class SwapReg(Measured):
    """`SWAP exp(-(p - mu)^2 / sigma)`, p the parameters of the scored network in millions.

    mu (million parameters) is the size that is wanted and sigma (its square) the tolerance. The authors tune both to
    the space; here both are 1, about the largest networks of NAS-Bench-201, so that size is a mild bonus there. A
    model without ReLU is refused.

    Source: Peng, Song, Fayek, Ciesielski & Chang, SWAP-NAS: sample-wise activation patterns for ultra-fast NAS,
    ICLR 2024, definition 3.3.
    """

    name = "swap_reg"
    needs = Needs.FORWARD
    summary = "sample-wise activation patterns, regularised by size (Peng et al., ICLR 2024)"
    reads = (UnitPatterns,)

    def __init__(self, mu: float = 1.0, sigma: float = 1.0) -> None:
        self.mu, self.sigma = mu, sigma

    def read(self, readings: Readings) -> ProxyScore:
        """The count times the bonus."""
        millions = sum(parameter.numel() for parameter in readings.subject.model.parameters()) / 1e6
        bonus = math.exp(-((millions - self.mu) ** 2) / self.sigma)
        return ProxyScore(readings[UnitPatterns].distinct * bonus)
