"""The number of ReLU layers: a simple measure of depth."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nas_core.proxies import Batches, Needs, ProxyScore
from nas_core.proxies.base import check_batches

if TYPE_CHECKING:
    from torch import nn


class ReluCount:
    """Counts ReLU layers. A deeper network has more of them."""

    name = "relu_count"
    version = 1
    higher_is_better = True
    needs = Needs.NOTHING
    summary = "number of ReLU layers (an example)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model`; it is only read."""
        from torch import nn

        check_batches(batches, least=1)
        started = time.perf_counter()
        count = sum(isinstance(layer, nn.ReLU) for layer in model.modules())
        return ProxyScore(float(count), seconds=time.perf_counter() - started)
