"""AZ-NAS trainability (Lee & Ham, CVPR 2024): whether blocks keep the size of gradients."""

from __future__ import annotations

import math

from nas_core.proxies._blocks import BlockNorms
from nas_core.proxies._passes import Measured, Readings
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore

STABILISER = 1e-6
"""Added to s before its inverse is taken (the authors' code)."""


@register("az_trainability")
class AzTrainability(Measured):
    """`mean_l (2 - s_l - 1/s_l)`, s_l the spectral norm of `g_in^T g_out / positions` across block l; at most 0.

    g_out is a Rademacher vector on block features f_l, g_in its product with the block's Jacobian, at f_{l-1}; a map
    that the block halves is folded into channels first. Features as in `az_expressivity`. Pairs of features without
    a path between them are left out. NaN where none is left (a cell without a live path), and where a block is the
    identity, which the authors score minus infinity.

    Source: Lee & Ham, AZ-NAS: assembling zero-cost proxies for network architecture search, CVPR 2024, section 3.2.
    """

    name = "az_trainability"
    version = 2
    needs = Needs.GRADIENTS
    summary = "how well blocks keep the size of gradients (Lee & Ham, CVPR 2024)"
    reads = (BlockNorms,)

    def read(self, readings: Readings) -> ProxyScore:
        """The mean over blocks."""
        norms = readings[BlockNorms].norms
        if not norms:
            return ProxyScore(math.nan, reason="no path leads across a block")
        value = sum(2 - norm - 1 / (norm + STABILISER) for norm in norms) / len(norms)
        return ProxyScore(value, reason="a block is the identity, or a gradient is NaN" if math.isnan(value) else "")
