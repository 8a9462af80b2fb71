"""The layers of NATS-Bench's size space, their widths, and the cell between them. No space and no torch here."""

from __future__ import annotations

from nas_core.spaces._nb201_cell import CONV3, SKIP
from nas_core.spaces.parts import Architecture

WIDTHS = (8, 16, 24, 32, 40, 48, 56, 64)
LAYERS = ("cell 1", "reduction 1", "cell 2", "reduction 2", "cell 3")
CELL: Architecture = (CONV3, CONV3, CONV3, SKIP, CONV3, CONV3)
"""`|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|`"""
