"""Which paths an update trains: uniform, strictly fair, balanced over depth classes. Each obeys a steering."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from nas_core.spaces import Architecture, SearchSpace, Steering, SteeringConflict
from nas_core.supernet._depth import DEAD, depth_classes

SAMPLINGS: dict[str, Callable[..., PathSampler]] = {}
"""Every sampling by name; `register` fills it."""

_TABLE_LIMIT = 200_000
_TABLE_SAMPLES = 20_000


def register(name: str) -> Callable[[type[PathSampler]], type[PathSampler]]:
    """Register a sampler under `name`."""

    def decorate(sampler: type[PathSampler]) -> type[PathSampler]:
        SAMPLINGS[name] = sampler
        return sampler

    return decorate


class PathSampler(ABC):
    """Draws the paths of one update after another; equal seeds and steerings give equal draws."""

    def __init__(self, space: SearchSpace, steering: Steering, *, seed: int = 0) -> None:
        self.space, self.rng = space, np.random.default_rng(seed)
        self.steer(steering)

    def steer(self, steering: Steering) -> None:
        """Obey `steering` from the next draw on.

        Raises:
            SteeringConflict: nothing could be drawn under it.
        """
        self.steering = steering

    @abstractmethod
    def draw(self) -> list[Architecture]:
        """The paths whose gradients one update sums."""

    def state(self) -> dict[str, Any]:
        """JSON-ready state; `restore` goes on from it exactly, given the same steering."""
        return {"rng": self.rng.bit_generator.state}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.rng.bit_generator.state = state["rng"]


@register("uniform")
class UniformPaths(PathSampler):
    """One path an update, uniform over all that obey the steering. Source: Guo et al., SPOS, ECCV 2020."""

    def steer(self, steering: Steering) -> None:
        self.space.sample(np.random.default_rng(0), steering)  # raises here rather than in the midst of training
        super().steer(steering)

    def draw(self) -> list[Architecture]:
        return [self.space.sample(self.rng, self.steering)]


@register("fair")
class FairPaths(PathSampler):
    """Strict fairness: every decision draws its choices from permutations, all of one before any of the next.

    An update sums m paths, m the most choices left in a decision; where every decision keeps m or 1 choices each is
    then drawn equally often after every update, as in the source. Where counts differ, a decision's permutations run
    on across updates: its choices never differ by more than one draw, and are equal after every multiple of its
    number of choices. Decisions that constrain each other are drawn together, as their space says
    (`SearchSpace.fair_draws`). `counts` tells the draws. A drawn operation on a dead edge, as `none` makes them, has
    no gradient: prune `none` for updates, not only draws, that are equal.

    Source: Chu et al., FairNAS, ICCV 2021, algorithm 1.
    """

    def steer(self, steering: Steering) -> None:
        if steering.ranges:
            raise SteeringConflict("fair sampling draws decisions by themselves; it cannot obey metric ranges")
        rng = np.random.default_rng(0)  # raises here rather than in the midst of training
        lengths = [len(self.space.fair_draws(group, steering.allowed, rng)) for _, group in self.space.groups]
        super().steer(steering)
        self._paths = max(lengths)
        self._decks: list[list[tuple[int, ...]]] = [[] for _ in self.space.groups]
        self.counts = [dict.fromkeys(choices, 0) for choices in steering.allowed]

    def draw(self) -> list[Architecture]:
        return [self._next_path() for _ in range(self._paths)]

    def _next_path(self) -> Architecture:
        path = [0] * len(self.counts)
        for deck, (_, group) in zip(self._decks, self.space.groups, strict=True):
            if not deck:
                deck.extend(self.space.fair_draws(group, self.steering.allowed, self.rng))
            for decision, choice in zip(group, deck.pop(), strict=True):
                path[decision] = choice
                self.counts[decision][choice] += 1
        return tuple(path)

    def state(self) -> dict[str, Any]:
        counts = [sorted(count.items()) for count in self.counts]
        return {
            **super().state(),
            "decks": [[list(choices) for choices in deck] for deck in self._decks],
            "counts": counts,
        }

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self._decks = [[tuple(map(int, choices)) for choices in deck] for deck in state["decks"]]
        self.counts = [{int(choice): int(n) for choice, n in count} for count in state["counts"]]


@register("balanced")
class BalancedPaths(PathSampler):
    """One path an update: a depth class, each as likely, then a cell uniform within it; no dead cell.

    Classes are the longest chain of convolutions, {0-1}, {2}, {3} in NAS-Bench-201, as far as the steering leaves
    them. Deep cells are rare under uniform sampling and stay under-trained. Spaces too large for a table are drawn
    from 20,000 sampled cells.
    """

    def steer(self, steering: Steering) -> None:
        table = self._table(steering)
        classes = depth_classes(self.space, table)
        groups = [np.flatnonzero(classes == depth) for depth in np.unique(classes) if depth != DEAD]
        if not groups:
            raise SteeringConflict("no architecture with a live path obeys the steering; undo an act")
        super().steer(steering)
        self._members = [table[group] for group in groups]

    def draw(self) -> list[Architecture]:
        members = self._members[self.rng.integers(len(self._members))]
        return [tuple(int(choice) for choice in members[self.rng.integers(len(members))])]

    def _table(self, steering: Steering) -> np.ndarray:
        rng = np.random.default_rng(0)
        if np.prod([float(len(choices)) for choices in steering.allowed]) <= _TABLE_LIMIT:
            archs = list(self.space.architectures(steering))
        elif steering.ranges:
            return self.space.sample_many(rng, steering, _TABLE_SAMPLES)
        else:
            archs = [self.space.sample(rng, steering) for _ in range(_TABLE_SAMPLES)]
        return np.array(archs, dtype=np.int16).reshape(len(archs), len(self.space.decisions))


class OnePath(PathSampler):
    """The same path in every update: a network that is trained alone."""

    def __init__(self, space: SearchSpace, arch: Architecture) -> None:
        self.arch = arch
        super().__init__(space, Steering.free(space))

    def draw(self) -> list[Architecture]:
        return [self.arch]


def sampler(name: str, space: SearchSpace, steering: Steering, *, seed: int = 0) -> PathSampler:
    """The sampler called `name`.

    Raises:
        ValueError: no such sampling, or nothing to draw under the steering.
    """
    if name not in SAMPLINGS:
        raise ValueError(f"unknown sampling {name!r}; expected one of: {', '.join(SAMPLINGS)}")
    return SAMPLINGS[name](space, steering, seed=seed)
