"""What the form for a new run asks for, as a configuration; how the form looks and what it does are its neighbours'
matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nas_core import config, spaces
from nas_core.config import GENERATION, Objective, ObjectiveKind, RunConfig
from nas_core.ladder import AGGREGATE
from nas_core.proxies.settings import ScoreSettings

SCAN_BATCH = 32
"""Candidates in an ask of a strategy that learns nothing: it need not ask often."""


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
    task: str = config.SEARCH
    options: str = ""

    def config(self) -> RunConfig:
        """The configuration of the run, checked.

        Raises:
            ValueError: a field that no run can be made of; the message names it.
        """
        found = self._config()
        found.check()
        return found

    def _config(self) -> RunConfig:
        if self.task != config.SEARCH:
            options = (self.options or "").strip()
            return RunConfig(task=f"{self.task}:{options}" if options else self.task, seed=self.seed)
        if self.budget is None or self.budget == "":
            raise ValueError(f"budget: got {self.budget!r}, expected a whole number, at least 1")
        if not self.scores:
            raise ValueError("no score chosen: expected at least one; the first ranks the candidates")
        several = self.strategy in config.strategy_names(several_objectives=True)
        scores = [score for score in self.scores if score != AGGREGATE]
        if AGGREGATE in self.scores:
            kind = ObjectiveKind.AGGREGATE
            if several:
                raise ValueError(f"strategy: {self.strategy} weighs one score against its cost; expected no aggregate")
        else:
            kind = ObjectiveKind.PARETO if several else ObjectiveKind.SCORE
        costs = (self.cost,) if several else ()
        known = (*scores, *spaces.get(self.space).metric_names)
        data = (self.data or "").strip() or "digits"
        seed = RunConfig(seed=self.seed).seed  # checked before it becomes part of the settings
        settings = replace(getattr(ScoreSettings, self.preset)(), data=data, seed=seed)
        return RunConfig(
            space=self.space,
            strategy=self.strategy,
            scores=(*scores, *(cost for cost in costs if cost not in known and "/" not in cost)),
            objective=Objective(kind, scores[0] if scores else AGGREGATE, costs),
            settings=settings,
            budget=self.budget,
            seed=seed,
            batch=SCAN_BATCH if self.strategy == "scan" else GENERATION,
        )


def missing_path(spec: str) -> str:
    """The path of a data set that is not on this machine, else nothing. An engine elsewhere may still have it."""
    path = spec.partition(":")[2]
    return path if path and not Path(path).expanduser().exists() else ""
