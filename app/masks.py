"""Sets of architectures on the wire: a mask over the space as base64 of its bits, two kilobytes for 15,625."""

from __future__ import annotations

import base64

import numpy as np


def packed(mask: np.ndarray) -> str:
    """A mask (n,) as base64 of its bits, first architecture in the highest bit."""
    return base64.b64encode(np.packbits(mask).tobytes()).decode()


def unpacked(bits: str | None, count: int) -> np.ndarray:
    """The mask that `packed` wrote, bool (count,); all False for None, and behind the end of a shorter one."""
    if not bits:
        return np.zeros(count, dtype=bool)
    return np.unpackbits(np.frombuffer(base64.b64decode(bits), dtype=np.uint8), count=count).astype(bool)
