"""The network of NATS-Bench's size space (`infer.shape.tiny`, Dong et al. 2021). Needs torch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from nas_core.spaces._cell_network import Cell, ChannelSkip, Reduction, StemBlocksHead
from nas_core.spaces._nats_sss_layers import CELL, LAYERS, WIDTHS
from nas_core.spaces._nb201_cell import SKIP
from nas_core.spaces._sliced import SlicedConv2d, slice_layers
from nas_core.spaces.parts import Architecture


def network(widths: Sequence[int], *, image_channels: int, classes: int) -> nn.Module:
    """Stem and first cell, then twice a residual reduction and a cell, of the five widths given."""
    first, *rest = widths
    blocks: list[nn.Module] = [Cell(CELL, first, first)]
    before = first
    for reduced, after in zip(rest[::2], rest[1::2], strict=True):
        blocks += [Reduction(before, reduced), Cell(CELL, reduced, after)]
        before = after
    return StemBlocksHead(blocks, image_channels=image_channels, stem=first, width=before, classes=classes)


class EitherSkip(nn.Module):
    """A skip that changes the channels only where it must."""

    def __init__(self, widest: int) -> None:
        super().__init__()
        self.change = ChannelSkip(widest, widest)
        nn.init.kaiming_normal_(self.change[0].weight)

    def forward(self, features: Tensor) -> Tensor:
        return features if features.shape[1] == self.change[0].width else self.change(features)


class SharedNetwork(nn.Module):
    """The widest network; a path runs the first channels of every layer. See `nas_core.supernet.SharedWeights`."""

    def __init__(self, *, image_channels: int, classes: int) -> None:
        super().__init__()
        widest = WIDTHS[-1]
        self.network = network([widest] * len(LAYERS), image_channels=image_channels, classes=classes)
        for cell in self.network.blocks:
            if isinstance(cell, Cell):
                cell.edges[CELL.index(SKIP)] = EitherSkip(widest)
        slice_layers(self.network)
        first, *rest = [[m for m in block.modules() if isinstance(m, SlicedConv2d)] for block in self.network.blocks]
        self._layers = [[self.network.stem[0], *first], *rest]

    def forward(self, images: Tensor, arch: Architecture) -> Tensor:
        for convolutions, choice in zip(self._layers, arch, strict=True):
            for convolution in convolutions:
                convolution.width = WIDTHS[choice]
        return self.network(images)

    def weights_of(self, decision: int, choice: int) -> list[nn.Parameter]:
        """None: a width has no weights of its own, every wider one trains them too."""
        return []
