"""What a run maximises: how scores and costs of its candidates become the value that a strategy learns from."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nas_core.ladder import AGGREGATE
from nas_core.predict import aggregate


class ObjectiveKind(enum.StrEnum):
    """The ways in which scores and costs make one value."""

    SCORE = "score"
    """One score."""
    AGGREGATE = "aggregate"
    """The rank aggregate of all scores, over the candidates so far."""
    EFFICIENCY = "efficiency"
    """A score minus a weight times the natural logarithm of each cost."""
    PRODUCT = "product"
    """A score over the product of the costs, each to the power of the weight."""
    PARETO = "pareto"
    """A score and each cost by itself: what is looked for is the front."""


_WITH_COSTS = (ObjectiveKind.EFFICIENCY, ObjectiveKind.PRODUCT, ObjectiveKind.PARETO)


@dataclass(frozen=True)
class Objective:
    """What a run maximises.

    Args:
        kind: see `ObjectiveKind`.
        score: the score meant; for an aggregate it is that of all scores of the run.
        costs: closed forms, scores or columns `table/column` to keep low.
        weight: of the costs, for `efficiency` and `product`.

    Raises:
        ValueError: costs where there may be none, or none where there must be, or a weight that is no number.
    """

    kind: ObjectiveKind = ObjectiveKind.SCORE
    score: str = "zico"
    costs: tuple[str, ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind is ObjectiveKind.AGGREGATE:
            object.__setattr__(self, "score", AGGREGATE)
        if self.costs and self.kind not in _WITH_COSTS:
            raise ValueError(f"objective: {self.kind} takes no costs, got {', '.join(self.costs)}")
        if self.kind in _WITH_COSTS and not self.costs:
            raise ValueError(f"objective: {self.kind} needs a cost; expected one such as flops")
        if self.score in self.costs:
            raise ValueError(f"objective: {self.score} ranks the candidates already; expected another cost")
        if not math.isfinite(self.weight) or self.weight < 0:
            raise ValueError(f"objective: weight is {self.weight!r}, expected a number from 0 up")

    @property
    def is_weighed(self) -> bool:
        """Whether its value is none of the scores itself."""
        return self.kind in (ObjectiveKind.EFFICIENCY, ObjectiveKind.PRODUCT)

    @property
    def title(self) -> str:
        """What it maximises, for people: `zico − 0.5 ln flops`."""
        costs = " · ".join(self.costs)
        if self.kind is ObjectiveKind.EFFICIENCY:
            return f"{self.score} − {self.weight:g} ln({costs})"
        if self.kind is ObjectiveKind.PRODUCT:
            return f"{self.score} / ({costs})" + (f"^{self.weight:g}" if self.weight != 1 else "")
        return f"{self.score} against {', '.join(self.costs)}" if self.costs else self.score

    def values(self, scores: pd.DataFrame, costs: np.ndarray, lower_is_better: tuple[str, ...] = ()) -> np.ndarray:
        """The value of every candidate, higher is better, NaN where it is undefined: (n,).

        Args:
            scores: one row a candidate in the order asked, one column a score of the run, NaN where it has none.
            costs: (n, costs), lower is better; only what is above 0 has an efficiency or a product.
            lower_is_better: those scores of which less is better.
        """
        if self.kind is ObjectiveKind.AGGREGATE:
            return aggregate(scores, lower_is_better)
        found = scores[self.score].to_numpy(dtype=float) if self.score in scores else np.full(len(scores), np.nan)
        found = -found if self.score in lower_is_better else found
        if not self.is_weighed:
            return found
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.where(costs > 0, costs, np.nan)).sum(axis=1)
            if self.kind is ObjectiveKind.EFFICIENCY:
                return found - self.weight * logs
            return np.where(found > 0, found, np.nan) * np.exp(-self.weight * logs)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; `from_dict` reads it back."""
        return {"kind": str(self.kind), "score": self.score, "costs": list(self.costs), "weight": self.weight}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Objective:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: the message begins with `objective:` and says what was expected.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"objective: got {data!r}, expected kind, score, costs and weight")
        known = {"kind", "score", "costs", "weight"}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"objective: unknown part {unknown[0]!r}; expected kind, score, costs or weight")
        try:
            kind = ObjectiveKind(data.get("kind", "score"))
        except ValueError:
            expected = ", ".join(ObjectiveKind)
            raise ValueError(f"objective: unknown kind {data.get('kind')!r}; expected one of: {expected}") from None
        weight = data.get("weight", 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise ValueError(f"objective: weight is {weight!r}, expected a number from 0 up")
        costs = data.get("costs") or ()
        if isinstance(costs, str) or not all(isinstance(cost, str) for cost in costs):
            raise ValueError(f"objective: costs are {costs!r}, expected a list of names")
        return cls(kind, str(data.get("score") or "zico"), tuple(costs), float(weight))
