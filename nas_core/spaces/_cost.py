"""What a layer costs, added up into closed forms. Numbers or arrays (one entry an architecture) alike; no torch.

The conventions are those of the counts recorded for NAS-Bench-201: multiply-accumulates of convolutions, linear layers
and pooling windows, two operations an element of batch norm and one of ReLU. An adaptive pool may use windows of up to
floor(in / out) + 1 positions a side, and is counted by that bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nas_core.spaces.parts import ImageShape

COLUMNS = ("params", "flops", "live_params", "sum_log_layer_size", "conv_layers")
Number = int | float | np.number | np.ndarray


@dataclass(frozen=True)
class Cost:
    """Parameters, operations, natural logarithm of every weight's size, and convolutions, summed over layers."""

    params: Number = 0
    flops: Number = 0
    log_size: Number = 0
    convs: Number = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.params + other.params,
            self.flops + other.flops,
            self.log_size + other.log_size,
            self.convs + other.convs,
        )

    def __mul__(self, times: Number) -> Cost:
        return Cost(self.params * times, self.flops * times, self.log_size * times, self.convs * times)


def convolution(inputs: Number, outputs: Number, kernel: int, pixels: int) -> Cost:
    """A convolution without bias, `pixels` positions of its output."""
    return _weight(inputs * outputs * kernel**2, pixels)


def depthwise(channels: Number, kernel: int, pixels: int) -> Cost:
    """A convolution of every channel by itself."""
    return _weight(channels * kernel**2, pixels)


def _weight(size: Number, pixels: int) -> Cost:
    # A layer of no channels stands for an absent one (the caller multiplies it by 0): its logarithm has to be finite.
    return Cost(size, size * pixels, np.log(np.maximum(size, 1)), 1)


def norm(channels: Number, pixels: int) -> Cost:
    """Batch normalisation with scale and shift."""
    return Cost(2 * channels, 2 * channels * pixels)


def relu(channels: Number, pixels: int) -> Cost:
    """ReLU."""
    return Cost(flops=channels * pixels)


def pool(channels: Number, kernel: int, pixels: int) -> Cost:
    """Average or maximum over windows; `pixels` positions of the output."""
    return Cost(flops=channels * kernel**2 * pixels)


def head(width: Number, sides: tuple[int, int], classes: int) -> tuple[Cost, Cost]:
    """Global pooling of maps whose height and width are `sides`, and the linear layer with bias behind it."""
    linear = Cost(width * classes + classes, width * classes, np.log(width * classes))
    return Cost(flops=width * global_window(*sides)), linear


def global_window(height: int, width: int) -> int:
    """Positions that a global pool is counted with, see the module's conventions."""
    return (height + 1) * (width + 1)


def relu_conv_norm(inputs: Number, outputs: Number, kernel: int, pixels_in: int, pixels: int) -> Cost:
    """ReLU, convolution, batch norm."""
    return relu(inputs, pixels_in) + convolution(inputs, outputs, kernel, pixels) + norm(outputs, pixels)


def conv_norm_relu(inputs: Number, outputs: Number, kernel: int, pixels: int) -> Cost:
    """Convolution, batch norm, ReLU."""
    return convolution(inputs, outputs, kernel, pixels) + norm(outputs, pixels) + relu(outputs, pixels)


def reduction(inputs: Number, outputs: Number, pixels_in: int, pixels: int) -> Cost:
    """The residual block between stages: two convolutions, and a pooled 1 x 1 shortcut."""
    return (
        relu_conv_norm(inputs, outputs, 3, pixels_in, pixels)
        + relu_conv_norm(outputs, outputs, 3, pixels, pixels)
        + pool(inputs, 2, pixels)
        + convolution(inputs, outputs, 1, pixels)
    )


def halved(side: int) -> int:
    """Side in pixels after a stride of two, rounded up."""
    return (side + 1) // 2


def stage_sides(image: ImageShape, stages: int = 3) -> list[tuple[int, int]]:
    """Height and width of the feature maps of each stage; every stage halves those before it."""
    sides = [(image.height, image.width)]
    while len(sides) < stages:
        sides.append((halved(sides[-1][0]), halved(sides[-1][1])))
    return sides


def closed_form_table(total: Cost, live: Cost, conv_layers: Number, rows: int) -> pd.DataFrame:
    """The columns every space offers, one row an architecture; `total` is what is built, `live` what has a path."""

    def column(value: Number, kind: type) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype=kind), (rows,)).copy()

    return pd.DataFrame(
        {
            "params": column(total.params, np.int64),
            "flops": column(total.flops, np.int64),
            "live_params": column(live.params, np.int64),
            "sum_log_layer_size": column(live.log_size, np.float64),
            "conv_layers": column(conv_layers, np.int64),
        }
    )
