"""A whole space, every distinct network once, the most informative first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_core.search._registry import register
from nas_core.search.base import Ask, Result, Strategy
from nas_core.spaces import Architecture, SearchSpace, Steering


@register("scan")
class Scan(Strategy):
    """Walks an enumerable space in an order whose every beginning covers the range of network sizes evenly.

    A network is represented by its first member that obeys the steering, so a prune never hides a network that can
    still be built.
    """

    enumerates = True

    def __init__(self, space: SearchSpace, seed: int = 0, state: dict[str, Any] | None = None) -> None:
        self.space = space
        self._order = _spread(space, seed)
        self._done: set[Architecture] = {tuple(arch) for arch in (state or {}).get("done", ())}

    def ask(self, n: int, steering: Steering) -> list[Ask]:
        found: list[Ask] = []
        allowed = steering.mask(self._order)
        for arch, keep in zip(self._order, allowed, strict=True):
            if len(found) == n:
                break
            if keep and (form := self.space.canonical(arch)) not in self._done:
                self._done.add(form)
                found.append(Ask(arch))
        return found

    def tell(self, results: Sequence[Result]) -> None:
        """Nothing to learn: the order is fixed."""

    def state(self) -> dict[str, Any]:
        return {"done": sorted(self._done)}


def _spread(space: SearchSpace, seed: int) -> list[Architecture]:
    archs = list(space.architectures())
    forms = space.closed_forms(archs)
    size = forms["live_params"].to_numpy() if "live_params" in forms else np.zeros(len(archs))
    shuffled = np.random.default_rng(seed).permutation(len(archs))
    by_size = shuffled[np.argsort(size[shuffled], kind="stable")]
    # The van der Corput sequence visits the sorted sizes so that every prefix is spread evenly over them.
    ranks = np.arange(len(archs))
    radical = np.zeros(len(archs))
    step = 0.5
    while ranks.any():
        radical += step * (ranks & 1)
        ranks >>= 1
        step /= 2
    return [archs[k] for k in by_size[np.argsort(np.argsort(radical, kind="stable"), kind="stable")]]
