"""The network around a NAS-Bench-101 cell (Ying et al. 2019, `model_builder.py` of its repository). Needs torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.spaces.base import Architecture
from nas_core.spaces.nb101 import (
    CONV1,
    CONV3,
    EDGES,
    INPUT,
    INTERIOR,
    OUTPUT,
    STACKS,
    live_edges,
    vertex_channels,
)

NORM_MOMENTUM = 1 - 0.997
"""Torch counts the share of the new value, the benchmark that of the old one (`base_ops.py`)."""
TRUNCATED_STD = 0.87962566103423978
"""Standard deviation of a standard normal distribution cut at two."""


class ConvNormRelu(nn.Sequential):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(outputs, momentum=NORM_MOMENTUM),
            nn.ReLU(),
        )


def _operation(choice: int, channels: int) -> nn.Module:
    if choice in (CONV3, CONV1):
        return ConvNormRelu(channels, channels, 3 if choice == CONV3 else 1)
    return nn.MaxPool2d(3, stride=1, padding=1)


class Cell(nn.Module):
    """The pruned cell: vertices sum what they receive, the output concatenates. `(batch, inputs -> outputs, h, w)`.

    Whatever leaves the input is projected by a 1 x 1 convolution; between vertices surplus channels are cut off.
    """

    def __init__(self, arch: Architecture, inputs: int, outputs: int) -> None:
        super().__init__()
        table = np.asarray([arch])
        live = live_edges(table)[0]
        self.channels = vertex_channels(table, outputs)[0].tolist()
        self.sources = {
            target: [source for k, (source, end) in enumerate(EDGES) if end == target and live[k]]
            for target in (*INTERIOR, OUTPUT)
        }
        self.projections = nn.ModuleDict()
        self.operations = nn.ModuleDict()
        for vertex in (*INTERIOR, OUTPUT):
            if INPUT in self.sources[vertex]:
                self.projections[str(vertex)] = ConvNormRelu(inputs, self.channels[vertex], 1)
            if vertex != OUTPUT and self.sources[vertex]:
                self.operations[str(vertex)] = _operation(arch[len(EDGES) + vertex - 1], self.channels[vertex])

    def forward(self, features: Tensor) -> Tensor:
        values: dict[int, Tensor] = {}
        for name, operation in self.operations.items():
            vertex = int(name)
            arriving = [values[s][:, : self.channels[vertex]] for s in self.sources[vertex] if s != INPUT]
            if name in self.projections:
                arriving.append(self.projections[name](features))
            values[vertex] = operation(_sum(arriving))
        leaving = [values[source] for source in self.sources[OUTPUT] if source != INPUT]
        parts = [torch.cat(leaving, dim=1)] if leaving else []
        if str(OUTPUT) in self.projections:
            parts.append(self.projections[str(OUTPUT)](features))
        return _sum(parts)


def _sum(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


class Network(nn.Module):
    """Stem, three stacks of equal cells with max-pooling and doubled width between, global pooling, linear head."""

    def __init__(self, arch: Architecture, *, image_channels: int, classes: int, channels: int, cells: int) -> None:
        super().__init__()
        self.stem = ConvNormRelu(image_channels, channels, 3)
        blocks: list[nn.Module] = []
        width = channels
        for stack in range(STACKS):
            if stack:
                blocks.append(nn.MaxPool2d(2, stride=2, ceil_mode=True))
            for cell in range(cells):
                blocks.append(Cell(arch, width, width * 2 if stack and not cell else width))
                width = width * 2 if stack and not cell else width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                std = module.weight[0].numel() ** -0.5 / TRUNCATED_STD
                nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
        nn.init.xavier_uniform_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.blocks(self.stem(images)).mean(dim=(2, 3)))
