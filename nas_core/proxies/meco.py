"""MeCo (Jiang et al., NeurIPS 2023): how far a layer's feature maps are from repeating one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nas_core.proxies._images import images_first
from nas_core.proxies._layers import added, layer_table
from nas_core.proxies._passes import Measured, Measurement, Pass, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output
from nas_core.proxies._weights import Layer
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

FEW = 4
"""Positions of a map of 2 x 2 pixels, among which correlations of channels mean little."""


class MapCorrelations(Measurement):
    """Channels, positions and the smallest eigenvalue of the correlation matrix of every convolution's maps."""

    listens = Pass.RANDOM

    def __init__(self) -> None:
        self.of: dict[Layer, tuple[int, int, float]] = {}

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        convolutions = [layer for layer in subject.outputs if layer.is_convolution]
        return [layer.module.register_forward_hook(partial(self._keep, subject, layer)) for layer in convolutions]

    def _keep(
        self, subject: Subject, layer: Layer, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        maps = images_first(output.detach(), subject.images, f"the output of {layer.name}")[0].flatten(1)
        self.of[layer] = (*maps.shape, smallest_eigenvalue(maps))

    def add(self, step: Step) -> None:
        """All is kept by the hooks."""


class ModuleCorrelations(Measurement):
    """The same of every module's output, containers too, channels first: as the authors' code takes them."""

    listens = Pass.RANDOM

    def __init__(self) -> None:
        self.eigenvalues: list[float] = []

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return [module.register_forward_hook(self._keep) for module in subject.model.modules()]

    def _keep(self, _module: nn.Module, _inputs: tuple[Any, ...], returned: Any) -> None:
        import torch

        if isinstance(returned, torch.Tensor) and returned.dim() > 1:
            first = returned[0].detach()
            self.eigenvalues.append(smallest_eigenvalue(first.reshape(len(first), -1)))

    def add(self, step: Step) -> None:
        """All is kept by the hooks."""


def smallest_eigenvalue(maps: Tensor) -> float:
    """Of the correlation matrix of maps (channels, positions); correlations with an even map count as 0.

    NaN where a map holds NaN or infinity.
    """
    import torch

    if not bool(maps.isfinite().all()):
        return math.nan
    centred = maps.double() - maps.double().mean(dim=1, keepdim=True)
    lengths = centred.norm(dim=1, keepdim=True)
    unit = torch.where(lengths > 0, centred / lengths, 0.0)
    return float(torch.linalg.eigvalsh(unit @ unit.T)[0])


@register("meco")
class MeCo(Measured):
    """`sum_l lambda_min( corr(f_l) )`, f_l (C x HW) the maps convolution l makes of one standard normal image.

    The image is the first of the Gaussian batch and has the shape of the given images; batch norm sees the whole
    Gaussian batch. A layer with at least as many channels as positions has a singular matrix and adds 0 (small images
    and late stages; the authors take 64 x 64 pixels), and so does a Linear, over maps too. A map that is even
    everywhere (behind a dead cell) is uncorrelated with all, also with itself, as in the authors' code. A model that
    folds windows or patches into its batch is refused.

    The table has a row a layer: layer, kind, shape, weights, channels, positions, term (NaN for a Linear). Maps of
    2 x 2 pixels or smaller say nothing of how far channels differ; `reason` tells how many there are.

    `side` draws images of so many pixels instead of the given ones' size (the model has to take them). `over="modules"`
    sums over every module that returns a tensor, containers, norms and ReLUs too, without a table, as the authors'
    code does; figures computed by that code, with side 64, belong to this variant.

    Source: Jiang, Wang & Bie, MeCo: zero-shot NAS with one data and single forward pass via minimum eigenvalue of
    correlation, NeurIPS 2023.
    """

    name = "meco"
    needs = Needs.FORWARD
    summary = "smallest eigenvalues of feature-map correlations (Jiang et al., NeurIPS 2023)"
    reads = (MapCorrelations,)

    def __init__(self, side: int | None = None, over: str = "convolutions") -> None:
        if side is not None and side < 1:
            raise ValueError(f"side: got {side}, expected at least 1 pixel")
        if over not in ("convolutions", "modules"):
            raise ValueError(f"over: got {over!r}, expected convolutions or modules")
        self.side = side
        self.reads = (MapCorrelations,) if over == "convolutions" else (ModuleCorrelations,)  # type: ignore[misc, assignment]

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Score `model` with images of the shape of the first batch's (b, c, h, w), or of `side`.

        Raises:
            ValueError: batches, or a model, that cannot be used.
        """
        check_batches(batches, least=1, classes=loss is None)
        if self.side is not None:
            images, labels = batches[0]
            if images.dim() != 4:
                raise ValueError(f"side: the inputs have {images.dim()} dimensions, expected images (b, c, h, w)")
            batches = [(images.new_zeros(*images.shape[:2], self.side, self.side), labels)]
        return super().score(model, batches, output=output, loss=loss)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum over layers, or modules."""
        if ModuleCorrelations in self.reads:
            eigenvalues = readings[ModuleCorrelations].eigenvalues
            value = sum(eigenvalues)
            return ProxyScore(value, reason="a module's output is NaN or infinite" if math.isnan(value) else "")
        layers, of = readings.subject.outputs, readings[MapCorrelations].of
        rows = [of.get(layer, (None, None, None)) for layer in layers]
        value, reason = added(layers, [term for *_, term in rows], empty="no convolution ran")
        table = layer_table(layers, ["channels", "positions", "term"], rows)
        return ProxyScore(value, table, reason=reason or _small(rows))


def _small(rows: Sequence[tuple[int | None, int | None, float | None]]) -> str:
    """How many maps are too small to say much; empty where none is."""
    sizes = [positions for _, positions, _ in rows if positions is not None]
    small = sum(size <= FEW for size in sizes)
    return f"{small} of {len(sizes)} maps are 2 x 2 or smaller; meco with side= draws larger images" if small else ""
