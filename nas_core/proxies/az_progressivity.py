"""AZ-NAS progressivity (Lee & Ham, CVPR 2024): whether expressivity grows from block to block."""

from __future__ import annotations

import math
from itertools import pairwise

from nas_core.proxies._blocks import BlockEntropies
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore


@register("az_progressivity")
class AzProgressivity(Measured):
    """`min_l (E_l - E_{l-1})`, E_l the entropy of block features f_l as in `az_expressivity`.

    NaN with fewer than two features, or where a feature is constant (behind a cell without a live path).

    Source: Lee & Ham, AZ-NAS: assembling zero-cost proxies for network architecture search, CVPR 2024, section 3.2.
    """

    name = "az_progressivity"
    needs = Needs.FORWARD
    summary = "least growth of entropy from block to block (Lee & Ham, CVPR 2024)"
    reads = (BlockEntropies,)

    def read(self, readings: Readings) -> ProxyScore:
        """The smallest difference."""
        growth = [after - before for before, after in pairwise(readings[BlockEntropies].entropies)]
        if not growth:
            return ProxyScore(math.nan, reason="fewer than two blocks or layers returned features")
        if any(math.isnan(step) for step in growth):
            return ProxyScore(math.nan, reason="a feature is constant, or NaN")
        return ProxyScore(min(growth))
