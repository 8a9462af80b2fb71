"""Architectures under a steering: enumeration, counts, samples, mutation, neighbours. The same for every space."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from nas_core.spaces.parts import Architecture, Count, Decision
from nas_core.spaces.steering import Ranges, Steering, SteeringConflict

_ENUMERATION_LIMIT = 1_000_000
_COUNT_SAMPLES = 20_000
_REJECTION_LIMIT = 2_000
_MEMBERS_LIMIT = 4_000_000
_FEW = 65_536  # choices whose metrics take no longer than ten draws by rejection
_PROBE, _PROBE_HITS = 8_192, 16
_BLOCKS = (64, 512, 4_096, *[32_768] * 8)
_CHUNK = 65_536


class ProductSpace(ABC):
    """A product of decisions, optionally narrowed by `valid`."""

    name: str
    decisions: tuple[Decision, ...]
    metric_names: tuple[str, ...] = ()

    @abstractmethod
    def metrics(self, archs: Sequence[Architecture] | np.ndarray) -> Mapping[str, np.ndarray]:
        """Values that ranges of a focus may refer to, by name: arrays (n,)."""

    def valid(self, arch: Architecture) -> bool:
        """Whether `arch` belongs to the space at all; spaces with constraints override this."""
        return len(arch) == len(self.decisions) and all(
            0 <= choice < len(decision.choices) for choice, decision in zip(arch, self.decisions, strict=True)
        )

    def check(self, allowed: Sequence[Sequence[int]]) -> None:  # noqa: B027 - a hook, not a duty
        """Whether `allowed` choices, by decision, leave something to build; spaces with constraints may look closer.

        Raises:
            SteeringConflict: with the reason, when nothing would be left.
        """

    @property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Decisions that belong together, to be shown so: a label and their positions; by default each is alone."""
        return tuple((decision.name, (d,)) for d, decision in enumerate(self.decisions))

    def fair_draws(
        self, group: tuple[int, ...], allowed: Sequence[Sequence[int]], rng: np.random.Generator
    ) -> list[tuple[int, ...]]:
        """Allowed choices of a group of decisions, in a random order, no choice more often than another.

        Strictly fair sampling takes one after another. Groups are drawn independently of each other.

        Raises:
            SteeringConflict: constraints of the space do not allow that.
        """
        if self._constrained or len(group) != 1:
            raise SteeringConflict(f"fair sampling draws one decision at a time; constraints of {self.name} forbid it")
        return [(int(choice),) for choice in rng.permutation(allowed[group[0]])]

    @property
    def size(self) -> int:
        """Number of architectures if every combination of choices is valid."""
        return math.prod(len(decision.choices) for decision in self.decisions)

    @property
    def _constrained(self) -> bool:
        return type(self).valid is not ProductSpace.valid

    def architectures(self, steering: Steering | None = None) -> Iterator[Architecture]:
        """Every valid architecture that obeys `steering`, in lexicographic order.

        Raises:
            ValueError: the space is too large to enumerate.
        """
        steering = steering or Steering.free(self)
        product = math.prod(map(len, steering.allowed))
        if product > (_MEMBERS_LIMIT if steering.ranges else _ENUMERATION_LIMIT):
            raise ValueError(f"{self.name} is too large to enumerate; sample it instead")
        if steering.ranges:
            yield from map(tuple, _members(self, steering.allowed, steering.ranges).tolist())
        else:
            yield from filter(self.valid, itertools.product(*steering.allowed))

    def count(self, steering: Steering | None = None) -> Count:
        """How many architectures obey `steering`; exact where the space factorises or can be enumerated."""
        steering = steering or Steering.free(self)
        product = math.prod(map(len, steering.allowed))
        if not self._constrained and not steering.ranges:
            return Count(product)
        if steering.ranges and (few := self._enumerated(steering)) is not None:
            return Count(len(few))
        if product <= _ENUMERATION_LIMIT:
            return Count(sum(1 for _ in self.architectures(steering)))
        draws = np.random.default_rng(0)
        picks = [tuple(int(draws.choice(choices)) for choices in steering.allowed) for _ in range(_COUNT_SAMPLES)]
        share = np.mean([self.valid(pick) for pick in picks] & steering.mask(picks))
        return Count(round(float(share) * product), exact=False)

    def sample(self, rng: np.random.Generator, steering: Steering | None = None) -> Architecture:
        """One architecture, uniform over those that obey `steering`.

        Raises:
            SteeringConflict: nothing in the space obeys it.
        """
        steering = steering or Steering.free(self)
        if steering.ranges and (few := self._enumerated(steering)) is not None:
            if len(few):
                return tuple(few[rng.integers(len(few))].tolist())
            raise SteeringConflict("no architecture obeys the steering; undo an act")
        if steering.ranges:
            found = self._by_rejection(rng, steering, _BLOCKS, 1)
            if len(found):
                return tuple(found[0].tolist())
            raise SteeringConflict("no architecture obeys the steering, or too few to be found; undo an act")
        for _ in range(_REJECTION_LIMIT):
            arch = tuple(int(choices[rng.integers(len(choices))]) for choices in steering.allowed)
            if self.valid(arch):
                return arch
        if math.prod(map(len, steering.allowed)) <= _ENUMERATION_LIMIT:
            left = list(self.architectures(steering))
            if left:
                return left[int(rng.integers(len(left)))]
        raise SteeringConflict("no architecture obeys the steering; undo an act")

    def sample_many(self, rng: np.random.Generator, steering: Steering, n: int) -> np.ndarray:
        """At most `n` architectures, uniform over those that obey a steering with metric ranges: (found, decisions).

        Fewer than `n`, yet at least one, where few are left and cannot be enumerated.

        Raises:
            SteeringConflict: nothing in the space obeys it, or it is too rare to be found.
        """
        left = self._enumerated(steering)
        if left is not None:
            found = left[rng.integers(len(left), size=n)] if len(left) else left
        else:
            found = self._by_rejection(rng, steering, [_BLOCKS[-1]] * len(_BLOCKS), n)
        if not len(found):
            raise SteeringConflict("no architecture obeys the steering; undo an act")
        return found

    def _enumerated(self, steering: Steering) -> np.ndarray | None:
        """Every architecture that obeys metric ranges, where rejection would take longer than a table once."""
        product = math.prod(map(len, steering.allowed))
        if product > _MEMBERS_LIMIT or (product > _FEW and not _is_rare(self, steering.allowed, steering.ranges)):
            return None
        return _members(self, steering.allowed, steering.ranges)

    def _by_rejection(self, rng: np.random.Generator, steering: Steering, blocks: Sequence[int], n: int) -> np.ndarray:
        """The first `n` draws that obey, or all of `blocks`: metrics of a block take hardly longer than one."""
        found = np.empty((0, len(steering.allowed)), dtype=np.int16)
        for size in blocks:
            found = np.concatenate([found, self._accepted(rng, steering, size)])
            if len(found) >= n:
                break
        return found[:n]

    def _accepted(self, rng: np.random.Generator, steering: Steering, n: int) -> np.ndarray:
        """Those of `n` uniform draws that are valid and obey the steering: (kept, decisions)."""
        table = np.stack(
            [np.asarray(c, dtype=np.int16)[rng.integers(len(c), size=n)] for c in steering.allowed], axis=1
        )
        return self._filtered(table, steering)

    def _filtered(self, table: np.ndarray, steering: Steering) -> np.ndarray:
        kept = table[steering.mask(table)]
        return kept[[self.valid(tuple(row)) for row in kept.tolist()]] if len(kept) else kept

    def neighbours(self, arch: Architecture, steering: Steering | None = None) -> list[Architecture]:
        """Every architecture that obeys `steering` and differs from `arch` in exactly one decision."""
        steering = steering or Steering.free(self)
        found = [
            (*arch[:position], choice, *arch[position + 1 :])
            for position, choices in enumerate(steering.allowed)
            for choice in choices
            if choice != arch[position]
        ]
        if not found:
            return []
        keep = steering.mask(found)
        return [other for other, kept in zip(found, keep, strict=True) if kept and self.valid(other)]

    def mutate(self, arch: Architecture, rng: np.random.Generator, steering: Steering | None = None) -> Architecture:
        """`arch` with one decision redrawn, repaired first where it breaks `steering`."""
        steering = steering or Steering.free(self)
        repaired = tuple(
            choice if choice in choices else int(choices[rng.integers(len(choices))])
            for choice, choices in zip(arch, steering.allowed, strict=True)
        )
        near = self.neighbours(repaired, steering)
        return near[int(rng.integers(len(near)))] if near else self.sample(rng, steering)


@lru_cache(maxsize=8)
def _members(space: ProductSpace, allowed: tuple[tuple[int, ...], ...], ranges: Ranges) -> np.ndarray:
    steering = Steering(allowed, ranges, metrics=space.metrics)
    sizes = tuple(map(len, allowed))
    found = []
    for start in range(0, math.prod(sizes), _CHUNK):
        picks = np.unravel_index(np.arange(start, min(start + _CHUNK, math.prod(sizes))), sizes)
        table = np.stack([np.asarray(c, dtype=np.int16)[k] for c, k in zip(allowed, picks, strict=True)], axis=1)
        found.append(space._filtered(table, steering))
    members = np.concatenate(found)
    members.setflags(write=False)
    return members


@lru_cache(maxsize=64)
def _is_rare(space: ProductSpace, allowed: tuple[tuple[int, ...], ...], ranges: Ranges) -> bool:
    """Whether rejection would take long. The same in every process, so that equal seeds draw equally."""
    steering = Steering(allowed, ranges, metrics=space.metrics)
    return len(space._accepted(np.random.default_rng(0), steering, _PROBE)) < _PROBE_HITS
