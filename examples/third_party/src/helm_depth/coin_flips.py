"""Flips a coin: a new random architecture, or a neighbour of the last good one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nas_core.search import Ask, Result, Strategy, draw_unseen, generator
from nas_core.spaces import Architecture, SearchSpace, Steering


class CoinFlips(Strategy):
    """Asks for a neighbour of the best so far with chance `heads`, otherwise for a random architecture."""

    def __init__(
        self, space: SearchSpace, seed: int = 0, state: dict[str, Any] | None = None, *, heads: float = 0.5
    ) -> None:
        state = state or {}
        self._space, self._heads = space, heads
        self._rng = generator(seed, state.get("rng"))
        self._seen: set[Architecture] = {tuple(arch) for arch in state.get("seen", ())}
        best = state.get("best")
        self._best: tuple[Architecture, float] | None = (tuple(best[0]), best[1]) if best else None

    def ask(self, n: int, steering: Steering) -> list[Ask]:
        """Flip the coin n times; fewer asks where nothing new is left."""
        asks: list[Ask] = []
        for _ in range(n):
            arch = self._neighbour(steering) or draw_unseen(self._space, self._rng, steering, self._seen)
            if arch is None:
                break
            self._seen.add(arch)
            asks.append(Ask(arch))
        return asks

    def _neighbour(self, steering: Steering) -> Architecture | None:
        if self._best is None or self._rng.random() >= self._heads:
            return None
        new = [arch for arch in self._space.neighbours(self._best[0], steering) if arch not in self._seen]
        return new[int(self._rng.integers(len(new)))] if new else None

    def tell(self, results: Sequence[Result]) -> None:
        """Remember the best result. Failed and undefined ones are skipped."""
        for result in results:
            if result.usable and (self._best is None or result.value > self._best[1]):
                self._best = (result.arch, result.value)

    def state(self) -> dict[str, Any]:
        """Everything a resumed search needs, as JSON."""
        return {"rng": self._rng.bit_generator.state, "seen": sorted(self._seen), "best": self._best}
