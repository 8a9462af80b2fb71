"""Networks in the memory order that a CPU runs fastest at small widths. Needs torch."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def to_channels_last(network: Network) -> Network:
    """Order the weights of `network`, in place, with channels last; it computes what it did.

    Convolutions of 1 x 1 pixels that stride are given the pixels they meet and stride no more: in this order torch
    2.13 writes past the end of their gradients on processors with AVX2 alone and fewer than 8 channels.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and module.stride != (1, 1):
            if any(module.padding):
                continue
            module.register_forward_pre_hook(_EveryNth(*module.stride))
            module.stride = (1, 1)
    return network.to(memory_format=torch.channels_last)


class _EveryNth:
    """Keeps of images (n, channels, height, width) every `down`-th row and every `right`-th column."""

    def __init__(self, down: int, right: int) -> None:
        self.down, self.right = down, right

    def __call__(self, module: nn.Module, inputs: Any) -> Tensor:
        return inputs[0][:, :, :: self.down, :: self.right]
