"""The layers of NAS-Bench-Macro: operations by number, stages and widths. No space and no torch here."""

from __future__ import annotations

OPERATIONS = ("identity", "mb3_k3", "mb6_k5")
IDENTITY = 0
EXPANSION = {1: 3, 2: 6}
KERNEL = {1: 3, 2: 5}
STAGES = (2, 3, 3)
STARTS = (0, 2, 5)
"""The first layer of each stage, which halves the resolution and doubles the channels."""
STEM = 32
LAST = 40
"""Channels before the head, as a multiple of those of the stem: 1280 / 32."""
