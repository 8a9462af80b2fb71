"""The network around a NAS-Bench-101 cell (Ying et al. 2019, `model_builder.py` of its repository). Needs torch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from nas_core.spaces._nb101_cell import (
    CONV1,
    CONV3,
    EDGES,
    INPUT,
    INTERIOR,
    OPERATIONS,
    OUTPUT,
    STACKS,
    live_vertices,
)
from nas_core.spaces._sliced import SlicedConv2d, slice_layers
from nas_core.spaces.parts import Architecture
from nas_core.spaces.shared_weights import SharedCells

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


class Wiring(NamedTuple):
    """Which vertices feed every vertex over a live edge, and how many channels every vertex has."""

    sources: dict[int, list[int]]
    channels: list[int]


@functools.lru_cache(maxsize=4096)
def _wirings(arch: Architecture, outputs: tuple[int, ...]) -> list[Wiring]:
    """The wiring of a cell for each number of its outputs."""
    live = live_vertices(arch)
    sources: dict[int, list[int]] = {vertex: [] for vertex in (*INTERIOR, OUTPUT)}
    for (source, target), on in zip(EDGES, arch, strict=False):
        if on and source in live and target in live:
            sources[target].append(source)
    return [Wiring(sources, _channels(sources, width)) for width in outputs]


def _channels(sources: dict[int, list[int]], outputs: int) -> list[int]:
    """The channels of every vertex, as `vertex_channels` has them, of one cell: numpy takes longer than a layer."""
    channels = [0] * OUTPUT + [outputs]
    feeding = [vertex for vertex in INTERIOR if vertex in sources[OUTPUT]]
    for rank, vertex in enumerate(feeding):
        channels[vertex] = outputs // len(feeding) + (rank < outputs % len(feeding))
    for vertex in reversed(INTERIOR):
        for source in sources[vertex]:
            if source != INPUT and source not in feeding:
                channels[source] = max(channels[source], channels[vertex])
    return channels


class Cell(nn.Module):
    """The pruned cell: vertices sum what they receive, the output concatenates. `(batch, inputs -> outputs, h, w)`.

    Whatever leaves the input is projected by a 1 x 1 convolution; between vertices surplus channels are cut off.
    """

    def __init__(self, arch: Architecture, inputs: int, outputs: int) -> None:
        super().__init__()
        self.wiring = _wirings(arch, (outputs,))[0]
        self.projections = nn.ModuleDict()
        self.operations = nn.ModuleDict()
        for vertex in (*INTERIOR, OUTPUT):
            sources, channels = self.wiring.sources[vertex], self.wiring.channels[vertex]
            if INPUT in sources:
                self.projections[str(vertex)] = ConvNormRelu(inputs, channels, 1)
            if vertex != OUTPUT and sources:
                self.operations[str(vertex)] = _operation(arch[len(EDGES) + vertex - 1], channels)

    def project(self, vertex: int, features: Tensor) -> Tensor:
        """The cell's input as the vertex receives it."""
        return self.projections[str(vertex)](features)

    def operate(self, vertex: int, features: Tensor) -> Tensor:
        """What the vertex makes of the sum it receives."""
        return self.operations[str(vertex)](features)

    def forward(self, features: Tensor) -> Tensor:
        sources, channels = self.wiring
        values: dict[int, Tensor] = {}
        for vertex in INTERIOR:
            if not sources[vertex]:
                continue
            arriving = [values[source][:, : channels[vertex]] for source in sources[vertex] if source != INPUT]
            if INPUT in sources[vertex]:
                arriving.append(self.project(vertex, features))
            values[vertex] = self.operate(vertex, _sum(arriving))
        leaving = [values[source] for source in sources[OUTPUT] if source != INPUT]
        parts = [torch.cat(leaving, dim=1)] if leaving else []
        if INPUT in sources[OUTPUT]:
            parts.append(self.project(OUTPUT, features))
        return _sum(parts)


class SharedCell(Cell):
    """A cell that runs any path: all three operations at every vertex, all projections, each as wide as the cell.

    A path runs them on as many of their first channels as its own division of the channels says.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        nn.Module.__init__(self)  # a plain cell holds one operation a vertex
        self.outputs = outputs
        self.projections = nn.ModuleDict(
            {str(vertex): ConvNormRelu(inputs, outputs, 1) for vertex in (*INTERIOR, OUTPUT)}
        )
        self.operations = nn.ModuleDict(
            {
                str(vertex): nn.ModuleList(_operation(choice, outputs) for choice in range(len(OPERATIONS)))
                for vertex in INTERIOR
            }
        )

    def choose(self, wiring: Wiring, operations: Architecture) -> None:
        """Run these of the operations, one a vertex, at these widths from now on."""
        self.wiring, self.chosen = wiring, operations

    def project(self, vertex: int, features: Tensor) -> Tensor:
        return self._at_width(self.projections[str(vertex)], vertex)(features)

    def operate(self, vertex: int, features: Tensor) -> Tensor:
        operations = cast(nn.ModuleList, self.operations[str(vertex)])
        return self._at_width(operations[self.chosen[vertex - 1]], vertex)(features)

    def _at_width(self, module: nn.Module, vertex: int) -> nn.Module:
        if isinstance(module, ConvNormRelu):
            convolution, width = cast(SlicedConv2d, module[0]), self.wiring.channels[vertex]
            if convolution.width != width:  # setting an attribute of a module is slow
                convolution.width = width
        return module


def _sum(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


class Network(nn.Module):
    """Stem, three stacks of equal cells with max-pooling and doubled width between, global pooling, linear head.

    `make` gives a cell of so many inputs and outputs.
    """

    def __init__(
        self, make: Callable[[int, int], Cell], *, image_channels: int, classes: int, channels: int, cells: int
    ) -> None:
        super().__init__()
        self.stem: nn.Module = ConvNormRelu(image_channels, channels, 3)
        blocks: list[nn.Module] = []
        width = channels
        for stack in range(STACKS):
            if stack:
                blocks.append(nn.MaxPool2d(2, stride=2, ceil_mode=True))
            for cell in range(cells):
                blocks.append(make(width, width * 2 if stack and not cell else width))
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


class SharedNetwork(SharedCells):
    """Every operation and projection of every cell at once."""

    def __init__(self, *, image_channels: int, classes: int, channels: int, cells: int) -> None:
        network = Network(SharedCell, image_channels=image_channels, classes=classes, channels=channels, cells=cells)
        super().__init__(network)
        self._cells = [block for block in network.blocks if isinstance(block, SharedCell)]
        self._outputs = tuple(cell.outputs for cell in self._cells)
        for cell in self._cells:
            slice_layers(cell)

    def choose(self, arch: Architecture) -> None:
        wirings = _wirings(arch, self._outputs)
        for cell, wiring in zip(self._cells, wirings, strict=True):
            cell.choose(wiring, arch[len(EDGES) :])

    def weights_of(self, decision: int, choice: int) -> list[nn.Parameter]:
        """The weights that only paths with this choice train.

        Of a vertex, those of its operation; of an edge that is on, the projection that leads from the input; of
        other edges none.
        """
        found: list[nn.Parameter] = []
        for cell in self._cells:
            if decision >= len(EDGES):
                vertex = decision - len(EDGES) + 1
                found += cast(nn.ModuleList, cell.operations[str(vertex)])[choice].parameters()
            elif choice and EDGES[decision][0] == INPUT:
                found += cell.projections[str(EDGES[decision][1])].parameters()
        return found
