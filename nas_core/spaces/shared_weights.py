"""What supernets are built from: cells that run any path, layers that run in part, and which edges run. Needs torch."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from nas_core.spaces._cell_network import AveragePool, Cell, used_edges
from nas_core.spaces._sliced import Part, collect_parts
from nas_core.spaces.parts import Architecture

__all__ = ["AveragePool", "Cell", "Part", "SharedCells", "collect_parts", "used_edges"]


class SharedCells(nn.Module, ABC):
    """A `network` whose cells run any path, behind one stem; see `nas_core.supernet.SharedWeights`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @abstractmethod
    def choose(self, arch: Architecture) -> None:
        """Let the cells run what `arch` chooses from now on."""

    def take_stem(self) -> nn.Module:
        """Hand out what comes first and is the same for every path; from then on run on the features behind it."""
        stem = self.network.stem
        self.network.stem = nn.Identity()
        return stem

    def forward(self, images: Tensor, arch: Architecture) -> Tensor:
        self.choose(arch)
        return self.network(images)
