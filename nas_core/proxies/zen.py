"""Zen-score (Lin et al., ICCV 2021): how far features move with the image, batch norm undone."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from nas_core.proxies._drawn import call_with, gaussian_parameters
from nas_core.proxies._registry import register
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, finite, gaussian_images, untouched

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGES = 16
"""Images in a pass (the authors' setting for CIFAR-sized networks)."""
PERTURBATION = 0.01
"""alpha of the formula (Lin et al., 2021, algorithm 1)."""


@register("zen")
class Zen:
    """`log mean_n || f(x_n) - f(x_n + alpha e_n) ||_2 + sum_k log sqrt( mean_c var_kc )`, alpha 0.01.

    x and e are standard normal, 16 images each of the given images' shape; f are the last feature maps (b, c, h, w)
    that any module returns (the outputs where none returns maps), with standard normal weights drawn in place of the
    model's own; var_kc is the variance of channel c that enters batch norm k with x. Batch norms in train mode. The
    norm is the paper's Frobenius norm (the authors' code sums magnitudes); residual links stay, where the paper
    removes them. NaN where features do not move or a batch norm sees no variance (a cell without a live path).

    Source: Lin, Wang, Sun, Chen, Sun, Qian, Li & Jin, Zen-NAS: a zero-shot NAS for high-performance image
    recognition, ICCV 2021, algorithm 1.
    """

    name = "zen"
    version = 1
    higher_is_better = True
    needs = Needs.FORWARD
    summary = "log of how far features move, batch norm undone (Lin et al., ICCV 2021)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model` with the shape of the first batch's images (b, ...)."""
        import torch

        check_batches(batches, least=1)
        started = time.perf_counter()
        drawn = gaussian_images(batches[0][0], 2 * IMAGES)
        images, moved = drawn[:IMAGES], drawn[:IMAGES] + PERTURBATION * drawn[IMAGES:]
        state = gaussian_parameters(model)
        with untouched(model), torch.no_grad():
            variances, features = _pass(model, state, images)
            _, perturbed = _pass(model, state, moved)
        distance = float((features - perturbed).flatten(1).double().norm(dim=1).mean())
        if not distance > 0 or not all(variance > 0 for variance in variances):
            return ProxyScore(math.nan, seconds=time.perf_counter() - started)
        value = math.log(distance) + sum(math.log(math.sqrt(variance)) for variance in variances)
        return ProxyScore(finite(value), seconds=time.perf_counter() - started)


def _pass(model: nn.Module, state: dict[str, Tensor], images: Tensor) -> tuple[list[float], Tensor]:
    """Mean variances that enter the batch norms, in order, and the last feature maps."""
    from torch import nn

    variances: list[float] = []
    maps: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            entering = inputs[0].double()
            variances.append(float(entering.movedim(1, 0).flatten(1).var(dim=1, correction=0).mean()))
        if output.dim() == 4:
            maps[:] = [output.clone()]

    handles = [module.register_forward_hook(note) for module in model.modules() if not list(module.children())]
    try:
        outputs = call_with(model, state, images)
    finally:
        for handle in handles:
            handle.remove()
    return variances, maps[0] if maps else outputs
