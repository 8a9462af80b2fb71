"""The random generators of torch, NumPy and Python, left as they were around whatever draws from them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def generators_kept() -> Iterator[None]:
    """Give the random generators of torch, NumPy and Python back as they were, whatever is drawn inside."""
    import torch

    cards = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    here, drawn, shuffled = torch.get_rng_state(), np.random.get_state(), random.getstate()
    on_cards = [torch.cuda.get_rng_state(card) for card in cards]
    try:
        yield
    finally:
        torch.set_rng_state(here)
        np.random.set_state(drawn)
        random.setstate(shuffled)
        for card, state in zip(cards, on_cards, strict=True):
            torch.cuda.set_rng_state(state, card)
