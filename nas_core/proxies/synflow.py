"""SynFlow (Tanaka et al., NeurIPS 2020): flow through the network with all signs taken away."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from nas_core.proxies._drawn import call_with
from nas_core.proxies._layers import layer_table
from nas_core.proxies._registry import register
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, finite, untouched, weighted_layers

if TYPE_CHECKING:
    from torch import Tensor, nn


@register("synflow")
class SynFlow:
    """`sum_l sum_w |w| dR/d|w|` over Conv2d and Linear weights, R the summed outputs for one image of ones.

    Every parameter is replaced by its absolute value, batch norms (1d, 2d) by the identity, and all is computed in
    eval mode in double precision, as in the authors' code. Neither images nor labels matter, but for the shape of an
    image. The table's term is a layer's sum, NaN without a path to R; without any the empty sum is 0. The score is
    NaN where it overflows.

    Source: Tanaka, Kunin, Yamins & Ganguli, Pruning neural networks without any data by iteratively conserving
    synaptic flow, NeurIPS 2020; as a score, Abdelfattah et al., ICLR 2021.
    """

    name = "synflow"
    version = 1
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "synaptic flow of the network without signs (Tanaka et al., NeurIPS 2020)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model` with the shape of the first batch's images (b, ...)."""
        import torch

        check_batches(batches, least=1)
        started = time.perf_counter()
        layers = weighted_layers(model)
        parameters = {name: p.detach().double().abs().requires_grad_() for name, p in model.named_parameters()}
        buffers = {name: b.double() if b.is_floating_point() else b.clone() for name, b in model.named_buffers()}
        ones = torch.ones_like(batches[0][0][:1], dtype=torch.float64)
        handles = [module.register_forward_hook(_skip) for module in model.modules() if _is_norm(module)]
        try:
            with untouched(model, train=False), torch.enable_grad():
                flow = call_with(model, {**parameters, **buffers}, ones).sum()
        finally:
            for handle in handles:
                handle.remove()
        found: tuple[Tensor | None, ...] = (None,) * len(parameters)
        if flow.requires_grad:
            found = torch.autograd.grad(flow, list(parameters.values()), allow_unused=True)
        sums = {name: _sum(weight, g) for (name, weight), g in zip(parameters.items(), found, strict=True)}
        rows = [(sums.get(f"{name}.weight" if name else "weight", math.nan),) for name, _ in layers]
        table = layer_table(layers, ["term"], rows)
        return ProxyScore(finite(float(table["term"].sum())), table, time.perf_counter() - started)


def _sum(weight: Tensor, gradient: Tensor | None) -> float:
    return math.nan if gradient is None else float((weight.detach() * gradient).sum())


def _is_norm(module: nn.Module) -> bool:
    from torch import nn

    return isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)


def _skip(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> Tensor:
    return inputs[0]
