"""What strategies share: the protocol, a result, and a random generator whose state is JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from nas_core.spaces import Architecture, Steering

Member = TypeVar("Member")


@dataclass(frozen=True)
class Result:
    """An architecture with its value (higher is better, NaN where undefined) and its costs (lower is better)."""

    arch: Architecture
    value: float
    costs: tuple[float, ...] = ()


def not_told(
    members: Sequence[Member], results: Sequence[Result], arch_of: Callable[[Member], Architecture]
) -> list[Member]:
    """Those of what a strategy remembers that `results` do not tell again."""
    again = {result.arch for result in results}
    return [member for member in members if arch_of(member) not in again]


class Strategy(Protocol):
    """A search. Equal seeds, steerings and results give equal proposals; `state` resumes it exactly."""

    def ask(self, n: int, steering: Steering) -> list[Architecture]:
        """Up to `n` new architectures that obey `steering`; fewer when little is left, none when nothing is."""

    def tell(self, results: Sequence[Result]) -> None:
        """Results of earlier proposals, in the order they were asked.

        One that was told before has a new value, which takes the place of the old: shared weights trained on.
        """

    def state(self) -> dict[str, Any]:
        """JSON-ready state."""


def generator(seed: int, state: dict[str, Any] | None) -> np.random.Generator:
    """A generator from `seed`, or exactly as it was when `state` was taken."""
    rng = np.random.default_rng(seed)
    if state is not None:
        rng.bit_generator.state = state
    return rng
