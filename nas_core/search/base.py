"""What strategies share: what is asked, what is told, the protocol, and a random generator whose state is JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from nas_core.spaces import Act, Architecture, Steering

Member = TypeVar("Member")


@dataclass(frozen=True)
class Ask:
    """One evaluation that a strategy wants.

    Args:
        arch: the architecture.
        fidelity: the rung that values it, as in `nas_core.ladder`; empty for the run's own scores.
        seed: of the evaluation, so that a noisy one can be repeated.
        budget: epochs, where the fidelity is a training; None for the run's own.
    """

    arch: Architecture
    fidelity: str = ""
    seed: int = 0
    budget: float | None = None


@dataclass(frozen=True)
class Result:
    """What a strategy learns of one ask.

    Args:
        ask: what was asked.
        scores: every score that the evaluation gave, by name, as measured.
        value: what the run maximises; higher is better, NaN where undefined.
        standard_error: of `value`, in its units; None where unknown.
        costs: lower is better; as many in every result of a run.
        failed: why the evaluation failed; empty where it did not.
    """

    ask: Ask
    scores: Mapping[str, float] = field(default_factory=dict)
    value: float = math.nan
    standard_error: float | None = None
    costs: tuple[float, ...] = ()
    failed: str = ""

    @property
    def arch(self) -> Architecture:
        """The architecture that was evaluated."""
        return self.ask.arch

    @property
    def usable(self) -> bool:
        """Whether the architecture may become a parent: it did not fail, and its value is finite."""
        return not self.failed and math.isfinite(self.value)


class Strategy(Protocol):
    """A search. Equal seeds, steerings and results give equal proposals; `state` resumes it exactly.

    A strategy is registered as a callable of `(space, seed, state)`; options of its own are keyword-only.
    `nas_core.testing.check_strategy` checks all that is promised here. A class that inherits from this one has
    `acts` already, and proposes none.
    """

    def ask(self, n: int, steering: Steering) -> list[Ask]:
        """Up to `n` new asks that obey `steering`; fewer when little is left, none when nothing is.

        No ask is made twice, whether its evaluation failed or not.
        """

    def tell(self, results: Sequence[Result]) -> None:
        """Results of earlier asks, in the order they were asked.

        One that was told before has a new value, which takes the place of the old: shared weights trained on. A result
        that failed, or whose value is not finite, never becomes a parent.
        """

    def acts(self) -> list[Act]:
        """Steering that the strategy proposes before its next ask; every act can be folded with the one in force.

        A question only: until the next `ask` or `tell` the answer stays the same.
        """
        return []

    def state(self) -> dict[str, Any]:
        """JSON-ready state."""


def not_told(
    members: Sequence[Member], results: Sequence[Result], arch_of: Callable[[Member], Architecture]
) -> list[Member]:
    """Those of what a strategy remembers that `results` do not tell again."""
    again = {result.arch for result in results}
    return [member for member in members if arch_of(member) not in again]


def generator(seed: int, state: dict[str, Any] | None) -> np.random.Generator:
    """A generator from `seed`, or exactly as it was when `state` was taken."""
    rng = np.random.default_rng(seed)
    if state is not None:
        rng.bit_generator.state = state
    return rng
