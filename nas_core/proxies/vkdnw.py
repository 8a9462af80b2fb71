"""VKDNW (Tybl & Neumann, CVPR 2025): how evenly an image informs the network's weights."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies._registry import register
from nas_core.proxies.base import (
    Batches,
    Needs,
    ProxyScore,
    check_batches,
    gaussian_images,
    gradients_of,
    untouched,
    weighted_layers,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.autograd.graph import GradientEdge

IMAGES = 8
"""Gaussian images the Fisher matrix is taken over."""
MOST_ROWS = 128
"""Images times classes in a pass, a bound on memory where classes are many."""
SMOOTHING = 0.05
"""Share of the uniform distribution mixed into the softmax, so that a saturated one still informs (authors' code)."""


@register("vkdnw")
class Vkdnw:
    """`n + H`, `H = -sum_k q_k log q_k`, q the normalised deciles 1 to 9 of the eigenvalues of the Fisher matrix.

    The matrix is `mean_x J_x^T (diag(p_x) - p_x p_x^T) J_x` over 8 standard normal images of the given images' shape:
    J_x (classes, parameters) holds the gradients of the logits by the first element of every parameter of Conv2d,
    Linear and BatchNorm2d modules (others are left out), p_x the softmax mixed with 5 % of the uniform distribution,
    all in eval mode. H lies between 0 and log 9; n counts those parameters, as the authors' code counts layers. NaN
    where all deciles are 0 (a cell without a live path).

    Source: Tybl & Neumann, Training-free neural architecture search through variance of knowledge of deep network
    weights, CVPR 2025 (VKDNW_single).
    """

    name = "vkdnw"
    version = 1
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "entropy of the Fisher matrix's eigenvalues, plus layers (Tybl & Neumann, CVPR 2025)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model` with the shape of the first batch's images (b, ...)."""
        check_batches(batches, least=1)
        started = time.perf_counter()
        weighted_layers(model)
        fisher = fisher_matrix(model, gaussian_images(batches[0][0], IMAGES))
        eigenvalues = np.linalg.eigvalsh(fisher).clip(min=0)
        deciles = np.quantile(eigenvalues, np.arange(1, 10) / 10)
        if not deciles.sum() > 0:
            return ProxyScore(math.nan, seconds=time.perf_counter() - started)
        shares = deciles[deciles > 0] / deciles.sum()
        value = len(fisher) - float((shares * np.log(shares)).sum())
        return ProxyScore(value, seconds=time.perf_counter() - started)


@dataclass
class _Call:
    """A module's call: what went in, and the place of what came out in the graph."""

    module: nn.Module
    entered: Tensor
    left: GradientEdge


def fisher_matrix(model: nn.Module, images: Tensor) -> np.ndarray:
    """The Fisher matrix (parameters, parameters) of the first elements, mean over images (b, ...)."""
    import torch

    measured = [module for module in model.modules() if _is_measured(module)]
    with untouched(model, train=False), torch.enable_grad():
        with torch.no_grad():
            classes = model(images[:1]).shape[1]
        chunks = images.split(max(1, MOST_ROWS // classes))
        fisher = torch.stack([_fisher_sum(model, measured, chunk, classes) for chunk in chunks]).sum(dim=0)
    return (fisher / len(images)).numpy()


def _fisher_sum(model: nn.Module, measured: Sequence[nn.Module], images: Tensor, classes: int) -> Tensor:
    """The Fisher matrix summed over images.

    Every image is passed once a class, so that one backward pass finds the gradients of all logits: in eval mode the
    images of a batch do not meet.
    """
    import torch

    calls: list[_Call] = []
    handles = [module.register_forward_hook(lambda *call: _record_call(calls, *call)) for module in measured]
    try:
        logits = model(images.repeat_interleave(classes, dim=0))
    finally:
        for handle in handles:
            handle.remove()
    chosen = logits[torch.arange(len(logits)), torch.arange(classes).repeat(len(images))].sum()
    found = gradients_of(chosen, [call.left for call in calls])
    columns = {
        id(p): torch.zeros(len(logits), dtype=torch.float64) for m in measured for p in _weight_and_bias(m).values()
    }
    for call, gradient in zip(calls, found, strict=True):
        for name, parameter in _weight_and_bias(call.module).items():
            if gradient is not None:
                columns[id(parameter)] += _first_gradient(call, name, gradient).double().cpu()
    jacobian = torch.stack(list(columns.values()), dim=1).reshape(len(images), classes, -1)
    softmax = logits.detach()[::classes].double().cpu().softmax(dim=1)
    p = (1 - SMOOTHING) * softmax + SMOOTHING / classes
    covariance = torch.diag_embed(p) - p.unsqueeze(2) * p.unsqueeze(1)
    return (jacobian.transpose(1, 2) @ covariance @ jacobian).sum(dim=0)


def _is_measured(module: nn.Module) -> bool:
    from torch import nn

    return isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d)


def _weight_and_bias(module: nn.Module) -> dict[str, Tensor]:
    return {name: p for name, p in module.named_parameters(recurse=False) if name in ("weight", "bias")}


def _record_call(calls: list[_Call], module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    from torch.autograd.graph import get_gradient_edge

    if output.requires_grad:
        calls.append(_Call(module, inputs[0].detach().clone(), get_gradient_edge(output)))


def _first_gradient(call: _Call, name: str, gradient: Tensor) -> Tensor:
    """Gradients (images,) by the first element of a parameter, from those by the module's output."""
    import torch
    from torch import nn

    module, entered = call.module, call.entered
    if isinstance(module, nn.Linear):
        first = gradient[..., 0] if name == "bias" else gradient[..., 0] * entered[..., 0]
        return first.reshape(len(first), -1).sum(dim=1)
    first = gradient[:, 0]
    if name == "weight" and isinstance(module, nn.Conv2d):
        # What the element adds to the output is the convolution with a kernel that is 1 there and 0 elsewhere.
        kernel = torch.zeros_like(module.weight[: module.groups])
        kernel[0, 0, 0, 0] = 1
        first = first * module._conv_forward(entered, kernel, None)[:, 0]
    elif name == "weight" and isinstance(module, nn.BatchNorm2d):
        first = (
            first
            * nn.functional.batch_norm(
                entered, module.running_mean, module.running_var, training=module.running_mean is None, eps=module.eps
            )[:, 0]
        )
    return first.flatten(1).sum(dim=1)
