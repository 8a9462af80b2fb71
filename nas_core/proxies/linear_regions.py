"""Number of linear regions the images fall into (Chen et al., ICLR 2021)."""

from __future__ import annotations

from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies._relu_codes import ImagePatterns
from nas_core.proxies.base import Needs, ProxyScore


@register("linear_regions")
class LinearRegions(Measured):
    """Number of distinct ReLU codes among the images of all batches; an integer from 1 to the number of images.

    Two images with equal codes lie in one linear region of the network. With few images a wide network tells all of
    them apart and the score stands at its ceiling: it wants many small images (the authors take 3 x 3 pixels). A
    model without ReLU is refused.

    Source: Chen, Gong & Wang, Neural architecture search on ImageNet in four GPU hours: a theoretically inspired
    perspective (TE-NAS), ICLR 2021, section 3.1.2; Xiong et al., ICML 2020.
    """

    name = "linear_regions"
    needs = Needs.FORWARD
    summary = "number of linear regions the images fall into (Chen et al., ICLR 2021)"
    reads = (ImagePatterns,)

    def read(self, readings: Readings) -> ProxyScore:
        """The count."""
        return ProxyScore(float(readings[ImagePatterns].distinct))
