"""The answer of Correlation in a sentence: what the score can be used for, and the best that can be done instead."""

from __future__ import annotations

import numpy as np

from app.cockpit import View
from app.labels import ranking_label
from app.laboratory import LEAST, single_seeds
from app.page import Headline, Shown
from app.pages.correlation import verdict
from app.pages.correlation.labelling import EPOCHS, labels
from app.states import go_on
from app.truth import TRAINED_HERE

_WHY = (
    "τ is Kendall's rank correlation with the known results: 1 is the same order, 0 none; from 1/3 up a ranking is of "
    "use. The better half are the networks with the better known results. Counting is the best of live parameters, "
    "parameters and layer sizes. Intervals hold 95 %; the difference to counting is paired. Candidates that "
    "are the same network count once."
)


def headline(shown: Shown) -> Headline | None:
    """What stands above Correlation."""
    view = shown.view
    truth = verdict.truth_for(shown.cockpit, view, None if shown.truth is None else shown.truth.choice)
    if truth is None or (truth.choice == TRAINED_HERE and labels(view).known < LEAST):
        return untold(view)
    everything = np.arange(len(view.indices))
    known = truth.oriented(truth.over(view.table)[view.indices])
    seeds = single_seeds(shown.cockpit, view, view.rank_by)
    found = verdict.judge(view, view.ranked, known, everything, metric=view.rank_by, by_seed=seeds)
    if found is None:
        usable = int((~np.isnan(known + view.ranked)).sum())
        return Headline(
            "Too early",
            f"{usable} of {LEAST} networks with known results are scored",
            *go_on(view.run.state, view.run.id),
        )
    other = verdict.alternative(view, known, everything, metric=view.rank_by)
    if not other and found.beats_counting == verdict.NO and found.counting is not None:
        other = found.counting.name
    name = ranking_label(view.rank_by)
    return Headline(
        verdict.finding(name, found),
        verdict.evidence(found),
        f"Look at {ranking_label(other)} instead" if other else "",
        ("look-at", other) if other else (),
        _WHY,
    )


def untold(view: View) -> Headline:
    """What is said where no result is known, neither from a table nor of enough candidates trained alone."""
    held, scored = labels(view), len(view.indices)
    if scored < LEAST:
        return Headline("Too early", f"{scored} of {LEAST} networks are scored", *go_on(view.run.state, view.run.id))
    told = f"{held.known} of {LEAST} candidates are trained alone"
    if held.under_way:
        told += f", {held.under_way} under way"
    if not held.lacking:
        return Headline("Too early", told)
    return Headline(
        "Too early" if held.known or held.under_way else "No known results yet",
        f"{told}; scores are held against these, or against an imported table",
        f"Train {held.lacking} more for {EPOCHS} epochs" if held.known else f"Train {held.lacking} for {EPOCHS} epochs",
        ("label", held.lacking),
        "The space has no table of results. Candidates are chosen evenly over the ranks of the score, from best to "
        "worst, as a choice of the best alone would not show whether the score ranks.",
    )
