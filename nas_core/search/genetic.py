"""The evolution of single-path one-shot search (Guo et al., ECCV 2020): generations bred from the ten best so far."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from nas_core.search._offspring import NewNetworks, crossed, mutated
from nas_core.search._registry import register
from nas_core.search.base import Ask, Result, Strategy, generator, not_told
from nas_core.spaces import Architecture, SearchSpace, Steering

POPULATION = 50
MUTATIONS = 25
RATE = 0.1
TOP = 10
"""Sizes and rate of the published search: the generation, those of it that are mutations, the chance that a decision
is redrawn, and the parents."""


@register("genetic")
class Genetic(Strategy):
    """Generations of 50: 25 mutations of the ten best so far (each decision redrawn with probability 0.1), then 25
    crossovers of two of them, and random architectures for the first generation and for children that cannot be had.

    To be chosen over `evolution` where scores are trusted: the best of the whole search stay parents. No network is
    proposed twice, and every child obeys the steering of the ask it is made for. The parents of a generation are those
    told when its first child is asked for, so asks of any size may be made, across generations too.

    Source: Guo et al., Single Path One-Shot Neural Architecture Search with Uniform Sampling, ECCV 2020, algorithm 1.
    """

    def __init__(self, space: SearchSpace, seed: int = 0, state: dict[str, Any] | None = None) -> None:
        held = state or {}
        self._rng = generator(seed, held.get("rng"))
        self._networks = NewNetworks(space, self._rng, held.get("seen", ()))
        self._best: list[tuple[Architecture, float]] = [(tuple(arch), value) for arch, value in held.get("best", ())]
        self._parents: list[Architecture] = [tuple(arch) for arch in held.get("parents", ())]
        self._made = int(held.get("made", 0))

    def ask(self, n: int, steering: Steering) -> list[Ask]:
        found: list[Ask] = []
        for _ in range(n):
            place = self._made % POPULATION
            if place == 0:
                self._parents = [arch for arch, _ in self._best]
            arch = self._child(place, steering)
            if arch is None:
                break
            self._made += 1
            found.append(Ask(arch))
        return found

    def _child(self, place: int, steering: Steering) -> Architecture | None:
        """The candidate at `place` of the generation."""
        if not self._parents:
            return self._networks.drawn(steering)
        if place < MUTATIONS:
            return self._networks.first_new(lambda: mutated(self._parent(), RATE, self._rng, steering), steering)
        return self._networks.first_new(lambda: crossed(self._parent(), self._parent(), self._rng, steering), steering)

    def _parent(self) -> Architecture:
        return self._parents[int(self._rng.integers(len(self._parents)))]

    def tell(self, results: Sequence[Result]) -> None:
        known = [(result.arch, float(result.value)) for result in results if result.usable]
        kept = not_told(self._best, results, itemgetter(0))
        self._best = sorted(kept + known, key=lambda member: -member[1])[:TOP]

    def state(self) -> dict[str, Any]:
        return {
            "rng": self._rng.bit_generator.state,
            "seen": sorted(self._networks.seen),
            "best": list(self._best),
            "parents": list(self._parents),
            "made": self._made,
        }
