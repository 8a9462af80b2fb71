"""Regularised evolution (Real et al., AAAI 2019): the oldest dies, the best of a random sample is mutated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from nas_core.search._registry import register
from nas_core.search.base import Ask, Result, Strategy, generator, not_told
from nas_core.search.random import draw_unseen
from nas_core.spaces import Architecture, SearchSpace, Steering, SteeringConflict

POPULATION = 50
SAMPLE = 10
_PATIENCE = 50


@register("evolution")
class RegularisedEvolution(Strategy):
    """Population of 50 and tournaments of 10, unless told otherwise; no architecture is proposed twice, and every child
    obeys the steering. The first `population` proposals are drawn uniformly.

    An undefined value ages in the population and never wins a tournament; a failed candidate does not enter it.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        state: dict[str, Any] | None = None,
        *,
        population: int = POPULATION,
        sample: int = SAMPLE,
    ) -> None:
        self.space = space
        self._size, self._sample = population, sample
        self._rng = generator(seed, state["rng"] if state else None)
        self._seen: set[Architecture] = {tuple(arch) for arch in (state or {}).get("seen", ())}
        self._population: list[tuple[Architecture, float]] = [
            (tuple(arch), -math.inf if value is None else value) for arch, value in (state or {}).get("population", ())
        ]

    def ask(self, n: int, steering: Steering) -> list[Ask]:
        found: list[Ask] = []
        for _ in range(n):
            arch = self._child(steering) or draw_unseen(self.space, self._rng, steering, self._seen)
            if arch is None:
                break
            self._seen.add(arch)
            found.append(Ask(arch))
        return found

    def _child(self, steering: Steering) -> Architecture | None:
        if len(self._seen) < self._size or not self._population:
            return None
        try:
            for _ in range(_PATIENCE):
                picks = self._rng.integers(len(self._population), size=self._sample)
                parent, value = max((self._population[int(k)] for k in picks), key=itemgetter(1))
                if value == -math.inf:
                    continue
                child = self.space.mutate(parent, self._rng, steering)
                if child not in self._seen:
                    return child
        except SteeringConflict:  # nothing obeys, or it cannot be found
            pass
        return None

    def tell(self, results: Sequence[Result]) -> None:
        self._population = not_told(self._population, results, itemgetter(0))
        for result in results:
            if not result.failed:
                self._population.append((result.arch, result.value if math.isfinite(result.value) else -math.inf))
        self._population = self._population[-self._size :]

    def state(self) -> dict[str, Any]:
        return {
            "rng": self._rng.bit_generator.state,
            "seen": sorted(self._seen),
            "population": [(arch, value if math.isfinite(value) else None) for arch, value in self._population],
        }
