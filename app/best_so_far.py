"""Which candidate was the best one at each point of a run. A pure function of its values."""

from __future__ import annotations

import numpy as np


def best_positions(values: np.ndarray) -> np.ndarray:
    """After each candidate, the position of the best one so far (n,); NaN never is."""
    ranked = np.where(np.isnan(values), -np.inf, values)
    better = np.flatnonzero(np.diff(np.maximum.accumulate(ranked), prepend=-np.inf) > 0)
    steps = np.zeros(len(ranked), dtype=int)
    steps[better] = better
    return np.maximum.accumulate(steps)
