"""Results of one's own where no table knows any: how many candidates were trained alone, and which to train next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.cockpit import View
from app.laboratory import LEAST

EPOCHS = 10
"""Epochs of each training that one press asks for, as many as the shorter training in the Navigator."""


@dataclass(frozen=True)
class Labels:
    """Candidates of a run whose result is known because they were trained alone, under way, and still `lacking`."""

    known: int
    under_way: int
    lacking: int


def labels(view: View) -> Labels:
    """How many of the scored candidates are trained alone, of the `LEAST` that statistics need."""
    scored = {view.table.texts[k] for k in view.indices}
    known = sum(text in scored and np.isfinite(value) for text, value in view.trained.items())
    under_way = sum(text in scored and text not in view.trained for text in view.training)
    return Labels(known, under_way, max(LEAST - known - under_way, 0))


def to_train(view: View, number: int) -> list[str]:
    """Scored candidates to train, evenly over the ranks of the score; those trained or under way, and networks that
    are the same as one of these, are left out."""
    taken = {
        int(view.table.canonical[view.table.index[text]])
        for text in (*view.trained, *view.training)
        if text in view.table.index
    }
    order = view.indices[np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")]
    free: dict[int, int] = {}
    for k in order.tolist():
        form = int(view.table.canonical[k])
        if form not in taken:
            free.setdefault(form, k)
    places = list(free.values())
    if not places:
        return []
    picked = np.unique(np.linspace(0, len(places) - 1, min(number, len(places))).round().astype(int))
    return [view.table.texts[places[k]] for k in picked.tolist()]
