"""How much of a space is evaluated, and which part of the map the search has passed by. Pure functions of a view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.cockpit import View

_CUTS = 4
"""The map is cut into 4 columns of equal count, and each into 4 areas of equal count."""
LEAST_NETWORKS = 20
"""An area with fewer unscored networks is too small to be worth a look."""
NEGLECT = 0.5
"""An area is passed by where its share scored is at most half of the share overall."""


@dataclass(frozen=True)
class Coverage:
    """How many of the different networks (canonical forms) are scored."""

    scored: int
    networks: int

    @property
    def share(self) -> float:
        """Scored share, 0 to 1."""
        return self.scored / max(self.networks, 1)

    @property
    def percent(self) -> str:
        """The share for people: `12 %`, with a decimal where it is small."""
        digits = 1 if 0 < self.share < 0.1 else 0
        return f"{100 * self.share:.{digits}f} %"

    def sentence(self) -> str:
        """For people: `641 of 5,170 networks (12 %)`."""
        return f"{self.scored:,} of {self.networks:,} networks ({self.percent})"


@dataclass(frozen=True)
class Area:
    """Part of the map: its architectures under the steering, bool (n,), and how many networks of it are scored."""

    inside: np.ndarray
    coverage: Coverage


def coverage(view: View, inside: np.ndarray | None = None) -> Coverage:
    """Of the networks that the steering keeps, or of those `inside` (bool (n,)), how many are scored."""
    kept = view.kept if inside is None else view.kept & inside
    networks = np.unique(view.table.canonical[kept])
    return Coverage(int(_scored(view)[networks].sum()), len(networks))


def areas(projection: np.ndarray) -> np.ndarray:
    """The area of the map that every place (n, 2) lies in: int (n,), 0 to 15."""
    columns = _cut(projection[:, 0])
    found = np.zeros(len(projection), dtype=int)
    for column in range(_CUTS):
        members = columns == column
        if members.any():
            found[members] = _CUTS * column + _cut(projection[members, 1])
    return found


def least_explored(view: View, at_most: float = NEGLECT) -> Area | None:
    """The area with the lowest share scored, the larger one where two tie.

    None where that share is above `at_most` times the share overall, or too little of the area is left to score.
    """
    overall = coverage(view)
    if not overall.scored:
        return None
    labels = areas(view.table.projection)
    # Variants of one network may lie in several areas: it counts in each of them.
    size = len(view.table.archs)
    pairs = np.unique(labels[view.kept] * size + view.table.canonical[view.kept])
    networks = np.bincount(pairs // size, minlength=_CUTS**2)
    scored = np.bincount(pairs // size, weights=_scored(view)[pairs % size], minlength=_CUTS**2).astype(int)
    share = scored / np.maximum(networks, 1)
    passed_by = np.flatnonzero((networks - scored >= LEAST_NETWORKS) & (share <= at_most * overall.share))
    if not len(passed_by):
        return None
    least = min(passed_by.tolist(), key=lambda k: (share[k], -networks[k]))
    return Area((labels == least) & view.kept, Coverage(int(scored[least]), int(networks[least])))


def _scored(view: View) -> np.ndarray:
    """By place of the canonical form, whether it is scored."""
    scored = np.zeros(len(view.table.archs), dtype=bool)
    scored[view.networks] = True
    return scored


def _cut(values: np.ndarray) -> np.ndarray:
    """Which of the parts of equal count every value falls into."""
    bounds = np.quantile(values, np.linspace(0, 1, _CUTS + 1)[1:-1])
    return np.searchsorted(bounds, values, side="right")
