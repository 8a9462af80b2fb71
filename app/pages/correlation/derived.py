"""What the Correlation page derives of a view under the choices made on it, kept by what it is derived from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flask_caching import Cache

from app.cockpit import Cockpit, View
from app.labels import score_label
from app.laboratory import aggregate, leader_board, score_matrix, single_seeds, stability
from app.masks import unpacked
from app.truth import TRAINED_HERE, Truth
from nas_core.ladder import AGGREGATE, TRAINED

Weights = tuple[tuple[str, float], ...]
Scope = tuple[str, int, str | None]
"""Which candidates are counted: the choice made, acts so far, and the brush where it is the choice."""

_REFRESH = 100
_ALONE = "Only these settings are scored: run the score with another seed, batch or data"


class Derived:
    """What a view says under given choices, computed once for all drawings that need it."""

    def __init__(self, cockpit: Cockpit, cache: Cache) -> None:
        self._cockpit, self._cache = cockpit, cache

    def aggregate(self, view: View, weights: Weights) -> np.ndarray:
        """Values (n,) by candidate."""
        return self._once(lambda: aggregate(view, dict(weights)), "aggregate", view, len(view.indices), weights)

    def looked_at(self, view: View, name: str, weights: Weights) -> np.ndarray:
        """Values (n,) by candidate of a score or of the aggregate, better ones larger."""
        return self.aggregate(view, weights) if name == AGGREGATE else view.oriented(name)

    @staticmethod
    def truth(view: View, truth: Truth) -> np.ndarray:
        """Values (n,) by candidate, better ones larger."""
        return truth.oriented(truth.over(view.table)[view.indices])

    def single_seeds(self, view: View, name: str) -> list[np.ndarray]:
        """Values (n,) by candidate for every seed that a score is averaged over; none where it is of one seed."""
        if view.run.config.settings.seeds < 2:
            return []
        return self._once(lambda: single_seeds(self._cockpit, view, name), "seeds", view, _step(view), name, seconds=60)

    def board(self, view: View, chosen: np.ndarray, truth: Truth, weights: Weights, scope: Scope) -> list[Any]:
        """Rows of the leader board."""

        def rows() -> list[Any]:
            known, summed = self.truth(view, truth), self.aggregate(view, weights)
            without = {TRAINED} if truth.choice == TRAINED_HERE else set()
            seeds = {name: self.single_seeds(view, name) for name in view.values}
            return leader_board(view, known, chosen, summed, weighted=bool(weights), without=without, by_seed=seeds)

        return self._once(rows, "board", view, _step(view), truth.version, weights, scope)

    def crossed(
        self, view: View, chosen: np.ndarray, crossed: str, looked_at: str, scope: Scope
    ) -> tuple[list[str], np.ndarray, str]:
        """Names, correlations and title of the matrix that is shown."""
        if crossed != "settings":
            found = self._once(lambda: score_matrix(view, chosen), "matrix", view, _step(view), scope)
            return *found, "Score against score, Spearman"
        # Scores under other settings may come from any run, so these are not kept for long.
        rivals, table = self._once(
            lambda: stability(self._cockpit, view, looked_at), "stability", view, _step(view), looked_at, seconds=60
        )
        return rivals, table, f"{score_label(looked_at)} under other settings, Spearman" if len(rivals) > 1 else _ALONE

    def _once(self, make: Callable[[], Any], what: str, view: View, *given: Any, seconds: int | None = None) -> Any:
        key = repr((what, view.run.id, *given))
        found = self._cache.get(key)
        if found is None:
            found = make()
            self._cache.set(key, found, timeout=seconds)
        return found


def _step(view: View) -> int:
    """A number that changes when statistics are worth computing anew."""
    scored = len(view.indices)
    return scored // _REFRESH if view.run.state in ("running", "queued") else -scored


def weights_of(held: dict[str, Any] | None, run: str) -> Weights:
    """Weights that the user gave for this run; none for equal ones."""
    return tuple(sorted(((held or {}).get(run) or {}).items()))


def chosen_of(view: View, scope: str, brushed: str | None) -> np.ndarray:
    """Positions among the scored candidates that the statistics are about."""
    if scope == "steering":
        return np.flatnonzero(view.kept[view.indices])
    if scope == "brush":
        return np.flatnonzero(unpacked(brushed, len(view.table.archs))[view.indices])
    return np.arange(len(view.indices))
