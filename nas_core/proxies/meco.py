"""MeCo (Jiang et al., NeurIPS 2023): how far a layer's feature maps are from repeating one another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nas_core.proxies._layers import layer_table
from nas_core.proxies._passes import Measured, Measurement, Pass, Readings, Step, Subject
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle


class MapCorrelations(Measurement):
    """Channels, positions and the smallest eigenvalue of the correlation matrix of every convolution's maps."""

    listens = Pass.RANDOM

    def __init__(self) -> None:
        self.of: dict[nn.Module, tuple[int, int, float]] = {}

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return [module.register_forward_hook(self._keep) for _, module in subject.layers]

    def _keep(self, module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.dim() == 4:
            maps = output[0].detach().flatten(1)
            self.of[module] = (*maps.shape, smallest_eigenvalue(maps))

    def add(self, step: Step) -> None:
        """All is kept by the hooks."""


def smallest_eigenvalue(maps: Tensor) -> float:
    """Of the correlation matrix of maps (channels, positions); correlations with an even map count as 0."""
    import torch

    centred = maps.double() - maps.double().mean(dim=1, keepdim=True)
    lengths = centred.norm(dim=1, keepdim=True)
    unit = torch.where(lengths > 0, centred / lengths, 0.0)
    return float(torch.linalg.eigvalsh(unit @ unit.T)[0])


@register("meco")
class MeCo(Measured):
    """`sum_l lambda_min( corr(f_l) )`, f_l (C x HW) the maps convolution l makes of one standard normal image.

    The image is the first of the Gaussian batch and has the shape of the given images; batch norm sees the whole
    Gaussian batch. A layer with at least as many channels as positions has a singular matrix and adds 0 (small images
    and late stages; the authors take 64 x 64 pixels), and so does a Linear. A map that is even everywhere (behind a
    dead cell) is uncorrelated with all, also with itself, as in the authors' code.

    The table has a row a layer: layer, kind, shape, weights, channels, positions, term (NaN for a Linear).

    Source: Jiang, Wang & Bie, MeCo: zero-shot NAS with one data and single forward pass via minimum eigenvalue of
    correlation, NeurIPS 2023.
    """

    name = "meco"
    needs = Needs.FORWARD
    summary = "smallest eigenvalues of feature-map correlations (Jiang et al., NeurIPS 2023)"
    reads = (MapCorrelations,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum over layers."""
        layers, of = readings.subject.layers, readings[MapCorrelations].of
        rows = [of.get(module, (math.nan, math.nan, math.nan)) for _, module in layers]
        table = layer_table(layers, ["channels", "positions", "term"], rows)
        return ProxyScore(float(table["term"].sum()), table)
