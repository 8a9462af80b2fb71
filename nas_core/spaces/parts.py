"""What search spaces are described by: decisions, inputs, scales, graphs, counts. No space and no torch here."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

Architecture = tuple[int, ...]

OPTIONAL = ("off", "on")
"""The choices of a decision that keeps something or leaves it out."""


@dataclass(frozen=True)
class Decision:
    """One choice a space leaves open: its name and the names of its choices.

    `values` are given where the decision is a size: a number for each choice, ascending.

    Raises:
        ValueError: values that are not one for each choice, not finite, or not ascending.
    """

    name: str
    choices: tuple[str, ...]
    values: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.values is None:
            return
        if len(self.values) != len(self.choices):
            raise ValueError(f"{self.name}: {len(self.values)} values, expected one for each of {self.choices}")
        ascending = all(low < high for low, high in itertools.pairwise(self.values))
        if not ascending or not all(map(math.isfinite, self.values)):
            raise ValueError(f"{self.name}: values {self.values}; expected finite numbers, each above the one before")

    @property
    def optional(self) -> bool:
        """Whether it decides no more than to keep what it is named after."""
        return self.choices == OPTIONAL


@dataclass(frozen=True)
class ImageShape:
    """Images that go into a network: channels, height and width in pixels."""

    channels: int = 3
    height: int = 32
    width: int = 32


@dataclass(frozen=True)
class TokenShape:
    """Sequences of tokens that go into a network: number of different tokens, and tokens in a sequence."""

    vocabulary: int
    length: int


InputShape = ImageShape | TokenShape


@dataclass(frozen=True)
class CellScale:
    """Size of the network around a cell: channels of the first stage and cells in each stage."""

    channels: int = 16
    cells: int = 5


Scale = CellScale
"""The scale of spaces whose networks are made of cells."""


@dataclass(frozen=True)
class NoScale:
    """The scale of spaces whose decisions leave no size open."""


@dataclass(frozen=True)
class NoOptions:
    """The options of spaces that have none."""


@dataclass(frozen=True)
class GraphEdge:
    """A directed edge between two nodes, labelled with the operation it carries."""

    source: int
    target: int
    operation: str
    decision: str
    live: bool = True


@dataclass(frozen=True)
class CellGraph:
    """Nodes and operation-labelled edges of an architecture, to draw and to compare."""

    nodes: tuple[str, ...]
    edges: tuple[GraphEdge, ...]


@dataclass(frozen=True)
class Count:
    """How many architectures; `exact` is False where the number was estimated by sampling."""

    value: int
    exact: bool = True
