"""ZiCo-BC (Bhardwaj et al., ICCV workshops 2023): ZiCo without its bias towards thin and deep networks."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from nas_core.proxies._images import tensor_of
from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._weights import Layer
from nas_core.proxies.base import Needs, ProxyScore
from nas_core.proxies.zico import GradientMoments

if TYPE_CHECKING:
    from torch import nn
    from torch.utils.hooks import RemovableHandle


class MapSizes(Measurement):
    """Positions (H x W) of an image and channels of every layer's output; 1 position where it is no convolution."""

    def __init__(self) -> None:
        self.of: dict[Layer, tuple[float, int]] = {}

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return [layer.source.register_forward_hook(partial(self._note, subject, layer)) for layer in subject.outputs]  # type: ignore[union-attr]

    def _note(self, subject: Subject, layer: Layer, _module: nn.Module, _inputs: Any, returned: Any) -> None:
        output = tensor_of(returned, f"the output of {layer.name}")
        if layer.is_convolution:
            # Also of windows that are folded into the batch: all that is computed for an image.
            self.of[layer] = (output.numel() / (output.shape[1] * subject.images), output.shape[1])
        else:
            self.of[layer] = (1, output.shape[-1])

    def add(self, step: Step) -> None:
        """All is noted by the hooks."""


@register("zico_bc")
class ZiCoBC(Measured):
    """`ZiCo - beta sum_l log(H_l W_l / sqrt(C_l))`, H W the positions and C the channels of layer l's output, beta 1.

    Layers are those ZiCo counts: a layer it skips is not penalised, nor is a weight whose layer returns no output of
    its own (inside attention, recurrent). The output of a Linear has one position. Where all layers are skipped the
    score is 0. At least two batches.

    The table is ZiCo's with zico (its term), penalty (`log(H W / sqrt(C))`) and term (`zico - beta penalty`).

    Source: Bhardwaj, Cheng, Priyadarshi & Li, ZiCo-BC: a bias corrected zero-shot NAS for vision tasks, ICCV
    workshops 2023.
    """

    name = "zico_bc"
    needs = Needs.GRADIENTS
    summary = "ZiCo corrected for thin and deep networks (Bhardwaj et al., ICCVW 2023)"
    least_batches = 2
    reads = (GradientMoments, MapSizes)

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def read(self, readings: Readings) -> ProxyScore:
        """ZiCo's terms less the penalties of their layers."""
        subject, sizes = readings.subject, readings[MapSizes].of
        zico, reason = readings[GradientMoments].total(subject)
        table = readings[GradientMoments].table(subject).rename(columns={"term": "zico"})
        table["penalty"] = [_penalty(*sizes[layer]) if layer in sizes else 0.0 for layer in subject.layers]
        table["term"] = table["zico"] - self.beta * table["penalty"]
        return ProxyScore(math.nan if math.isnan(zico) else float(table["term"].sum()), table, reason=reason)


def _penalty(positions: float, channels: int) -> float:
    return math.log(positions / math.sqrt(channels))
