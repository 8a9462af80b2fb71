"""The skeleton around a TransNAS-Bench-101 cell: its modules and the width of its stem. No space and no torch here."""

from __future__ import annotations

SKELETON = "64-41414"
MODULES = (4, 1, 4, 1, 4)
"""Types of the five modules: 4 halves the resolution and doubles the channels in its first cell, 1 keeps both."""
HALVING = 4


def stem_width(channels: int) -> int:
    """Channels between the two strided convolutions of the stem: half the base, at least one."""
    return max(1, channels // 2)
