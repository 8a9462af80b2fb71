"""The network of NATS-Bench's size space (`infer.shape.tiny`, Dong et al. 2021). Needs torch."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from nas_core.spaces._cell_network import Cell, Reduction, StemBlocksHead
from nas_core.spaces.nats_sss import CELL


def network(widths: Sequence[int], *, image_channels: int, classes: int) -> nn.Module:
    """Stem and first cell, then twice a residual reduction and a cell, of the five widths given."""
    first, *rest = widths
    blocks: list[nn.Module] = [Cell(CELL, first, first)]
    before = first
    for reduced, after in zip(rest[::2], rest[1::2], strict=True):
        blocks += [Reduction(before, reduced), Cell(CELL, reduced, after)]
        before = after
    return StemBlocksHead(blocks, image_channels=image_channels, stem=first, width=before, classes=classes)
