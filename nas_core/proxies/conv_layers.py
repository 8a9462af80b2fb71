"""Number of convolutions that have a path to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.proxies._closed_form import LiveCount
from nas_core.proxies._registry import register

if TYPE_CHECKING:
    from torch import nn


@register("conv_layers")
class ConvLayers(LiveCount):
    """Live convolutions; over a cell space those inside cells only.

    Source: our own count; operations are those of Dong & Yang, NAS-Bench-201, ICLR 2020.
    """

    name = "conv_layers"
    summary = "number of live convolutions"

    def _count(self, live: Sequence[nn.Module]) -> float:
        from torch import nn

        return sum(isinstance(layer, nn.Conv2d) for layer in live)
