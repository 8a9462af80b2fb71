"""Numbers as JSON, which has neither NaN nor infinity: null stands for a value that is known to be undefined."""

from __future__ import annotations

import math
from collections.abc import Mapping


def jsonable(values: Mapping[str, float]) -> dict[str, float | None]:
    """`values` with None for what is not finite."""
    return {name: float(value) if math.isfinite(value) else None for name, value in values.items()}


def numbers(values: Mapping[str, float | None] | None) -> dict[str, float] | None:
    """What `jsonable` was given, NaN where a value is undefined; None for None."""
    if values is None:
        return None
    return {name: math.nan if value is None else value for name, value in values.items()}
