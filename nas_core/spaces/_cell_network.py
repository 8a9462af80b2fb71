"""Cells of four summing nodes and what stands between them. Needs torch.

Shared by NAS-Bench-201, NATS-Bench and TransNAS-Bench-101; written after the networks published with those
benchmarks (Dong & Yang 2020; Dong et al. 2021; Duan et al. 2021).
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn

from nas_core.spaces._nb201_cell import CONV1, CONV3, EDGES, NONE, POOL, SKIP
from nas_core.spaces.parts import Architecture


class Conv2d(nn.Conv2d):
    """A convolution whose weight is drawn once, by the network that holds it."""

    def reset_parameters(self) -> None:
        """Leave the weight as allocated: `StemBlocksHead` draws it."""


class ReluConvNorm(nn.Sequential):
    """ReLU, convolution without bias, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Zero(nn.Module):
    """The operation `none`: zeros in the shape of its input."""

    def forward(self, features: Tensor) -> Tensor:
        return torch.zeros_like(features)


class AveragePool(nn.AvgPool2d):
    """Average of 3 x 3 pixels, those outside the image left out, in the shape of its input.

    Written as a convolution of every channel by itself, which a CPU runs several times faster, backwards above all.
    """

    def __init__(self) -> None:
        super().__init__(3, stride=1, padding=1, count_include_pad=False)

    def forward(self, features: Tensor) -> Tensor:
        kernel, share = _window(*features.shape[1:], features.dtype, features.device)
        return nn.functional.conv2d(features, kernel, padding=1, groups=features.shape[1]) * share


@functools.lru_cache(maxsize=64)
def _window(channels: int, height: int, width: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Kernel of ones (channels, 1, 3, 3), and what each position's sum is multiplied by (1, 1, height, width)."""
    with torch.inference_mode(False):
        ones = torch.ones(1, 1, height, width, device=device)
        share = 1 / nn.functional.avg_pool2d(ones, 3, stride=1, padding=1, divisor_override=1)
        return torch.ones(channels, 1, 3, 3, dtype=dtype, device=device), share.to(dtype)


class ChannelSkip(nn.Sequential):
    """The skip of an edge that changes the channels: 1 x 1 convolution and batch normalisation, without a ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class FactorizedReduce(nn.Module):
    """The skip of an edge that halves the resolution: two strided 1 x 1 convolutions, the second one pixel on."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.even = Conv2d(inputs, outputs // 2, 1, stride=2, bias=False)
        self.odd = Conv2d(inputs, outputs - outputs // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        features = self.relu(features)
        shifted = nn.functional.pad(features, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.even(features), self.odd(shifted)], dim=1))


def _operation(choice: int, inputs: int, outputs: int, stride: int) -> nn.Module:
    if choice == NONE:
        return Zero()
    if choice == SKIP:
        if stride == 2:
            return FactorizedReduce(inputs, outputs)
        return nn.Identity() if inputs == outputs else ChannelSkip(inputs, outputs)
    if choice == POOL:
        return AveragePool()
    return ReluConvNorm(inputs, outputs, {CONV1: 1, CONV3: 3}[choice], stride)


def used_edges(arch: Architecture) -> tuple[bool, ...]:
    """Which edges lead to the output; the others are never run, as nothing would come of them."""
    reaches = {3}
    for (source, target), choice in sorted(zip(EDGES, arch, strict=True), reverse=True):
        if choice != NONE and target in reaches:
            reaches.add(source)
    return tuple(choice != NONE and target in reaches for (_, target), choice in zip(EDGES, arch, strict=True))


class Cell(nn.Module):
    """Four nodes; every node sums its incoming edges. Edges from the input carry the change of channels and stride.

    Input `(batch, inputs, height, width)`, output `(batch, outputs, ceil(height / stride), ceil(width / stride))`.
    """

    def __init__(self, arch: Architecture, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.choices = tuple(arch)
        self._runs = used_edges(arch)
        self.outputs, self.stride = outputs, stride
        self.edges = nn.ModuleList(
            _operation(choice, outputs if source else inputs, outputs, 1 if source else stride)
            for choice, (source, _) in zip(arch, EDGES, strict=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        nodes: list[Tensor | None] = [features, None, None, None]
        for (source, target), runs, edge in zip(EDGES, self._runs, self.edges, strict=True):
            origin = nodes[source]
            if not runs or origin is None:
                continue
            value, sofar = edge(origin), nodes[target]
            nodes[target] = value if sofar is None else sofar + value
        if nodes[3] is not None:
            return nodes[3]
        batch, _, height, width = features.shape
        return features.new_zeros(batch, self.outputs, -(-height // self.stride), -(-width // self.stride))


class Reduction(nn.Module):
    """The residual block between stages: halves the resolution, changes the channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ReluConvNorm(inputs, outputs, 3, stride=2)
        self.second = ReluConvNorm(outputs, outputs, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, stride=2, ceil_mode=True), Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        return self.shortcut(features) + self.second(self.first(features))


class StemBlocksHead(nn.Module):
    """Stem of `stem` channels, the blocks, batch norm and ReLU over `width` channels, global pooling, linear head."""

    def __init__(self, blocks: list[nn.Module], *, image_channels: int, stem: int, width: int, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(Conv2d(image_channels, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem))
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
        for module in self.modules():
            if isinstance(module, Conv2d):
                nn.init.kaiming_normal_(module.weight)
        self.classifier = nn.Linear(width, classes)  # drawn last: weights come in definition order, as in a stack

    def forward(self, images: Tensor) -> Tensor:
        features = self.norm(self.blocks(self.stem(images)))
        return self.classifier(features.mean(dim=(2, 3)))
