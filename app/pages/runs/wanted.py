"""What the form for a new run asks for, checked; how the form looks and what it does are its neighbours' matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.cockpit import DEFAULT_CONFIG
from nas_core import spaces
from nas_core.data import SOURCES
from nas_core.ladder import AGGREGATE
from nas_core.proxies.settings import ScoreSettings

_LEARNING_BATCH = 8
"""Candidates in an ask of a strategy that learns: it asks often."""


@dataclass(frozen=True)
class Wanted:
    """The fields of the form, as they were filled in."""

    strategy: str
    budget: Any
    seed: Any
    data: str
    space: str
    scores: list[str]
    preset: str
    cost: str

    def config(self) -> dict[str, Any]:
        """The configuration of the run.

        Raises:
            ValueError: a field that no run can be made of; the message names it.
        """
        if not isinstance(self.budget, int) or self.budget < 1:
            raise ValueError(f"budget: got {self.budget!r}, expected a whole number, at least 1")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"seed: got {self.seed!r}, expected a whole number, at least 0")
        data = checked_data(self.data)
        if not self.scores:
            raise ValueError("no score chosen: expected at least one; the first ranks the candidates")
        rank_by = AGGREGATE if AGGREGATE in self.scores else self.scores[0]
        scores = [score for score in self.scores if score != AGGREGATE]
        if rank_by == AGGREGATE and len(scores) < 2:
            raise ValueError("an aggregate sums the ranks of several scores: expected at least two")
        costs = [self.cost] if self.strategy == "pareto" else []
        if rank_by in costs:
            raise ValueError(f"{self.cost} ranks the candidates: expected another cost, or another first score")
        known = (*scores, *spaces.get(self.space).metric_names)
        settings = replace(getattr(ScoreSettings, self.preset)(), data=data, seed=self.seed)
        config = {
            **DEFAULT_CONFIG,
            "proxies": [*scores, *(cost for cost in costs if cost not in known)],
            "rank_by": rank_by,
            "strategy": self.strategy,
            "budget": self.budget,
            "seed": self.seed,
            "settings": settings.to_dict(),
            "batch": DEFAULT_CONFIG["batch"] if self.strategy == "scan" else _LEARNING_BATCH,
        }
        return config | ({"costs": costs} if costs else {})


def checked_data(spec: str) -> str:
    """The name of a data set as `nas_core.data.load` takes it; `digits` where none is given.

    Raises:
        ValueError: no such source, or one that wants a path without it.
    """
    spec = (spec or "").strip() or "digits"
    kind, _, path = spec.partition(":")
    if spec not in SOURCES and not (path and f"{kind}:PATH" in SOURCES):
        raise ValueError(f"data: got {spec!r}, expected one of: {', '.join(SOURCES)}")
    return spec


def missing_path(spec: str) -> str:
    """The path of a data set that is not on this machine, else nothing. An engine elsewhere may still have it."""
    path = spec.partition(":")[2]
    return path if path and not Path(path).expanduser().exists() else ""
