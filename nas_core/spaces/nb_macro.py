"""NAS-Bench-Macro (Su et al., CVPR 2021): eight layers in three stages, each identity or an inverted bottleneck.

Notation, canonical form and layout follow the repository of the benchmark (xiusu/NAS-Bench-Macro, `train/model.py`
and `train/train_benchmark.py`); the torch code is in `_nb_macro_network.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nas_core.spaces import _cost
from nas_core.spaces._cost import Cost
from nas_core.spaces._layer_places import PART, block_number, outside_blocks
from nas_core.spaces._nb_macro_layers import EXPANSION, IDENTITY, KERNEL, LAST, OPERATIONS, STAGES, STARTS, STEM
from nas_core.spaces._registry import register
from nas_core.spaces.base import Architecture, CellGraph, Decision, GraphEdge, InputShape, SearchSpace

if TYPE_CHECKING:
    from torch import nn


_BOTTLENECK = {"0": "expand", "3": "filter", "6": "project"}
"""What the convolutions of an inverted bottleneck do, by their place in it."""


@dataclass(frozen=True)
class StemScale:
    """Size of the network: channels of the stem, to which all other widths keep their ratio."""

    channels: int = STEM


@register("nb_macro")
class NasBenchMacro(SearchSpace):
    """The 6,561 = 3^8 networks of NAS-Bench-Macro; 3,969 of them are distinct.

    The first layer of every stage (layers 1, 3 and 6) halves the resolution and doubles the channels; there, identity
    is a strided 1 x 1 convolution with batch norm. `StemScale.channels` is the width of the stem (published: 32; the
    1,280 channels before the head keep their ratio to it).
    """

    name = "nb_macro"
    title = "NAS-Bench-Macro"
    decisions = tuple(Decision(f"layer {layer}", OPERATIONS) for layer in range(1, sum(STAGES) + 1))
    metric_names = _cost.COLUMNS
    scale_type = StemScale

    def parse(self, text: str) -> Architecture:
        """Read `01210220`, a digit a layer. Raises ValueError naming the offending part."""
        digits = text.strip()
        if len(digits) != len(self.decisions):
            raise ValueError(f"malformed network {text!r}: expected {len(self.decisions)} digits, found {len(digits)}")
        for layer, digit in enumerate(digits, start=1):
            if digit not in ("0", "1", "2"):
                raise ValueError(f"malformed network {text!r}: layer {layer} is {digit!r}, expected 0, 1 or 2")
        return tuple(map(int, digits))

    def format(self, arch: Architecture) -> str:
        """Write the notation of the benchmark."""
        return "".join(map(str, arch))

    def canonical(self, arch: Architecture) -> Architecture:
        """Identities behind the first layer of a stage go to its end (`get_real_arch` of the benchmark)."""
        form: list[int] = []
        for start, depth in zip(STARTS, STAGES, strict=True):
            kept = [choice for choice in arch[start + 1 : start + depth] if choice != IDENTITY]
            form += [arch[start], *kept, *[IDENTITY] * (depth - 1 - len(kept))]
        return tuple(form)

    def build(
        self,
        arch: Architecture,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: StemScale | None = None,
    ) -> nn.Module:
        """The network of the benchmark: stem, eight layers, a 1 x 1 convolution, global pooling, linear head.

        Images `(batch, channels, height, width)` to logits `(batch, classes)`.
        """
        from nas_core.spaces._nb_macro_network import Network

        channels = (scale or self.scale()).channels
        return Network(arch, image_channels=self.image_shape(input).channels, classes=classes, channels=channels)

    def supernet(self, *, input: InputShape, classes: int, scale: StemScale) -> nn.Module:
        """All operations on shared weights, to be run by paths; see `nas_core.supernet.SharedWeights`."""
        from nas_core.spaces._nb_macro_network import SharedNetwork

        channels = self.image_shape(input).channels
        return SharedNetwork(image_channels=channels, classes=classes, channels=scale.channels)

    def longest_chains(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Layers that are no identity, int (n,): what depth classes are made of."""
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(self.decisions))
        return (table != IDENTITY).sum(axis=1)

    def layer_place(self, module: str, arch: Architecture, *, scale: StemScale | None = None) -> str:
        """The layer, and which of the convolutions of its bottleneck."""
        outside = outside_blocks(module)
        if outside:
            return outside
        number, (kind, *rest) = block_number(module)
        part = _BOTTLENECK.get(rest[0], "") if kind == "branch" else "shortcut"
        return PART.join(filter(None, (self.decisions[number].name, part)))

    def graph(self, arch: Architecture) -> CellGraph:
        """A chain of the eight layers; every edge carries the operation of the layer it leads to."""
        return CellGraph(
            ("input", *(decision.name for decision in self.decisions)),
            tuple(GraphEdge(k, k + 1, OPERATIONS[c], self.decisions[k].name) for k, c in enumerate(arch)),
        )

    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """One-hot operations of every layer, then those of the canonical form: (n, 48)."""
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(self.decisions))
        forms = np.array([self.canonical(tuple(row)) for row in table.tolist()], dtype=np.int64).reshape(table.shape)
        features = np.concatenate([np.eye(len(OPERATIONS))[part] for part in (table, forms)], axis=1)
        return features.reshape(len(table), 2 * table.shape[1] * len(OPERATIONS))

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: StemScale | None = None,
    ) -> pd.DataFrame:
        """Counts of the built network, one row an architecture; columns and conventions as in NAS-Bench-201.

        conv_layers counts convolutions inside the eight layers.
        """
        image, channels = self.image_shape(input), (scale or self.scale()).channels
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(self.decisions))
        height, width = image.height, image.width
        stem = _cost.conv_norm_relu(image.channels, channels, 3, height * width)
        wide = channels
        layers = Cost()
        for layer in range(len(self.decisions)):
            inputs, pixels_in = wide, height * width
            if layer in STARTS:
                wide, height, width = 2 * wide, _cost.halved(height), _cost.halved(width)
            for choice in range(len(OPERATIONS)):
                chosen = (table[:, layer] == choice).astype(np.int64)
                layers += _layer(choice, inputs, wide, pixels_in, height * width) * chosen
        last = _cost.conv_norm_relu(wide, LAST * channels, 1, height * width)
        pooling, linear = _cost.head(LAST * channels, (height, width), classes)
        total = stem + layers + last + pooling + linear
        return _cost.closed_form_table(total, total, layers.convs, len(table))


def _layer(choice: int, inputs: int, outputs: int, pixels_in: int, pixels: int) -> Cost:
    if choice == IDENTITY:
        if inputs == outputs:
            return Cost()
        return _cost.convolution(inputs, outputs, 1, pixels) + _cost.norm(outputs, pixels)
    hidden = inputs * EXPANSION[choice]
    return (
        _cost.conv_norm_relu(inputs, hidden, 1, pixels_in)
        + _cost.depthwise(hidden, KERNEL[choice], pixels)
        + _cost.norm(hidden, pixels)
        + _cost.relu(hidden, pixels)
        + _cost.convolution(hidden, outputs, 1, pixels)
        + _cost.norm(outputs, pixels)
    )
