"""Multiply-accumulates of one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.proxies._closed_form import StructureCount
from nas_core.proxies._registry import register
from nas_core.proxies.base import Batches, check_batches, untouched

if TYPE_CHECKING:
    from torch import Tensor, nn


@register("flops")
class Flops(StructureCount):
    """Multiply-accumulates of convolutions, linear layers and pooling windows; 2 an element of batch norm, 1 of ReLU.

    Global pooling that is no module of its own is not seen by the count on a module.

    Source: counted as the tables of Dong & Yang, NAS-Bench-201, ICLR 2020, count them.
    """

    name = "flops"
    summary = "multiply-accumulates of one image"

    def _count(self, model: nn.Module, batches: Batches) -> float:
        import torch
        from torch import nn

        check_batches(batches, least=1)
        total = 0

        def count(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            nonlocal total
            elements = output[0].numel()
            if isinstance(module, nn.Conv2d):
                total += elements * module.weight[0].numel()
            elif isinstance(module, nn.Linear):
                total += elements * module.in_features
            elif isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
                kernel = module.kernel_size
                total += elements * (kernel[0] * kernel[1] if isinstance(kernel, tuple) else kernel**2)
            elif isinstance(module, nn.BatchNorm2d):
                total += 2 * elements
            elif isinstance(module, nn.ReLU):
                total += elements

        handles = [module.register_forward_hook(count) for module in model.modules()]
        try:
            with untouched(model, train=False), torch.no_grad():
                model(batches[0][0][:1])
        finally:
            for handle in handles:
                handle.remove()
        return total
