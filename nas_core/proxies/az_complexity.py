"""AZ-NAS complexity (Lee & Ham, CVPR 2024): the FLOPs of the scored network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nas_core.proxies._registry import register
from nas_core.proxies._task import Loss, Output
from nas_core.proxies.base import Batches, Needs, ProxyScore
from nas_core.proxies.flops import Flops

if TYPE_CHECKING:
    from torch import nn


@register("az_complexity")
class AzComplexity:
    """Multiply-accumulates of one image through the scored network, counted as `flops` counts on a module.

    Over a cell space `flops` describes the network at full scale; this is the network as it is, so that the four
    AZ-NAS scores speak of the same one. Dead edges are never run and cost nothing.

    Source: Lee & Ham, AZ-NAS: assembling zero-cost proxies for network architecture search, CVPR 2024, section 3.2.
    """

    name = "az_complexity"
    version = 1
    higher_is_better = True
    needs = Needs.FORWARD
    summary = "multiply-accumulates of the scored network (Lee & Ham, CVPR 2024)"

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Count on `model` with one image of the first batch."""
        started = time.perf_counter()
        value = Flops().score(model, batches, output=output, loss=loss).value
        return ProxyScore(value, seconds=time.perf_counter() - started)
