"""SWAP (Peng et al., ICLR 2024): how many different answers the units give to the images."""

from __future__ import annotations

from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies._relu_codes import UnitPatterns
from nas_core.proxies.base import Needs, ProxyScore


@register("swap")
class Swap(Measured):
    """Number of distinct rows of the binary matrix (ReLU units x images), over the images of all batches.

    An integer from 1 to the smaller of 2^images and the units: it wants at least 16 images or so. A model without
    ReLU is refused.

    Source: Peng, Song, Fayek, Ciesielski & Chang, SWAP-NAS: sample-wise activation patterns for ultra-fast NAS,
    ICLR 2024, definition 3.2.
    """

    name = "swap"
    needs = Needs.FORWARD
    summary = "number of sample-wise activation patterns (Peng et al., ICLR 2024)"
    reads = (UnitPatterns,)

    def read(self, readings: Readings) -> ProxyScore:
        """The count."""
        return ProxyScore(float(readings[UnitPatterns].distinct))
