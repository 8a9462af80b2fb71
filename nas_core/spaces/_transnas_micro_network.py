"""The network around a TransNAS-Bench-101 cell (Duan et al. 2021, `net_macro.py` of its repository). Needs torch."""

from __future__ import annotations

from torch import Tensor, nn

from nas_core.spaces._cell_network import Cell, ReluConvNorm
from nas_core.spaces._transnas_micro_skeleton import HALVING, MODULES, stem_width
from nas_core.spaces.parts import Architecture


class Network(nn.Module):
    """Stem of two strided convolutions, five modules of equal cells, global pooling, linear head."""

    def __init__(self, arch: Architecture, *, image_channels: int, classes: int, channels: int, cells: int) -> None:
        super().__init__()
        half = stem_width(channels)
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, half, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(half),
            ReluConvNorm(half, channels, 3, stride=2),
        )
        blocks: list[nn.Module] = []
        width = channels
        for module in MODULES:
            if module == HALVING:
                blocks.append(Cell(arch, width, 2 * width, stride=2))
                width *= 2
            else:
                blocks.append(Cell(arch, width, width))
            blocks += [Cell(arch, width, width) for _ in range(cells - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(width, classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        features = self.blocks(self.stem(images))
        return self.classifier(features.mean(dim=(2, 3)))
