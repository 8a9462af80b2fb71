"""Stores with runs that are scored already: pages are looked at without waiting for an engine."""

from __future__ import annotations

import numpy as np

from app.space_table import space_table
from nas_core.store import Store
from tests.runs import SCAN, make_run


def fill(store_url: str, scored: int, name: str, *, state: str = "finished", seed: int = 0) -> str:
    """A run of nb201 with random values of ZiCo for `scored` networks; its id."""
    store, table = Store(store_url), space_table("nb201")
    run = make_run(store, "nb201", {**SCAN, "budget": scored}, name)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(np.unique(table.canonical))[:scored]
    store.ask(run, [(table.texts[k], table.texts[k]) for k in chosen], {})
    told = [(place, {"zico": float(value)}, {}) for place, value in enumerate(rng.normal(100, 10, scored))]
    store.tell(run, told)
    store.set_state(run, state)
    store.close()
    return run
