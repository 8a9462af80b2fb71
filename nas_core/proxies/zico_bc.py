"""ZiCo-BC (Bhardwaj et al., ICCV workshops 2023): ZiCo without its bias towards thin and deep networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nas_core.proxies._passes import Measured, Measurement, Readings, Step, Subject
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore
from nas_core.proxies.zico import GradientMoments

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle


class MapSizes(Measurement):
    """Positions (H x W) and channels of every weighted layer's output; 1 position where it is no feature map."""

    def __init__(self) -> None:
        self.of: dict[nn.Module, tuple[int, int]] = {}

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return [module.register_forward_hook(self._note) for _, module in subject.layers]

    def _note(self, module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        is_map = output.dim() == 4
        self.of[module] = (output[0, 0].numel(), output.shape[1]) if is_map else (1, output.shape[-1])

    def add(self, step: Step) -> None:
        """All is noted by the hooks."""


@register("zico_bc")
class ZiCoBC(Measured):
    """`ZiCo - beta sum_l log(H_l W_l / sqrt(C_l))`, H W the positions and C the channels of layer l's output, beta 1.

    Layers are those ZiCo counts: a layer it skips is not penalised. The output of a Linear has one position. Where
    all layers are skipped the score is 0. At least two batches.

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
        table = readings[GradientMoments].table(subject).rename(columns={"term": "zico"})
        table["penalty"] = [_penalty(*sizes[module]) if module in sizes else math.nan for _, module in subject.layers]
        table["term"] = table["zico"] - self.beta * table["penalty"]
        return ProxyScore(float(table["term"].sum()), table)


def _penalty(positions: int, channels: int) -> float:
    return math.log(positions / math.sqrt(channels))
