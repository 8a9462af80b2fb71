"""Number of convolutions that have a path to the loss."""

from __future__ import annotations

from collections.abc import Sequence

from nas_core.proxies._closed_form import LiveCount
from nas_core.proxies._registry import register
from nas_core.proxies._weights import Layer


@register("conv_layers")
class ConvLayers(LiveCount):
    """Live convolutions, of every dimension and transposed ones too; over a cell space those inside cells only.

    Source: our own count; operations are those of Dong & Yang, NAS-Bench-201, ICLR 2020.
    """

    name = "conv_layers"
    summary = "number of live convolutions"

    def _count(self, live: Sequence[Layer]) -> float:
        return sum(layer.is_convolution for layer in live)
