"""Sets of blocks: what regions hold, joined and taken apart, and the focus that such a set stands for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nas_core.spaces import Decision, Region


@dataclass(frozen=True)
class BlockSet:
    """Some blocks of a space: for every decision, the choices that belong to the set."""

    decisions: tuple[Decision, ...]
    choices: tuple[frozenset[int], ...]

    @classmethod
    def of(cls, decisions: tuple[Decision, ...], archs: np.ndarray) -> BlockSet:
        """Blocks that at least one of `archs` (n, decisions) holds."""
        return cls(decisions, tuple(frozenset(np.unique(archs[:, d]).tolist()) for d in range(len(decisions))))

    def __or__(self, other: BlockSet) -> BlockSet:
        return self._paired(other, frozenset.union)

    def __and__(self, other: BlockSet) -> BlockSet:
        return self._paired(other, frozenset.intersection)

    def __sub__(self, other: BlockSet) -> BlockSet:
        return self._paired(other, frozenset.difference)

    def __invert__(self) -> BlockSet:
        everything = (frozenset(range(len(decision.choices))) for decision in self.decisions)
        return BlockSet(self.decisions, tuple(a - b for a, b in zip(everything, self.choices, strict=True)))

    def __len__(self) -> int:
        return sum(map(len, self.choices))

    def _paired(self, other: BlockSet, join: Callable[..., frozenset[int]]) -> BlockSet:
        return BlockSet(self.decisions, tuple(join(a, b) for a, b in zip(self.choices, other.choices, strict=True)))

    def bricks(self) -> list[str]:
        """The blocks as the template names its bricks, `decision:choice`."""
        return [f"{d}:{c}" for d, choices in enumerate(self.choices) for c in sorted(choices)]

    def must_have(self) -> Region:
        """Blocks that leave their decision no other choice: what everything built from the set has."""
        pairs = zip(self.decisions, self.choices, strict=True)
        return Region(must_have=tuple((d.name, d.choices[next(iter(c))]) for d, c in pairs if len(c) == 1))

    def must_not(self) -> Region:
        """Blocks outside of the set; a decision of which the set holds none is left alone."""
        pairs = zip(self.decisions, self.choices, strict=True)
        return Region(
            must_not=tuple(
                (decision.name, choice)
                for decision, held in pairs
                if held
                for c, choice in enumerate(decision.choices)
                if c not in held
            )
        )


Operation = Callable[[BlockSet, BlockSet], BlockSet]
OPERATIONS: dict[str, tuple[str, Operation]] = {
    "union": ("{0} ∪ {1}", lambda a, b: a | b),
    "intersection": ("{0} ∩ {1}", lambda a, b: a & b),
    "difference": ("{0} ∖ {1}", lambda a, b: a - b),
    "complement": ("neither", lambda a, b: ~(a | b)),
}
"""Set operations on the blocks of two regions, with how they are written."""

ALONE: dict[str, tuple[str, Operation]] = {
    "union": ("{0}", lambda a, _: a),
    "complement": ("not {0}", lambda a, _: ~a),
}
"""Those that make sense of a single one."""


def combined(operation: str, sets: list[tuple[str, BlockSet]]) -> tuple[str, BlockSet]:
    """The set that `operation` makes of one or two named sets, and how it is written."""
    known = OPERATIONS if len(sets) == 2 else ALONE
    written, operate = known.get(operation, known["union"])
    (first, a), (last, b) = sets[0], sets[-1]
    return written.format(first, last), operate(a, b)
