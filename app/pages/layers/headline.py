"""The answer of Layers in a sentence: the layer that makes most of the difference between two candidates."""

from __future__ import annotations

from app.labels import score_label
from app.page import Headline, Shown
from app.pages.layers.evidence import SELECTED, chosen, lack, tables, telling

_WHY = (
    "The terms that make the score are subtracted layer by layer; a layer that a network lacks counts 0. The layer "
    "named has the greatest difference, its share is that of all differences without their signs. No interval: terms "
    "are computed once, on one set of batches."
)


def headline(shown: Shown) -> Headline | None:
    """What stands above Layers: the best candidate against the selected one, or against the second best."""
    view, cockpit = shown.view, shown.cockpit
    two = chosen(view, shown.arch, [1, 2])
    if len(two) > 2:
        selected, best, _ = two
        compared = selected[1] != best[1] and bool(telling(cockpit, view, [selected]))
        two = [best, selected] if compared else two[1:]
    scores = telling(cockpit, view, two)
    table = tables(cockpit, view, two, scores[0]) if len(two) == 2 and scores else None
    if table is None or table["candidate"].nunique() < 2:
        missing = lack(view, two if scores else None)
        if scores:
            return Headline("Too early", "two scored candidates are needed to compare their layers")
        return Headline(missing.finding, missing.advice, missing.action, missing.press)
    if "term" not in table:
        return Headline(
            f"{score_label(scores[0])} is no sum over layers", "its statistics of every layer are below", why=_WHY
        )
    terms = table.pivot(index="layer", columns="candidate", values="term")
    (one, _), (other, _) = two
    gap = terms[one].fillna(0.0) - terms[other].fillna(0.0)
    if not gap.abs().sum():
        return Headline("No layer tells the two best apart", f"all {len(gap)} terms are equal", why=_WHY)
    layer = str(gap.abs().idxmax())
    share, score = abs(gap[layer]) / gap.abs().sum(), score_label(scores[0])
    name = {SELECTED: "the selected one"}
    makes = "most of the difference" if share > 0.5 else "the greatest difference"
    return Headline(
        f"{layer} makes {makes} between {name.get(one, one)} and {name.get(other, other)}",
        f"{share:.0%} of it, {gap[layer]:+.3g} of {score}; {gap.sum():+.3g} over all {len(gap)} layers",
        "Look inside it",
        ("layer", layer),
        _WHY,
    )
