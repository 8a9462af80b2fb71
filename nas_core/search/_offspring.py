"""What strategies that breed share: children of parents, and a memory that lets no network through twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from nas_core.search.random import draw_unseen
from nas_core.spaces import Architecture, SearchSpace, Steering

_PATIENCE = 50
"""Children tried until one is new, valid and inside the steering; a random architecture takes its place after that."""


class NewNetworks:
    """Proposes architectures that are valid, obey the steering and are networks not proposed before.

    `seen` holds the canonical forms of what was proposed.
    """

    def __init__(self, space: SearchSpace, rng: np.random.Generator, seen: Iterable[Sequence[int]]) -> None:
        self.space, self._rng = space, rng
        self.seen: set[Architecture] = {tuple(form) for form in seen}

    def first_new(self, child: Callable[[], Architecture], steering: Steering) -> Architecture | None:
        """The first new network of `_PATIENCE` children, else a random one; None where nothing is left."""
        for _ in range(_PATIENCE):
            arch = child()
            if self.space.canonical(arch) not in self.seen and self._obeys(arch, steering):
                return self._remember(arch)
        return self.drawn(steering)

    def drawn(self, steering: Steering) -> Architecture | None:
        """A random new network; None where nothing is left."""
        arch = draw_unseen(self.space, self._rng, steering, self.seen, form=self.space.canonical)
        return None if arch is None else self._remember(arch)

    def _obeys(self, arch: Architecture, steering: Steering) -> bool:
        return self.space.valid(arch) and (not steering.ranges or steering.allows(arch))

    def _remember(self, arch: Architecture) -> Architecture:
        self.seen.add(self.space.canonical(arch))
        return arch


def mutated(parent: Architecture, rate: float, rng: np.random.Generator, steering: Steering) -> Architecture:
    """`parent` with every decision redrawn with probability `rate`, and wherever the steering removed its choice."""
    return tuple(
        choice if choice in choices and rng.random() >= rate else int(choices[rng.integers(len(choices))])
        for choice, choices in zip(parent, steering.allowed, strict=True)
    )


def crossed(first: Architecture, second: Architecture, rng: np.random.Generator, steering: Steering) -> Architecture:
    """Every decision from either parent with equal chance, redrawn where the steering removed the choice."""
    picks = rng.integers(2, size=len(first))
    mixed = tuple(b if pick else a for a, b, pick in zip(first, second, picks, strict=True))
    return mutated(mixed, 0.0, rng, steering)
