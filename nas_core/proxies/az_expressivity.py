"""AZ-NAS expressivity (Lee & Ham, CVPR 2024): how evenly features use their channels."""

from __future__ import annotations

import math

from nas_core.proxies._blocks import NO_FEATURE, BlockEntropies
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore


@register("az_expressivity")
class AzExpressivity(Measured):
    """`sum_l E_l`, E_l the entropy of the normalised eigenvalues of the covariance (c x c) of block features f_l.

    Features are those of `_blocks` (what enters the first block and what leaves each; else the outputs of weighted
    layers) on 64 standard normal images of the given images' shape, batch norm in train mode; covariance over images
    and positions. The weights stay as they are. NaN where a feature is constant (behind a cell without a live path).

    Source: Lee & Ham, AZ-NAS: assembling zero-cost proxies for network architecture search, CVPR 2024, section 3.2.
    """

    name = "az_expressivity"
    needs = Needs.FORWARD
    summary = "entropy of the blocks' feature covariances (Lee & Ham, CVPR 2024)"
    reads = (BlockEntropies,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum over features."""
        entropies = readings[BlockEntropies].entropies
        if not entropies:
            return ProxyScore(math.nan, reason=NO_FEATURE)
        value = sum(entropies)
        return ProxyScore(value, reason="a feature is constant, or NaN" if math.isnan(value) else "")
