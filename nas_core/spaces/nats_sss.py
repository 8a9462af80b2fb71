"""The size search space of NATS-Bench (Dong et al., TPAMI 2021): five widths around one fixed cell.

The cell is the best of the topology space on CIFAR-100 (D-X-Y/AutoDL-Projects, `exps/NATS-Bench/main-sss.py`). The
network is `infer.shape.tiny` of that repository; its torch code is in `_nats_sss_network.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nas_core.spaces import _cost
from nas_core.spaces._cost import Cost
from nas_core.spaces._layer_places import cell_place
from nas_core.spaces._nats_sss_layers import CELL, LAYERS, WIDTHS
from nas_core.spaces._nb201_cell import CONV3, EDGES
from nas_core.spaces._registry import register
from nas_core.spaces.base import Architecture, CellGraph, Decision, GraphEdge, InputShape, NoScale, SearchSpace

if TYPE_CHECKING:
    from torch import nn

CHAIN = 9
"""Three convolutions in a row, in each of three cells."""


@register("nats_sss")
class NatsBenchSize(SearchSpace):
    """The 32,768 = 8^5 sizes of NATS-Bench; every one is a network of its own.

    The widths are the output channels of: the stem and the first cell, the first reduction, the second cell, the
    second reduction, the third cell. A cell whose width differs from what comes in changes the channels on its edges
    from the input: 3 x 3 convolutions directly, the skip by a 1 x 1 convolution with batch norm. Because the decisions
    are the widths themselves and a stage is one cell, there is no further scale.
    """

    name = "nats_sss"
    title = "NATS-Bench size space"
    decisions = tuple(Decision(f"{layer} width", tuple(map(str, WIDTHS)), WIDTHS) for layer in LAYERS)
    metric_names = _cost.COLUMNS

    def parse(self, text: str) -> Architecture:
        """Read `64:64:64:64:64`. Raises ValueError naming the offending part."""
        parts = text.strip().split(":")
        if len(parts) != len(LAYERS):
            raise ValueError(
                f"malformed size {text!r}: expected {len(LAYERS)} widths joined by ':', found {len(parts)}"
            )
        known = self.decisions[0].choices
        for layer, part in zip(LAYERS, parts, strict=True):
            if part not in known:
                raise ValueError(f"malformed size {text!r}: width of {layer} is {part!r}, expected {', '.join(known)}")
        return tuple(known.index(part) for part in parts)

    def format(self, arch: Architecture) -> str:
        """Write the notation of the benchmark."""
        return ":".join(str(WIDTHS[choice]) for choice in arch)

    def canonical(self, arch: Architecture) -> Architecture:
        """The architecture itself: no two sizes are one network."""
        return tuple(arch)

    def build(
        self,
        arch: Architecture,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: NoScale | None = None,
    ) -> nn.Module:
        """The network of the benchmark: stem, cell, reduction, cell, reduction, cell, head.

        Images `(batch, channels, height, width)` to logits `(batch, classes)`.
        """
        from nas_core.spaces._nats_sss_network import network

        channels = self.image_shape(input).channels
        return network([WIDTHS[choice] for choice in arch], image_channels=channels, classes=classes)

    def supernet(self, *, input: InputShape, classes: int, scale: NoScale | None = None) -> nn.Module:
        """The widest network, of which a path runs the first channels; see `nas_core.supernet.SharedWeights`."""
        from nas_core.spaces._nats_sss_network import SharedNetwork

        return SharedNetwork(image_channels=self.image_shape(input).channels, classes=classes)

    def longest_chains(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Convolutions of the three cells on the longest path, int (n,): the same for every size."""
        return np.full(len(archs), CHAIN)

    def layer_place(self, module: str, arch: Architecture, *, scale: NoScale | None = None) -> str:
        """The cell and its edge, or which of the blocks between the cells."""
        return cell_place(module, [f"edge {source}→{target}" for source, target in EDGES], cells=1)

    def graph(self, arch: Architecture) -> CellGraph:
        """A chain of the five layers; every edge carries the width of the layer it leads to."""
        return CellGraph(
            ("input", *LAYERS),
            tuple(GraphEdge(k, k + 1, str(WIDTHS[choice]), self.decisions[k].name) for k, choice in enumerate(arch)),
        )

    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """One-hot widths, then widths as a share of the largest: (n, 45)."""
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(LAYERS))
        one_hot = np.eye(len(WIDTHS))[table].reshape(len(table), len(LAYERS) * len(WIDTHS))
        return np.concatenate([one_hot, np.array(WIDTHS)[table] / WIDTHS[-1]], axis=1)

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        input: InputShape | None = None,
        classes: int = 10,
        scale: NoScale | None = None,
    ) -> pd.DataFrame:
        """Counts of the built network, one row an architecture; columns and conventions as in NAS-Bench-201.

        conv_layers counts convolutions inside cells: 15, and one more for each cell that changes the channels.
        """
        image = self.image_shape(input)
        table = np.asarray(archs, dtype=np.int64).reshape(-1, len(LAYERS))
        widths = np.array(WIDTHS)[table].T
        sides = _cost.stage_sides(image)
        pixels = [height * width for height, width in sides]
        stem = _cost.convolution(image.channels, widths[0], 3, pixels[0]) + _cost.norm(widths[0], pixels[0])
        cells = _cell(widths[0], widths[0], pixels[0])
        reductions = Cost()
        for stage in (1, 2):
            before, reduced, after = widths[2 * stage - 2 : 2 * stage + 1]
            reductions += _cost.reduction(before, reduced, pixels[stage - 1], pixels[stage])
            cells += _cell(reduced, after, pixels[stage])
        last = _cost.norm(widths[4], pixels[2]) + _cost.relu(widths[4], pixels[2])
        pooling, linear = _cost.head(widths[4], sides[2], classes)
        total = stem + cells + reductions + last + pooling + linear
        return _cost.closed_form_table(total, total, cells.convs, len(table))


def _cell(inputs: np.ndarray, outputs: np.ndarray, pixels: int) -> Cost:
    cost = Cost()
    for choice, (source, _) in zip(CELL, EDGES, strict=True):
        arriving = outputs if source else inputs
        if choice == CONV3:
            cost += _cost.relu_conv_norm(arriving, outputs, 3, pixels, pixels)
        else:
            changes = (arriving != outputs).astype(np.int64)
            cost += (_cost.convolution(arriving, outputs, 1, pixels) + _cost.norm(outputs, pixels)) * changes
    return cost
