"""What a prune would remove. Pure functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.spaces import Steering

TOP = 20
_RESAMPLES = 200


@dataclass(frozen=True)
class Preview:
    """What an act would remove: architectures, their share, how many of the top 20, chance that the best is lost."""

    removed: int
    share: float
    top: int
    top_of: int
    best_lost: float
    mask: np.ndarray

    def sentence(self) -> str:
        """The preview for people."""
        text = f"removes {self.removed:,} architectures ({self.share:.0%})"
        if self.top_of:
            text += f", {self.top} of the current top {self.top_of}, "
            text += f"{self.best_lost:.0%} chance that the best is among them"
        return text


def preview(
    before: Steering, after: Steering, archs: np.ndarray, scored: np.ndarray, values: np.ndarray, *, seed: int = 0
) -> Preview:
    """Compare two steerings over all `archs` (n, decisions); `scored` are indices of scored ones with `values`.

    The chance is the share of bootstrap resamples of the scored candidates whose best one would go.
    """
    kept_before, kept_after = before.mask(archs), after.mask(archs)
    gone = kept_before & ~kept_after
    usable = kept_before[scored] & ~np.isnan(values)
    scored, values = scored[usable], values[usable]
    order = np.argsort(-values, kind="stable")
    top = scored[order[:TOP]]
    lost = 0.0
    if len(scored):
        ranked_gone = gone[scored[order]]
        # The best of a resample is the first in rank order that was drawn: rank k with probability (1-1/n)^k-ish.
        draws = np.random.default_rng(seed).integers(len(order), size=(_RESAMPLES, len(order))).min(axis=1)
        lost = float(ranked_gone[draws].mean())
    removed = int(gone.sum())
    return Preview(removed, removed / max(int(kept_before.sum()), 1), int(gone[top].sum()), len(top), lost, gone)
