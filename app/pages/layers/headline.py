"""The answer of Layers in a sentence: the layer that tells the best candidate from the second."""

from __future__ import annotations

import numpy as np

from app.labels import score_label
from app.page import Headline, Shown
from app.pages.layers.callbacks import lack

_WHY = (
    "The score of a network is the sum of a term for each layer. The terms of the two candidates are subtracted, "
    "layer by layer; the layer named is the one with the greatest difference."
)


def headline(shown: Shown) -> Headline | None:
    """What stands above Layers."""
    view = shown.view
    order = view.indices[np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")][:2]
    tables = [shown.cockpit.layers(view.run, tuple(int(c) for c in view.table.archs[k])) for k in order]
    if len(tables) < 2 or any(not len(table) or "term" not in table for table in tables):
        return Headline("Nothing to see yet", lack(view).rstrip("."), "To the Navigator", href="/")
    first, second = (table.groupby("layer")["term"].sum() for table in tables)
    gap = first.sub(second, fill_value=0.0)
    layer, total = str(gap.abs().idxmax()), float(gap.sum())
    ahead = "more" if gap[layer] > 0 else "less"
    return Headline(
        f"{layer} makes the greatest difference between #1 and #2",
        f"{abs(gap[layer]):.3g} {ahead} of {score_label(view.rank_by)} in #1; {total:.3g} over all {len(gap)} layers",
        why=_WHY,
    )
