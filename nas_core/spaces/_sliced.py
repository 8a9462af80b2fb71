"""Layers that run at any width up to their own, on the first channels of one weight. Needs torch.

For shared weights in which a narrow network is part of a wider one. Source: Yu et al., Slimmable Neural Networks,
ICLR 2019; statistics of batch normalisation are not kept by width but measured anew before a path is scored.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Part(NamedTuple):
    """The entries of a weight that a path ran: `values`, `whole[region]` in the same memory, have the gradient."""

    whole: nn.Parameter
    region: tuple[slice, ...]
    values: Tensor


class Sliced(nn.Module):
    """A layer on parts of its weights.

    Gradients go to the weights themselves, zero where nothing ran, until `collect_parts` asks for them by parts.
    """

    parts: list[Part] | None = None

    def part(self, weight: nn.Parameter, *lengths: int) -> Tensor:
        """The first entries of `weight`: `lengths` along its first dimensions, all along the others."""
        if lengths == weight.shape[: len(lengths)]:
            return weight
        region = tuple(slice(length) for length in lengths)
        if self.parts is None or not torch.is_grad_enabled():
            return weight[region]
        shape = (*lengths, *weight.shape[len(lengths) :])
        values = weight.detach().as_strided(shape, weight.stride()).requires_grad_()  # `weight[region]`, but faster
        self.parts.append(Part(weight, region, values))
        return values


class SlicedConv2d(Sliced):
    """A convolution onto its first `width` channels, from as many as come in. Shares the weight of the one given."""

    def __init__(self, whole: nn.Conv2d) -> None:
        super().__init__()
        if whole.groups != 1 or whole.bias is not None or whole.dilation != (1, 1):
            raise ValueError("a sliced convolution has one group, no dilation and no bias")
        self.weight, self.stride, self.padding = whole.weight, whole.stride, whole.padding
        self.width = whole.out_channels

    def forward(self, features: Tensor) -> Tensor:
        weight = self.part(self.weight, self.width, features.shape[1])
        return nn.functional.conv2d(features, weight, stride=self.stride, padding=self.padding)


class SlicedBatchNorm2d(nn.BatchNorm2d, Sliced):
    """Batch normalisation of as many channels as come in; the others keep their statistics."""

    def __init__(self, whole: nn.BatchNorm2d) -> None:
        super().__init__(whole.num_features, eps=whole.eps, momentum=whole.momentum)
        self.load_state_dict(whole.state_dict())

    def forward(self, features: Tensor) -> Tensor:
        count = features.shape[1]
        if count == self.num_features:
            return super().forward(features)
        share = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            share = 1 / float(self.num_batches_tracked) if share is None else share
        tracked = not self.training or self.track_running_stats
        return nn.functional.batch_norm(
            features,
            self.running_mean[:count] if tracked else None,
            self.running_var[:count] if tracked else None,
            self.part(self.weight, count),
            self.part(self.bias, count),
            training=self.training,
            momentum=share or 0.0,
            eps=self.eps,
        )


class SlicedLinear(Sliced):
    """A linear layer of as many features as come in. Shares the weights of the one given."""

    def __init__(self, whole: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = whole.weight, whole.bias

    def forward(self, features: Tensor) -> Tensor:
        weight = self.part(self.weight, self.weight.shape[0], features.shape[1])
        return nn.functional.linear(features, weight, self.bias)


def slice_layers(module: nn.Module) -> None:
    """Put sliced layers in the place of every convolution, batch normalisation and linear layer below `module`."""
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            module.register_module(name, SlicedConv2d(child))
        elif isinstance(child, nn.BatchNorm2d):
            module.register_module(name, SlicedBatchNorm2d(child))
        elif isinstance(child, nn.Linear):
            module.register_module(name, SlicedLinear(child))
        else:
            slice_layers(child)


def collect_parts(module: nn.Module) -> list[Part]:
    """The list to which sliced layers below `module` add every part that they run from now on.

    Gradients are with the parts then, and with a weight itself where all of it ran. Whoever asks empties the list.
    """
    parts: list[Part] = []
    for layer in module.modules():
        if isinstance(layer, Sliced):
            layer.parts = parts
    return parts
