"""How a table of scores names the values of single seeds beside their mean: `zico` and `zico@seed0`, `zico@seed1`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ONE_SEED = re.compile(r"(.+)@seed(\d+)")


def seed_column(score: str, seed: int) -> str:
    """The column of a score's values of one seed."""
    return f"{score}@seed{seed}"


def columns_by_seed(columns: Iterable[str]) -> dict[str, list[str]]:
    """The columns of single seeds by the score that they are of, in the order of their seeds."""
    found: dict[str, dict[int, str]] = {}
    for column in columns:
        if (match := _ONE_SEED.fullmatch(column)) is not None:
            found.setdefault(match[1], {})[int(match[2])] = column
    return {score: [seeds[seed] for seed in sorted(seeds)] for score, seeds in found.items()}
