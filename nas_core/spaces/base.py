"""What a search space is: notation, canonical form, networks, graph and encoding over a product of decisions.

A concrete space is one module beside this one. Drawing under a steering is in `drawing.py`; no torch lives here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core import options as spelling
from nas_core.spaces.drawing import ProductSpace
from nas_core.spaces.parts import (
    OPTIONAL,
    Architecture,
    CellGraph,
    CellScale,
    Count,
    Decision,
    GraphEdge,
    ImageShape,
    InputShape,
    NoOptions,
    NoScale,
    Scale,
    TokenShape,
)
from nas_core.spaces.steering import Act, Region, Steering, SteeringConflict

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

__all__ = [
    "OPTIONAL",
    "Act",
    "Architecture",
    "CellGraph",
    "CellScale",
    "Count",
    "Decision",
    "GraphEdge",
    "ImageShape",
    "InputShape",
    "NoOptions",
    "NoScale",
    "Region",
    "Scale",
    "SearchSpace",
    "Steering",
    "SteeringConflict",
    "TokenShape",
]


class SearchSpace(ProductSpace):
    """A search space. Concrete spaces give notation, canonical form, build, graph and encoding; the rest is generic.

    A space with options names their type, a frozen dataclass, as `options_type`; its constructor takes a value of it.
    `nas_core.spaces.get("name:option=value")` makes such spaces.

    Example:
        @dataclass(frozen=True)
        class Depth:
            layers: int = option(8, least=1, most=64)

        @register("chain")
        class Chain(SearchSpace):
            name, title, options_type = "chain", "A chain of layers", Depth

            def __init__(self, options: Depth = Depth()) -> None:
                super().__init__(options)
                self.decisions = tuple(Decision(f"layer {k}", ("off", "on")) for k in range(options.layers))
    """

    title: str
    options_type: type = NoOptions
    options: Any = NoOptions()
    scale_type: type = NoScale
    """A frozen dataclass: what is chosen about the size of a network besides its architecture."""
    input: InputShape = ImageShape()
    """What a network is built for where nobody says."""
    classes: int = 10
    """Classes that a network tells apart where nobody says."""

    def __init__(self, options: Any = None) -> None:
        """Take the options, those of `options_type` by default; `name` becomes their canonical spelling."""
        self.options = self.options_type() if options is None else options
        self.name = spelling.spelled(self.name, self.options)

    @abstractmethod
    def parse(self, text: str) -> Architecture:
        """Read the field's notation. Raises ValueError naming the offending part."""

    @abstractmethod
    def format(self, arch: Architecture) -> str:
        """Write the field's notation; `parse` reads it back."""

    @abstractmethod
    def canonical(self, arch: Architecture) -> Architecture:
        """The one architecture that stands for all that build the same network."""

    @abstractmethod
    def build(self, arch: Architecture, *, input: InputShape, classes: int, scale: Any) -> nn.Module:
        """The torch module of `arch`, freshly initialised from torch's global generator.

        `scale` is of the space's `scale_type`.

        Raises:
            ValueError: the space builds no network for such inputs.
        """

    def stack(
        self, archs: Sequence[Architecture], *, seeds: Sequence[int], input: InputShape, classes: int, scale: Any
    ) -> Any:
        """The networks of `archs` side by side, to be scored in one pass, or None where the space cannot.

        Each has the weights that `build` draws after `torch.manual_seed` with its seed. See `nas_core.proxies.Stack`.
        """
        return None

    @abstractmethod
    def graph(self, arch: Architecture) -> CellGraph:
        """Nodes and edges to draw."""

    @abstractmethod
    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Features for projections and predictors: float array (n, features)."""

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: Any = None,
    ) -> pd.DataFrame:
        """Counts that need no network, one row an architecture; spaces that know none return no columns."""
        import pandas as pd

        return pd.DataFrame(index=range(len(archs)))

    def metrics(self, archs: Sequence[Architecture] | np.ndarray) -> Mapping[str, np.ndarray]:
        """Values that ranges of a focus may refer to: the closed forms at full scale."""
        frame = self.closed_forms(archs)
        return {str(column): frame[column].to_numpy() for column in frame}

    def layer_place(self, module: str, arch: Architecture, *, scale: Any = None) -> str:
        """Where people say that a layer of a network is, such as `cell 2 · edge 0→1`; what it is, is not said.

        Args:
            module: its name in the network that `build` makes of `arch`.
            arch: the architecture, as it was built.
            scale: of `scale_type`; as published where nobody says.

        Returns:
            The place, its parts joined by ` · `, the coarsest first; the module's own name where a space does not say.
        """
        return module

    def scale(self) -> Any:
        """The scale, of `scale_type`, that the space is published at."""
        return self.scale_type()

    def scale_for(self, *, channels: int | None = None, cells: int | None = None) -> Any:
        """The scale, of `scale_type`, with these channels and cells where it knows of them; the rest as published."""
        known = {field.name for field in fields(self.scale_type)}
        given = {"channels": channels, "cells": cells}
        return replace(
            self.scale(), **{name: value for name, value in given.items() if name in known and value is not None}
        )

    def image_shape(self, input: InputShape | None = None) -> ImageShape:
        """`input`, or the space's own, as the images that its networks take.

        Raises:
            ValueError: it is no image.
        """
        shape = self.input if input is None else input
        if not isinstance(shape, ImageShape):
            raise ValueError(f"{self.name} builds networks for images; got {shape}")
        return shape

    @property
    def one_shot_settings(self) -> Mapping[str, Any]:
        """What shared weights over this space are trained with where the user says nothing.

        Only where it differs from the defaults of `nas_core.supernet.SupernetSettings`.
        """
        return {}
