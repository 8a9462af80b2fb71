"""Runs as tests make them: from a few words of a configuration, the rest as it is by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_core import spaces
from nas_core.config import RunConfig
from nas_core.store import Store

SCAN = {"strategy": "scan", "proxies": ["zico"], "rank_by": "zico", "budget": 6466, "batch": 32}
"""What the app makes a first run of."""


def make_run(store: Store, space: str, words: Mapping[str, Any], name: str = "") -> str:
    """A run of a configuration in its stored form, or in that of before objectives (`proxies`, `rank_by`)."""
    return store.create_run(RunConfig.from_dict({**words, "space": space}), name)


def score(store: Store, run: str, seed: int = 0, n: int = 40) -> None:
    """Score `n` cells of NAS-Bench-201 at random and sum them up, as an engine does."""
    space = spaces.get("nb201")
    archs = sorted({space.canonical(arch) for arch in space.architectures()})
    rng = np.random.default_rng(seed)
    texts = [space.format(archs[k]) for k in rng.permutation(len(archs))[:n]]
    values = rng.normal(100, 10, n)
    best = np.maximum.accumulate(values)
    curve = [[k + 1, float(best[k])] for k in range(n) if k == 0 or best[k] > best[k - 1]]
    asked = store.ask(run, [(text, text) for text in texts], {})
    told = [(row.position, {"zico": float(values[k])}, {}) for k, row in enumerate(asked)]
    store.tell(run, told, summary={"best": curve[-1][1], "curve": curve})
