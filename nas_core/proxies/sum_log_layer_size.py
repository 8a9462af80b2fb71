"""Sum of the logarithms of the layers' sizes: what ZiCo mostly repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nas_core.proxies._closed_form import LiveCount
from nas_core.proxies._registry import register
from nas_core.proxies._weights import Layer


@register("sum_log_layer_size")
class SumLogLayerSize(LiveCount):
    """`sum_l log n_l`, n_l the weights of live layer l.

    Source: our own; the formula of ZiCo (Li et al., ICLR 2023) with every weight's ratio set to 1.
    """

    name = "sum_log_layer_size"
    summary = "sum of log weights over live layers"

    def _count(self, live: Sequence[Layer]) -> float:
        return sum(math.log(layer.size) for layer in live)
