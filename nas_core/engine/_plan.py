"""What a run is to do: its configuration, read and checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from nas_core import proxies, spaces
from nas_core.ladder import AGGREGATE, ONE_SHOT, TRAINED
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import Architecture
from nas_core.store import CandidateRow, RunRow

GENERATION = 8
"""Candidates between two asks: few, so that a steering act takes effect promptly."""

_EPOCHS = 30.0
"""Epochs of training where a run does not say."""


class Plan:
    """A run's configuration, read and checked."""

    def __init__(self, run: RunRow) -> None:
        config: dict[str, Any] = run.config
        self.space = spaces.get(run.space)
        self.strategy = str(config.get("strategy", "evolution"))
        self.template: dict[str, Any] | None = config.get("template")
        self.supernet: dict[str, Any] | None = config.get("supernet")
        if self.supernet is not None:
            template = json.dumps(self.template) if self.template else ""
            self.supernet = {"epochs": _EPOCHS, **self.supernet, "space": self.space.name, "template": template}
        alone = str((self.supernet or {}).get("arch") or "")
        self.arch = self.space.parse(alone) if alone else None
        self.rank_by = run.rank_by
        self.scores = [name for name in dict.fromkeys([*run.asked_scores, self.rank_by]) if name != AGGREGATE]
        self.proxies = [name for name in self.scores if name not in (*ONE_SHOT, TRAINED)]
        if self.supernet is None and self.proxies != self.scores:
            raise ValueError(f"a run without a supernet cannot have {', '.join(set(self.scores) - set(self.proxies))}")
        self.lower_is_better = tuple(name for name in self.scores if not proxies.higher_is_better(name))
        self.higher_is_better = self.rank_by not in self.lower_is_better
        self.costs = [str(name) for name in config.get("costs") or ()]
        self.settings = ScoreSettings.from_dict(config.get("settings") or {})
        self.settings_key = self.settings.key()
        self.budget = None if config.get("budget") is None else int(config["budget"])
        self.seed = int(config.get("seed") or 0)
        self.batch = int(config.get("batch") or GENERATION)
        script = config.get("script") or {}
        self.script_acts: list[dict[str, Any]] = script.get("acts") or []
        trainings = script.get("trainings") or []  # of two numbers where written before steps were kept
        self._trainings = [(int(at), int(rest[0]) if rest[1:] else 0, float(rest[-1])) for at, *rest in trainings]
        self.script_asks = {int(at): int(size) for at, size in script.get("asks") or []}
        self.analyst = bool(config.get("analyst"))
        if self.batch < 1:
            raise ValueError(f"batch: got {self.batch}, expected at least 1")

    def epochs(self, asked: int, step: int) -> float:
        """Epochs in all that the weights are to see, once `asked` candidates are asked and `step` updates are made.

        A script says when its session went over to which budget; what this run wants itself comes after that.
        """
        assert self.supernet is not None
        begun = [epochs for at, from_step, epochs in self._trainings if at <= asked and from_step <= step]
        return begun[-1] if 0 < len(begun) < len(self._trainings) else float(self.supernet["epochs"])

    def next_step(self, asked: int, step: int) -> int | None:
        """The training step at which the next act, or the next budget, of the script takes effect."""
        acts = [int(entry["step"]) for entry in self.script_acts if int(entry["at"]) <= asked and entry.get("step")]
        budgets = [from_step for at, from_step, _ in self._trainings if at <= asked]
        return min((other for other in acts + budgets if other > step), default=None)

    def lasting(self, values: Mapping[str, float]) -> dict[str, float]:
        """Those of `values` that depend on nothing but architecture and settings: what the cache may keep."""
        kept = (name for name in self.proxies if getattr(proxies.get(name), "reproducible", True))
        return {name: values[name] for name in kept if name in values}

    def costs_of(self, archs: Sequence[Architecture], rows: Sequence[CandidateRow]) -> list[tuple[float, ...]]:
        """What each architecture costs, by `costs`; lower is better.

        Raises:
            ValueError: a cost that is neither a closed form of the space nor a score of the run.
        """
        if not self.costs:
            return [()] * len(archs)
        forms = self.space.closed_forms(archs)
        for name in self.costs:
            if name not in forms and name not in self.scores:
                expected = ", ".join([*map(str, forms), *self.scores])
                raise ValueError(f"unknown cost {name!r}; expected one of: {expected}")
        return [
            tuple(
                float(forms[name].iloc[k]) if name in forms else float((row.values or {}).get(name, math.nan))
                for name in self.costs
            )
            for k, row in enumerate(rows)
        ]


def is_due(entry: Mapping[str, Any], asked: int, step: int | None) -> bool:
    """Whether an act of a script takes effect now: `asked` candidates on, and in training `step` updates on."""
    if int(entry["at"]) > asked:
        return False
    return step is None or (entry.get("step") is not None and int(entry["step"]) <= step)
