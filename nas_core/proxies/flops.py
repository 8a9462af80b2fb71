"""Multiply-accumulates of one forward pass."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from nas_core.proxies._closed_form import StructureCount
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies.base import Batches, check_batches

if TYPE_CHECKING:
    from torch import nn


@register("flops")
class Flops(StructureCount):
    """Multiply-accumulates of one image, with those of pooling windows, 2 an element of BatchNorm2d and 1 of ReLU.

    Convolutions of every kind, matrix products and attention are counted where they are computed, in a module or in a
    function, by `torch.utils.flop_counter`, which counts two for each multiply-accumulate. Global pooling that is no
    module of its own is not seen.

    Source: counted as the tables of Dong & Yang, NAS-Bench-201, ICLR 2020, count them.
    """

    name = "flops"
    summary = "multiply-accumulates of one image"

    def _count(self, subject: Subject, batches: Batches) -> float:
        import torch
        from torch import nn
        from torch.utils.flop_counter import FlopCounterMode

        check_batches(batches, least=1, classes=subject.task.loss is None)
        counter = FlopCounterMode(display=False)
        beside: list[float] = []

        def enters(_module: nn.Module, _inputs: tuple[Any, ...]) -> None:
            beside.append(counter.get_total_flops() / 2)

        def leaves(_module: nn.Module, _inputs: tuple[Any, ...], _output: Any) -> None:
            # A window counts once, also where it is computed by a convolution.
            beside[-1] -= counter.get_total_flops() / 2

        def count(module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
            if isinstance(output, torch.Tensor):
                beside.append(_beside_products(module, output.numel()))

        with subject.visit(train=False), torch.no_grad(), ExitStack() as stack:
            for module in subject.model.modules():
                stack.callback(module.register_forward_hook(count).remove)
                if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
                    stack.callback(module.register_forward_pre_hook(enters).remove)
                    stack.callback(module.register_forward_hook(leaves, prepend=True).remove)
            if any(isinstance(module, nn.RNNBase) for module in subject.model.modules()):
                # One operation of a library that the counter does not know, where it is not taken apart.
                stack.enter_context(warnings.catch_warnings(action="ignore"))  # of settings of other hardware
                stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
                stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            stack.enter_context(counter)
            subject.run(batches[0][0][:1])
        return sum(beside) + counter.get_total_flops() / 2


def _beside_products(module: nn.Module, elements: int) -> int:
    """What the tables count of a module with so many elements in its output, beside multiply-accumulates."""
    from torch import nn

    if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
        kernel = module.kernel_size
        return elements * (kernel[0] * kernel[1] if isinstance(kernel, tuple) else kernel**2)
    if isinstance(module, nn.BatchNorm2d):
        return 2 * elements
    return elements if isinstance(module, nn.ReLU) else 0
