"""The network around a NAS-Bench-201 cell, as in the benchmark (Dong & Yang 2020, fig. 1). Needs torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_core.spaces.base import Architecture
from nas_core.spaces.nb201 import CONV1, CONV3, EDGES, NONE, POOL, SKIP


class ReluConvNorm(nn.Sequential):
    """ReLU, convolution without bias, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Zero(nn.Module):
    """The operation `none`: zeros in the shape of its input."""

    def forward(self, features: Tensor) -> Tensor:
        return torch.zeros_like(features)


def _operation(choice: int, channels: int) -> nn.Module:
    if choice == NONE:
        return Zero()
    if choice == SKIP:
        return nn.Identity()
    if choice == POOL:
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return ReluConvNorm(channels, channels, {CONV1: 1, CONV3: 3}[choice])


class Cell(nn.Module):
    """Four nodes; every node sums its incoming edges. Keeps the shape `(batch, channels, height, width)`."""

    def __init__(self, arch: Architecture, channels: int) -> None:
        super().__init__()
        self.choices = tuple(arch)
        self.edges = nn.ModuleList(_operation(choice, channels) for choice in arch)

    def forward(self, features: Tensor) -> Tensor:
        nodes: list[Tensor | None] = [features, None, None, None]
        for (source, target), choice, edge in zip(EDGES, self.choices, self.edges, strict=True):
            origin = nodes[source]
            if choice == NONE or origin is None:
                continue
            value, sofar = edge(origin), nodes[target]
            nodes[target] = value if sofar is None else sofar + value
        return torch.zeros_like(features) if nodes[3] is None else nodes[3]


class Reduction(nn.Module):
    """The residual block between stages: halves the resolution, doubles the channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ReluConvNorm(inputs, outputs, 3, stride=2)
        self.second = ReluConvNorm(outputs, outputs, 3)
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2, ceil_mode=True), nn.Conv2d(inputs, outputs, 1, bias=False)
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.shortcut(features) + self.second(self.first(features))


class Network(nn.Module):
    """Stem, three stages of equal cells with a reduction between, batch norm, ReLU, global pooling, linear head."""

    def __init__(self, arch: Architecture, *, image_channels: int, classes: int, channels: int, cells: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        blocks: list[nn.Module] = []
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                blocks.append(Reduction(width // 2, width))
            blocks += [Cell(arch, width) for _ in range(cells)]
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.Sequential(nn.BatchNorm2d(4 * channels), nn.ReLU())
        self.classifier = nn.Linear(4 * channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, images: Tensor) -> Tensor:
        features = self.norm(self.blocks(self.stem(images)))
        return self.classifier(features.mean(dim=(2, 3)))
