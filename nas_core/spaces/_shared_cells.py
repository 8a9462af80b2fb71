"""Shared weights of networks that are made of cells and differ in nothing else. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from torch import Tensor, nn

from nas_core.spaces.base import Architecture


class Choosing(Protocol):
    """A cell that runs any path."""

    def choose(self, arch: Architecture) -> None:
        """Run what `arch` chooses from now on."""


ChoosingCell = TypeVar("ChoosingCell", bound=Choosing)


class SharedCells(nn.Module, Generic[ChoosingCell]):
    """A network whose `cells` run any path, behind one stem; see `nas_core.supernet.SharedWeights`."""

    def __init__(self, network: nn.Module, cells: Sequence[ChoosingCell]) -> None:
        super().__init__()
        self.network, self._cells = network, list(cells)

    def take_stem(self) -> nn.Module:
        """Hand out what comes first and is the same for every path; from then on run on the features behind it."""
        stem = self.network.stem
        self.network.stem = nn.Identity()
        return stem

    def forward(self, images: Tensor, arch: Architecture) -> Tensor:
        for cell in self._cells:
            cell.choose(arch)
        return self.network(images)
