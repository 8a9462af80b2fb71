"""A contest on a space whose truth is known: machine searchers, simple regret, and what was true all along.

Who plays, and what a player may see, is decided elsewhere. Torch-free.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nas_core import predict
from nas_core.search import Result, Strategy
from nas_core.search.evolution import RegularisedEvolution
from nas_core.search.random import RandomSearch, draw_unseen
from nas_core.spaces import Architecture, CellGraph, Count, SearchSpace, Steering

if TYPE_CHECKING:
    from torch import nn

OPPONENTS = ("random search", "evolution", "aggregate")
"""Names of the machine searchers, in the order they are played."""

_POPULATION, _SAMPLE = 10, 3
"""Of regularised evolution: a population of 50 would be a random search until evaluation 50. Dong & Yang (ICLR 2020)
run it with 10 and 3 on NAS-Bench-201."""


@dataclass(frozen=True)
class Course:
    """What one searcher evaluated, in order: architectures, and their values (n,), higher is better."""

    name: str
    archs: tuple[Architecture, ...]
    values: np.ndarray

    @property
    def found(self) -> int | None:
        """Position of the evaluation that first reached the best value; None before the first evaluation."""
        return int(np.argmax(self.values)) if len(self.values) else None

    def first(self, n: int) -> Course:
        """The course after `n` evaluations."""
        return Course(self.name, self.archs[:n], self.values[:n])


def simple_regret(values: np.ndarray, best: float) -> np.ndarray:
    """`best` minus the highest of the `values` (n,) so far, evaluation by evaluation, in units of the values (n,).

    Source: Bubeck, Munos & Stoltz, Theoretical Computer Science 412 (2011), without noise.
    """
    return best - np.maximum.accumulate(np.asarray(values, dtype=float))


class Arena:
    """One column of truth over a space. Equal seeds and scores give equal opponents.

    `results` are values by architecture text, higher is better; an architecture without a value cannot be evaluated.

    Raises:
        ValueError: a text that is no architecture of the space, or no value at all.
    """

    def __init__(self, space: SearchSpace, results: pd.Series) -> None:
        known = results.dropna()
        if not len(known):
            raise ValueError(f"no value of {results.name!r} for space {space.name!r}; expected at least one")
        self.space = space
        archs = [space.parse(str(text)) for text in known.index]
        order = sorted(range(len(archs)), key=archs.__getitem__)  # the order of a table's rows decides no tie
        self.archs: list[Architecture] = [archs[k] for k in order]
        self.values = known.to_numpy(dtype=float)[order]
        self.best = int(np.argmax(self.values))
        self._places = {arch: k for k, arch in enumerate(self.archs)}

    def value(self, arch: Architecture) -> float:
        """The value of `arch`, or of its canonical form; NaN where neither is known."""
        place = self._places.get(arch)
        if place is None:
            place = self._places.get(self.space.canonical(arch)) if self.space.valid(arch) else None
        return math.nan if place is None else float(self.values[place])

    def course(self, name: str, archs: Sequence[Architecture]) -> Course:
        """The course of a searcher that evaluated `archs`."""
        return Course(name, tuple(archs), np.array([self.value(arch) for arch in archs], dtype=float))

    def regret(self, course: Course) -> np.ndarray:
        """Simple regret of a course (n,)."""
        return simple_regret(course.values, float(self.values[self.best]))

    def opponents(self, budget: int, seed: int, ranking: Sequence[int]) -> list[Course]:
        """What the machine searchers evaluate: random search, regularised evolution, and the aggregate's `ranking`."""
        searches: list[Strategy] = [
            RandomSearch(self._known, seed=_derived(seed, 0)),
            RegularisedEvolution(self._known, seed=_derived(seed, 1), population=_POPULATION, sample=_SAMPLE),
        ]
        courses = [self._searched(name, search, budget) for name, search in zip(OPPONENTS, searches, strict=False)]
        return [*courses, self.course(OPPONENTS[-1], [self.archs[k] for k in ranking[:budget]])]

    def ranking(
        self, seed: int, scores: pd.DataFrame | None = None, lower_is_better: tuple[str, ...] = ()
    ) -> list[int]:
        """Positions of distinct networks, best first, by `predict.aggregate` of closed forms and `scores`.

        `scores` (n, scores), one row for each of `archs`. No truth is read. Cells that are the same network score
        alike: one of them, drawn by the seed, stands for all.
        """
        frame = self._closed_forms if scores is None else pd.concat([self._closed_forms, scores], axis=1)
        total = np.nan_to_num(predict.aggregate(frame, lower_is_better=lower_is_better), nan=-np.inf)
        shuffled = np.random.default_rng(_derived(seed, 2)).permutation(len(self.archs))
        order = shuffled[np.argsort(-total[shuffled], kind="stable")]
        _, first = np.unique(self._networks[order], return_index=True)
        return [int(k) for k in order[np.sort(first)]]

    def drawn(self, seed: int, seen: Collection[Architecture]) -> Architecture | None:
        """A random architecture with a value that is not in `seen`; None when there is none left."""
        rng = np.random.default_rng([_derived(seed, 3), len(seen)])
        return draw_unseen(self._known, rng, Steering.free(self._known), set(seen))

    def mutated(self, parent: Architecture, seed: int, seen: Collection[Architecture]) -> Architecture | None:
        """`parent` with one decision changed, with a value and not in `seen`; None when there is none left."""
        near = [arch for arch in self._known.neighbours(parent) if arch not in seen]
        rng = np.random.default_rng([_derived(seed, 4), len(seen)])
        return near[int(rng.integers(len(near)))] if near else None

    def suggested(self, ranking: Sequence[int], seen: Collection[Architecture]) -> Architecture | None:
        """The first of `ranking` whose network is not in `seen`; None when there is none left."""
        networks = {self.space.canonical(arch) for arch in seen}
        return next((self.archs[k] for k in ranking if self.space.canonical(self.archs[k]) not in networks), None)

    def chance_of_random(self, value: float, n: int) -> float:
        """Chance that `n` different architectures, drawn uniformly, hold one at least as good as `value`. Exact."""
        total, worse = len(self.values), int((self.values < value).sum())
        k = np.arange(min(n, total))
        return 1.0 - float(np.prod(np.clip(worse - k, 0, None) / (total - k)))

    def blocks(self) -> pd.DataFrame:
        """What was true of every block all along: `predict.block_fitness` over the whole space, and `loss`, the best
        value of the space minus the best that holds the block, NaN where none does."""
        table = np.array(self.archs)
        found = predict.block_fitness(self.space.decisions, table, self.values)
        best = self.values[self.best]
        found["loss"] = [
            best - self.values[members].max() if (members := table[:, d] == c).any() else math.nan
            for d, c in zip(found["decision"], found["choice"], strict=True)
        ]
        return found

    @property
    def networks(self) -> int:
        """How many distinct networks have a value."""
        return int(self._networks.max()) + 1

    @cached_property
    def _closed_forms(self) -> pd.DataFrame:
        return self.space.closed_forms(self.archs)

    @cached_property
    def _networks(self) -> np.ndarray:
        """A number for every architecture (n,), equal where two are the same network."""
        numbers: dict[Architecture, int] = {}
        return np.array([numbers.setdefault(self.space.canonical(arch), len(numbers)) for arch in self.archs])

    @cached_property
    def _known(self) -> _Known:
        return _Known(self)

    def _searched(self, name: str, search: Strategy, budget: int) -> Course:
        steering = Steering.free(self._known)
        archs: list[Architecture] = []
        while len(archs) < budget and (asked := search.ask(1, steering)):
            archs += [ask.arch for ask in asked]
            search.tell([Result(ask, value=self.value(ask.arch)) for ask in asked])
        return self.course(name, archs)


