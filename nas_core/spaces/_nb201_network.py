"""The network around a NAS-Bench-201 cell, as in the benchmark (Dong & Yang 2020, fig. 1). Needs torch."""

from __future__ import annotations

from torch import nn

from nas_core.spaces._cell_network import Cell, Reduction, StemBlocksHead
from nas_core.spaces.parts import Architecture


class Network(StemBlocksHead):
    """Stem, three stages of equal cells with a reduction between, batch norm, ReLU, global pooling, linear head."""

    def __init__(self, arch: Architecture, *, image_channels: int, classes: int, channels: int, cells: int) -> None:
        blocks: list[nn.Module] = []
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                blocks.append(Reduction(width // 2, width))
            blocks += [Cell(arch, width, width) for _ in range(cells)]
        super().__init__(blocks, image_channels=image_channels, stem=channels, width=4 * channels, classes=classes)
