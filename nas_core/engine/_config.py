"""What a run is asked to do, checked at the boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nas_core.proxies.settings import ScoreSettings


@dataclass(frozen=True)
class RunConfig:
    """Strategy, proxies, the one that ranks, score settings, budget in candidates, seed, and candidates an ask."""

    strategy: str = "scan"
    proxies: tuple[str, ...] = ("zico",)
    rank_by: str = "zico"
    settings: ScoreSettings = field(default_factory=ScoreSettings)
    budget: int = 6466
    seed: int = 0
    batch: int = 8

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunConfig:
        """Read the configuration of a stored run.

        Raises:
            ValueError: the ranking proxy is not computed, or a number is below 1.
        """
        proxies = tuple(data.get("proxies") or ("zico",))
        config = cls(
            strategy=str(data.get("strategy", "scan")),
            proxies=proxies,
            rank_by=str(data.get("rank_by") or proxies[0]),
            settings=ScoreSettings.from_dict(data.get("settings") or {}),
            budget=int(data.get("budget", 6466)),
            seed=int(data.get("seed", 0)),
            batch=int(data.get("batch", 8)),
        )
        if config.rank_by not in config.proxies:
            raise ValueError(
                f"rank_by {config.rank_by!r} is not computed; expected one of: {', '.join(config.proxies)}"
            )
        if config.budget < 1 or config.batch < 1:
            raise ValueError(f"budget {config.budget} and batch {config.batch}: expected at least 1")
        return config
