"""The answer of Correlation in a sentence: how far the score ranks, and whether counting ranks as well."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from app.labels import ranking_label, score_label
from app.laboratory import LEAST
from app.page import Headline, Shown
from nas_core.bench import Estimate, RankStatistics, rank_statistics

_WHY = (
    "τ is Kendall's rank correlation with the known results: 1 is the same order, 0 none. The better half are the "
    "networks that the score itself ranks higher. A score that does no better than the count of live parameters has "
    "found nothing that counting would not. Intervals hold 95 %."
)
_RESAMPLES = 100
_MOST = 600


def headline(shown: Shown) -> Headline | None:
    """What stands above Correlation."""
    view, truth = shown.view, shown.truth
    name = ranking_label(view.rank_by)
    if truth is None:
        return Headline(
            "No known results for this space",
            "train some candidates alone in the Navigator, or import a table of results, to hold scores against",
            "To the Navigator",
            href="/",
        )
    known = truth.oriented(truth.over(view.table)[view.indices])
    usable = np.flatnonzero(~np.isnan(known + view.ranked))
    if len(usable) < LEAST:
        return Headline("Too early", f"{len(usable)} of {LEAST} networks with known results are scored")
    if len(usable) > _MOST:
        usable = np.sort(np.random.default_rng(0).choice(usable, _MOST, replace=False))
    found = _statistics(view.ranked[usable].tobytes(), known[usable].tobytes())
    size = next((metric for metric in ("live_params", "params") if metric in view.table.closed), "")
    counted = None
    if size and size != view.rank_by:
        counted = _statistics(view.oriented(size)[usable].tobytes(), known[usable].tobytes())
    half = f", {_interval(found.tau_top_half)} in the better half" if len(usable) >= 2 * LEAST else ""
    evidence = f"τ {_interval(found.tau)}{half}, n = {len(usable):,}"
    if counted is not None:
        evidence += f"; {score_label(size)} alone {counted.tau.value:.2f}"
    return Headline(_finding(name, found, counted, size), evidence, why=_WHY)


def _finding(name: str, found: RankStatistics, counted: RankStatistics | None, size: str) -> str:
    if found.tau.low <= 0:
        return f"{name} does not rank these networks"
    if counted is not None and counted.tau.value >= found.tau.low:
        return f"{name} ranks, but no better than {score_label(size)}"
    if found.tau_top_half.low <= 0:
        return f"{name} tells poor from fair, not good from best"
    return f"{name} ranks these networks"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


@lru_cache(maxsize=32)
def _statistics(score: bytes, truth: bytes) -> RankStatistics:
    return rank_statistics(np.frombuffer(score), np.frombuffer(truth), bootstrap=_RESAMPLES)
