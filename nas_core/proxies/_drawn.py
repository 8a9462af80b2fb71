"""Own passes with other weights than the model's: the parameters to call it with, and where its feature maps end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nas_core.proxies.base import SEED

if TYPE_CHECKING:
    from torch import Tensor, nn


def gaussian_parameters(model: nn.Module) -> dict[str, Tensor]:
    """Standard normal weights and no biases for Conv2d and Linear, scale 1 and shift 0 for norms; others as they are.

    Drawn layer by layer in definition order from one generator of seed `SEED`.
    """
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(SEED)
    drawn = {name: parameter.detach() for name, parameter in model.named_parameters()}
    for prefix, module in model.named_modules():
        own = {name: f"{prefix}.{name}" if prefix else name for name, _ in module.named_parameters(recurse=False)}
        if isinstance(module, nn.Conv2d | nn.Linear) and own["weight"] in drawn:
            weight = module.weight.detach()
            normal = torch.randn(weight.shape, generator=generator)
            drawn[own["weight"]] = torch.empty_like(weight).copy_(normal)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm) and "weight" in own:
            drawn[own["weight"]] = torch.ones_like(module.weight)
        else:
            continue
        if "bias" in own:
            drawn[own["bias"]] = torch.zeros_like(module.bias)  # type: ignore[arg-type]
    return drawn


def call_with(model: nn.Module, state: Mapping[str, Any], images: Tensor) -> Tensor:
    """Outputs of `model` with the parameters and buffers of `state` in place of its own, which are not touched."""
    from torch.func import functional_call

    return functional_call(model, dict(state), (images,))
