"""Number of convolutions that have a path to the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.proxies._closed_form import ClosedForm, live_layers
from nas_core.proxies._registry import register
from nas_core.proxies.base import Batches

if TYPE_CHECKING:
    from torch import nn


@register("conv_layers")
class ConvLayers(ClosedForm):
    """Live convolutions; over a cell space those inside cells only."""

    name = "conv_layers"
    summary = "number of live convolutions"

    def _count(self, model: nn.Module, batches: Batches) -> float:
        from torch import nn

        return sum(isinstance(layer, nn.Conv2d) for layer in live_layers(model, batches))
