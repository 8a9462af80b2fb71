"""Zen-score (Lin et al., ICCV 2021): how far features move with the image, batch norm undone."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from nas_core.proxies._drawn import draw_gaussian_weights
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies._weights import batch_norms
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, finite, gaussian_images

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
    model's own in convolutions, linear, attention and recurrent layers; var_kc is the variance of channel c that enters
    batch norm k with x. Batch norms in train mode. Residual links stay, where the paper removes them. NaN where
    features do not move or a batch norm sees no variance (a cell without a live path).

    The norm is the paper's Frobenius norm. `norm="l1"` sums magnitudes, as the authors' code does; figures computed by
    that code belong to this variant.

    Source: Lin, Wang, Sun, Chen, Sun, Qian, Li & Jin, Zen-NAS: a zero-shot NAS for high-performance image
    recognition, ICCV 2021, algorithm 1.
    """

    name = "zen"
    version = 1
    higher_is_better = True
    needs = Needs.FORWARD
    summary = "log of how far features move, batch norm undone (Lin et al., ICCV 2021)"

    def __init__(self, norm: str = "frobenius") -> None:
        if norm not in ("frobenius", "l1"):
            raise ValueError(f"norm: got {norm!r}, expected frobenius or l1")
        self.norm = norm

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Score `model` with the shape of the first batch's images (b, ...).

        Raises:
            ValueError: batches, or a model, that cannot be used; images that are integers.
        """
        import torch

        check_batches(batches, least=1, classes=loss is None)
        started = time.perf_counter()
        subject = Subject(model, Task(output, loss))
        drawn = gaussian_images(batches[0][0], 2 * IMAGES)
        images, moved = drawn[:IMAGES], drawn[:IMAGES] + PERTURBATION * drawn[IMAGES:]
        with subject.visit(), torch.no_grad():
            draw_gaussian_weights(subject)
            variances, features = _pass(subject, images)
            _, perturbed = _pass(subject, moved)
        moves = (features - perturbed).flatten(1).double()
        distance = float(moves.norm(p=1 if self.norm == "l1" else 2, dim=1).mean())
        value, reason = math.nan, ""
        if not distance > 0:
            reason = "the features do not move with the image, or are NaN"
        elif not all(variance > 0 for variance in variances):
            reason = "a batch norm sees no variance, or NaN"
        else:
            value = finite(math.log(distance) + sum(math.log(math.sqrt(variance)) for variance in variances))
        return ProxyScore(value, seconds=time.perf_counter() - started, reason=reason)


def _pass(subject: Subject, images: Tensor) -> tuple[list[float], Tensor]:
    """Mean variances that enter the batch norms, in order, and the last feature maps."""
    import torch

    variances: list[float] = []
    maps: list[Tensor] = []

    def enters(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        entering = inputs[0].double()
        variances.append(float(entering.movedim(1, 0).flatten(1).var(dim=1, correction=0).mean()))

    def leaves(_module: nn.Module, _inputs: tuple[Any, ...], returned: Any) -> None:
        if isinstance(returned, torch.Tensor) and returned.dim() == 4:
            maps[:] = [returned.clone()]

    modules = list(subject.model.modules())
    handles = [module.register_forward_pre_hook(enters) for module in modules if isinstance(module, batch_norms())]
    handles += [module.register_forward_hook(leaves) for module in modules if not list(module.children())]
    try:
        returned = subject.run(images)
    finally:
        for handle in handles:
            handle.remove()
    return variances, maps[0] if maps else subject.task.choose(returned)
