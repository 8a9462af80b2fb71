"""VKDNW (Tybl & Neumann, CVPR 2025): how evenly an image informs the network's weights."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies._first_elements import MOST_ROWS, jacobians
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, gaussian_images

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["IMAGES", "MOST_ROWS", "SMOOTHING", "Vkdnw", "fisher_matrix"]

IMAGES = 8
"""Gaussian images the Fisher matrix is taken over."""
SMOOTHING = 0.05
"""Share of the uniform distribution mixed into the softmax, so that a saturated one still informs (authors' code)."""


@register("vkdnw")
class Vkdnw:
    """`n + H`, `H = -sum_k q_k log q_k`, q the normalised deciles 1 to 9 of the eigenvalues of the Fisher matrix.

    The matrix is `mean_x J_x^T (diag(p_x) - p_x p_x^T) J_x` over 8 standard normal images of the given images' shape:
    J_x (classes, parameters) holds the gradients of the logits by the first element of every weight and bias of
    convolutions, linear, attention and recurrent layers and BatchNorm2d (others are left out), p_x the softmax mixed
    with 5 % of the uniform distribution, all in eval mode. H lies between 0 and log 9; n counts those parameters, as
    the authors' code counts layers. NaN where all deciles are 0 (a cell without a live path). A model whose modules are
    none of torch's own, or fold the images, takes a backward pass for each image and class.

    Source: Tybl & Neumann, Training-free neural architecture search through variance of knowledge of deep network
    weights, CVPR 2025 (VKDNW_single).
    """

    name = "vkdnw"
    version = 1
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "entropy of the Fisher matrix's eigenvalues, plus layers (Tybl & Neumann, CVPR 2025)"

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Score `model` with the shape of the first batch's images (b, ...).

        Raises:
            ValueError: batches, or a model, that cannot be used; images that are integers.
        """
        check_batches(batches, least=1, classes=loss is None)
        started = time.perf_counter()
        subject = Subject(model, Task(output, loss))
        images, reason = gaussian_images(batches[0][0], IMAGES), subject.not_a_number()
        value = math.nan
        if not reason:
            value, reason = _entropy_and_count(fisher_matrix(subject, images))
        return ProxyScore(value, seconds=time.perf_counter() - started, reason=reason)


def _entropy_and_count(fisher: np.ndarray) -> tuple[float, str]:
    """`n + H` of a Fisher matrix (n, n), and why it is NaN where it is."""
    if not np.isfinite(fisher).all():
        return math.nan, "a gradient or an output is NaN or infinite"
    eigenvalues = np.linalg.eigvalsh(fisher).clip(min=0)
    deciles = np.quantile(eigenvalues, np.arange(1, 10) / 10)
    if not deciles.sum() > 0:
        return math.nan, "no direction of the weights informs the outputs"
    shares = deciles[deciles > 0] / deciles.sum()
    return len(fisher) - float((shares * np.log(shares)).sum()), ""


def fisher_matrix(subject: Subject, images: Tensor) -> np.ndarray:
    """The Fisher matrix (parameters, parameters) of the first elements, mean over images (b, ...)."""
    import torch

    fisher: Tensor | None = None
    with subject.visit(train=False):
        for logits, jacobian in jacobians(subject, images):
            p = (1 - SMOOTHING) * logits.softmax(dim=0) + SMOOTHING / len(logits)
            added = jacobian.T @ (torch.diag(p) - torch.outer(p, p)) @ jacobian
            fisher = added if fisher is None else fisher + added
    assert fisher is not None
    return (fisher / len(images)).numpy()
