"""Uniform random search without repeats: the baseline every search must beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nas_core.search._registry import register
from nas_core.search.base import Ask, Result, Strategy, generator
from nas_core.spaces import Architecture, SearchSpace, Steering, SteeringConflict

_PATIENCE = 200


@register("random")
class RandomSearch(Strategy):
    """Draws architectures uniformly from those the steering leaves, each once."""

    def __init__(self, space: SearchSpace, seed: int = 0, state: dict[str, Any] | None = None) -> None:
        self.space = space
        self._rng = generator(seed, state["rng"] if state else None)
        self._seen: set[Architecture] = {tuple(arch) for arch in (state or {}).get("seen", ())}

    def ask(self, n: int, steering: Steering) -> list[Ask]:
        found: list[Ask] = []
        for _ in range(n):
            arch = draw_unseen(self.space, self._rng, steering, self._seen)
            if arch is None:
                break
            self._seen.add(arch)
            found.append(Ask(arch))
        return found

    def tell(self, results: Sequence[Result]) -> None:
        """Nothing to learn."""

    def state(self) -> dict[str, Any]:
        return {"rng": self._rng.bit_generator.state, "seen": sorted(self._seen)}


def draw_unseen(
    space: SearchSpace,
    rng: Any,
    steering: Steering,
    seen: set[Architecture],
    form: Callable[[Architecture], Architecture] = tuple,
) -> Architecture | None:
    """An architecture that obeys `steering` and whose `form` is not in `seen`; None when there is none left."""
    try:
        for _ in range(_PATIENCE):
            arch = space.sample(rng, steering)
            if form(arch) not in seen:
                return arch
    except SteeringConflict:
        return None
    try:
        left = [arch for arch in space.architectures(steering) if form(arch) not in seen]
    except ValueError:
        return None  # too large to enumerate, and what is left, if anything, is too rare to be drawn
    return left[int(rng.integers(len(left)))] if left else None