class _Known(SearchSpace):
    """The part of a space whose results are known: whatever is drawn or mutated there can be evaluated."""

    def __init__(self, arena: Arena) -> None:
        self.name, self.decisions = arena.space.name, arena.space.decisions
        self._arena, self._whole = arena, arena.space

    def valid(self, arch: Architecture) -> bool:
        return not math.isnan(self._arena.value(arch))

    def sample(self, rng: np.random.Generator, steering: Steering | None = None) -> Architecture:
        return self._arena.archs[int(rng.integers(len(self._arena.archs)))]

    def architectures(self, steering: Steering | None = None) -> Iterator[Architecture]:
        return iter(self._arena.archs)

    def count(self, steering: Steering | None = None) -> Count:
        return Count(len(self._arena.archs))

    def parse(self, text: str) -> Architecture:
        return self._whole.parse(text)

    def format(self, arch: Architecture) -> str:
        return self._whole.format(arch)

    def canonical(self, arch: Architecture) -> Architecture:
        return self._whole.canonical(arch)

    def build(self, arch: Architecture, **options: Any) -> nn.Module:
        return self._whole.build(arch, **options)

    def graph(self, arch: Architecture) -> CellGraph:
        return self._whole.graph(arch)

    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        return self._whole.encode(archs)


def _derived(seed: int, player: int) -> int:
    """A seed of its own for every player, so that no two begin with the same architectures."""
    return int(np.random.SeedSequence([seed, player]).generate_state(1)[0])
