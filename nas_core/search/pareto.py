"""NSGA-II (Deb et al., 2002): value high and costs low at once; what is looked for is a front, not one best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from nas_core.predict import crowding, front_ranks
from nas_core.search._offspring import NewNetworks, crossed, mutated
from nas_core.search._registry import register
from nas_core.search.base import Ask, Result, Strategy, generator, not_told
from nas_core.spaces import Architecture, SearchSpace, Steering

POPULATION = 50
CROSSOVER = 0.9
"""Chance that a child has two parents (Deb et al., section IV-B); the others have one."""


@register("pareto")
class Pareto(Strategy):
    """Population of 50 chosen by fronts, inside a front by crowding; parents win binary tournaments by the same two.

    A child is a uniform crossover of two parents, each decision then redrawn with probability one over their number:
    decisions have no order, so the source's operators for bits stand in for its simulated binary crossover. The first
    population is random. Once as many results are told as the population holds, parents and children compete for the
    next one. No network is proposed twice, and every child obeys the steering of the ask it is made for.

    Costs are `Result.costs`; without them it is a search for the value alone. A result that failed, or whose
    value or cost is not finite, never becomes a parent.

    Source: Deb, Pratap, Agarwal & Meyarivan, A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE Trans.
    Evolutionary Computation 6(2), 2002.
    """

    several_objectives = True

    def __init__(self, space: SearchSpace, seed: int = 0, state: dict[str, Any] | None = None) -> None:
        held = state or {}
        self._rng = generator(seed, held.get("rng"))
        self._networks = NewNetworks(space, self._rng, held.get("seen", ()))
        self._rate = 1 / len(space.decisions)
        self._children = [_member(*row) for row in held.get("children", ())]
        self._population = [_member(*row) for row in held.get("population", ())]
        self._ranks, self._crowding = _ranked(self._population)

    def ask(self, n: int, steering: Steering) -> list[Ask]:
        found: list[Ask] = []
        for _ in range(n):
            if self._population:
                arch = self._networks.first_new(lambda: self._child(steering), steering)
            else:
                arch = self._networks.drawn(steering)
            if arch is None:
                break
            found.append(Ask(arch))
        return found

    def _child(self, steering: Steering) -> Architecture:
        child = self._tournament_winner()
        if self._rng.random() < CROSSOVER:
            child = crossed(child, self._tournament_winner(), self._rng, steering)
        return mutated(child, self._rate, self._rng, steering)

    def _tournament_winner(self) -> Architecture:
        """The better of two: that of the earlier front, in one front the less crowded."""
        first, second = (int(k) for k in self._rng.integers(len(self._population), size=2))
        keys = [(self._ranks[k], -self._crowding[k]) for k in (first, second)]
        return self._population[first if keys[0] <= keys[1] else second].arch

    def tell(self, results: Sequence[Result]) -> None:
        """Results of earlier proposals, in the order they were asked; one told again replaces what was told before.

        Raises:
            ValueError: a result has more or fewer costs than those before it.
        """
        kept = not_told(self._population, results, attrgetter("arch"))
        if len(kept) < len(self._population):
            self._population = kept
            self._ranks, self._crowding = _ranked(kept)
        self._children = not_told(self._children, results, attrgetter("arch"))
        for result in results:
            if result.failed:
                continue
            known = next(iter(self._population or self._children), result)
            if len(result.costs) != len(known.costs):
                raise ValueError(f"costs: got {len(result.costs)}, expected {len(known.costs)} as told before")
            if result.usable and all(map(math.isfinite, result.costs)):
                self._children.append(_member(result.arch, result.value, result.costs))
        if len(self._children) >= POPULATION:
            self._select_next_population()

    def _select_next_population(self) -> None:
        """The next population: whole fronts while they fit, of the next one those that are least crowded."""
        members = self._population + self._children
        ranks, distances = _ranked(members)
        kept = np.lexsort((-distances, ranks))[:POPULATION]
        self._population, self._children = [members[k] for k in kept], []
        self._ranks, self._crowding = _ranked(self._population)

    def state(self) -> dict[str, Any]:
        return {
            "rng": self._rng.bit_generator.state,
            "seen": sorted(self._networks.seen),
            "population": [[r.arch, r.value, r.costs] for r in self._population],
            "children": [[r.arch, r.value, r.costs] for r in self._children],
        }


def _member(arch: Sequence[int], value: float, costs: Sequence[float]) -> Result:
    return Result(Ask(tuple(arch)), value=float(value), costs=tuple(map(float, costs)))


def _ranked(members: Sequence[Result]) -> tuple[np.ndarray, np.ndarray]:
    """Front and crowding distance inside it of every member: two arrays (n,)."""
    values = np.array([member.value for member in members])
    costs = np.array([member.costs for member in members]).reshape(len(members), -1 if members else 0)
    ranks = front_ranks(values, costs)
    distances = np.zeros(len(members))
    for number in range(ranks.max(initial=-1) + 1):
        inside = ranks == number
        distances[inside] = crowding(values[inside], costs[inside])
    return ranks, distances
