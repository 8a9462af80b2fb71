"""Sum of the logarithms of the layers' sizes: what ZiCo mostly repeats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nas_core.proxies._closed_form import ClosedForm, live_layers
from nas_core.proxies._registry import register
from nas_core.proxies.base import Batches

if TYPE_CHECKING:
    from torch import nn


@register("sum_log_layer_size")
class SumLogLayerSize(ClosedForm):
    """`sum_l log n_l`, n_l the weights of live Conv2d and Linear layer l."""

    name = "sum_log_layer_size"
    summary = "sum of log weights over live layers"

    def _count(self, model: nn.Module, batches: Batches) -> float:
        return sum(math.log(layer.weight.numel()) for layer in live_layers(model, batches))  # type: ignore[operator,union-attr]
