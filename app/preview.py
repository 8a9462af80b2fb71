"""What a prune would remove. Pure functions of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.spaces import Steering

TOP = 20


@dataclass(frozen=True)
class Preview:
    """What an act would remove: architectures, their share, how many of the top 20, chance that the best is lost.

    The best is that of the `scored` candidates: of what nobody has scored, no score tells a chance.
    """

    removed: int
    share: float
    top: int
    top_of: int
    best_lost: float
    scored: int
    mask: np.ndarray

    def sentence(self) -> str:
        """The preview for people."""
        text = f"removes {self.removed:,} architectures ({self.share:.0%})"
        if self.top_of:
            text += f", {self.top} of the current top {self.top_of}, "
            text += f"{self.chance} chance that the best of the {self.scored:,} scored is among them"
        return text

    @property
    def chance(self) -> str:
        """The chance that the best is lost, for people."""
        share = self.best_lost
        return "under 1%" if share < 0.01 else "over 99%" if share > 0.99 else f"{share:.0%}"


def preview(before: Steering, after: Steering, archs: np.ndarray, scored: np.ndarray, values: np.ndarray) -> Preview:
    """Compare two steerings over all `archs` (n, decisions); `scored` are indices of scored ones with `values`.

    The chance is the share of all bootstrap resamples of the scored candidates whose best one would go.
    """
    kept_before, kept_after = before.mask(archs), after.mask(archs)
    gone = kept_before & ~kept_after
    usable = kept_before[scored] & ~np.isnan(values)
    scored, values = scored[usable], values[usable]
    order = np.argsort(-values, kind="stable")
    top = scored[order[:TOP]]
    n = len(scored)
    # The best of a resample is the k-th of all where it holds none better: ((n-k)/n)^n less ((n-k-1)/n)^n.
    none_better = (np.arange(n, -1, -1) / max(n, 1)) ** n
    lost = float((none_better[:-1] - none_better[1:]) @ gone[scored[order]])
    removed = int(gone.sum())
    return Preview(removed, removed / max(int(kept_before.sum()), 1), int(gone[top].sum()), len(top), lost, n, gone)
