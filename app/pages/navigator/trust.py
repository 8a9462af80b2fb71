"""How far the ranking score of a run can be trusted: its agreement with the truth, or with a few trained candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go

from app.cockpit import View
from app.labels import ranking_label
from app.palette import GRID, INK, LINES, plain, styled
from app.truth import Truth
from nas_core.bench import Estimate, RankStatistics, distinct, rank_statistics
from nas_core.ladder import TRAINED

LEAST_PAIRS = 3
LEAST_TOP_HALF = 20
"""Pairs below which a top half says nothing."""
_MOST_PAIRS = 600
_RESAMPLES = 100
_REFRESH = 50
"""While a run goes on, its agreement is found anew every so many candidates."""
HOPED_FOR = 0.5
"""A tau worth steering by, about that of a good one-shot ranking."""


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau of a score with what it should rank; `where` it was measured, on `n` of `of` candidates."""

    where: str
    n: int
    of: int
    tau: Estimate
    top_half: Estimate | None


@dataclass(frozen=True)
class Trust:
    """Agreement of `metric` with the truth called `truth`, and with candidates trained alone on `data`."""

    metric: str
    truth: str
    overall: Agreement | None
    region: Agreement | None
    data: str
    trained: Agreement | None
    trained_count: int

    @property
    def noise(self) -> bool:
        """Whether the ranking, over all or among the better half, cannot be told from chance."""
        first = self.trained or self.overall
        return first is not None and (first.tau.low <= 0 or bool(first.top_half and first.top_half.low <= 0))


def least_trained(tau: float = HOPED_FOR) -> int:
    """Candidates to train until a Kendall's tau of `tau` lies outside of what chance gives 95 times in 100.

    The variance of tau without any agreement is 2 (2n + 5) / (9n (n - 1)) (Kendall 1938).
    """
    n = LEAST_PAIRS
    while 1.96 * math.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1))) >= tau:
        n += 1
    return n


def trust(view: View, truth: Truth | None, inside: np.ndarray | None = None, label: str = "") -> Trust:
    """Hold the ranking score of `view` against the known results `truth`, and against the trained candidates.

    `inside`, bool (n,), is the chosen region, called `label`.
    """
    busy = view.run.state in ("running", "queued")
    seen = len(view.indices) // _REFRESH * _REFRESH if busy and len(view.indices) > _REFRESH else len(view.indices)
    score, indices = view.ranked[:seen], view.indices[:seen]
    same = view.networks[:seen]
    overall = region = None
    if truth is not None and view.rank_by != TRAINED:
        known = truth.oriented(truth.over(view.table)[indices])
        overall = _agreement("all", score, known, same)
        if inside is not None:
            within = inside[indices]
            region = _agreement(label, score[within], known[within], same[within])
    alone = view.values.get(TRAINED, np.full(len(view.indices), np.nan))
    settings = view.run.config.supernet or view.run.config.settings.to_dict()
    return Trust(
        ranking_label(view.rank_by),
        "" if truth is None else f"{truth.title} (tabular truth)",
        overall,
        region,
        str(settings.get("data", "digits")),
        None if view.rank_by == TRAINED else _agreement("trained alone", view.ranked, alone, view.networks),
        int((~np.isnan(alone)).sum()),
    )


def _agreement(where: str, score: np.ndarray, truth: np.ndarray, same: np.ndarray) -> Agreement | None:
    """Agreement over the distinct networks without NaN, which `same` (n,) numbers, of many of them a sample; None where
    there are fewer than three."""
    usable = ~(np.isnan(score) | np.isnan(truth))
    score, truth = distinct(same[usable], score[usable], truth[usable])
    known = len(score)
    if known < LEAST_PAIRS:
        return None
    if known > _MOST_PAIRS:
        picked = np.random.default_rng(0).choice(known, _MOST_PAIRS, replace=False)
        score, truth = score[picked], truth[picked]
    found = _statistics(score.tobytes(), truth.tobytes())
    top_half = found.tau_top_half if found.n >= LEAST_TOP_HALF else None
    return Agreement(where, found.n, known, found.tau, top_half)


@lru_cache(maxsize=32)
def _statistics(score: bytes, truth: bytes) -> RankStatistics:
    return rank_statistics(np.frombuffer(score), np.frombuffer(truth), bootstrap=_RESAMPLES)


def verdict(found: Trust) -> str:
    """One line for people: what was measured on how many, and a plain warning where the ranking is noise."""
    parts = []
    if found.trained:
        parts.append(f"against {found.trained.n} trained alone on {found.data}: {_measured(found.trained)}")
    if found.overall:
        parts.append(f"against {found.truth}: {_measured(found.overall)}")
    if found.region:
        parts.append(f"in {found.region.where}: τ {_interval(found.region.tau)}, {_count(found.region)}")
    if not parts:
        if found.truth:
            return f"Trust in {found.metric}: unknown until {LEAST_PAIRS} candidates with known truth are scored."
        need = f"train about {least_trained()} candidates alone (now {found.trained_count})"
        return f"Trust in {found.metric}: no truth is known here; {need} to tell a τ of {HOPED_FOR} from chance."
    text = f"{found.metric} {'; '.join(parts)}"
    first = found.trained or found.overall
    assert first is not None
    if first.tau.high < 0:
        return f"⚠ The ranking is upside down here (interval of τ below 0): {text}"
    if not first.tau.low > 0:
        return f"⚠ The ranking is noise so far (interval of τ includes 0): {text}"
    if first.top_half and not first.top_half.low > 0:
        return f"⚠ In the top half the ranking is noise: {text}"
    return f"Trust: {text}"


def _measured(agreement: Agreement) -> str:
    half = f", top half {_interval(agreement.top_half)}" if agreement.top_half else ""
    return f"τ {_interval(agreement.tau)}{half}, {_count(agreement)}"


def _count(agreement: Agreement) -> str:
    return f"n = {agreement.n:,}" + (f" of {agreement.of:,}" if agreement.of > agreement.n else "")


def _interval(estimate: Estimate) -> str:
    if math.isnan(estimate.low):
        return f"{estimate.value:.2f} [–]"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def trust_chart(found: Trust, theme: str) -> go.Figure:
    """Tau with its interval: over all, in the top half, in the region, against those trained alone."""
    rows: list[tuple[str, Estimate]] = []
    for agreement in (found.overall, found.region, found.trained):
        if agreement is not None:
            name = f"{agreement.where}, n = {agreement.n:,}"
            rows.append((name, agreement.tau))
            if agreement.top_half is not None:
                rows.append((f"{agreement.where}, top half", agreement.top_half))
    figure = go.Figure()
    for name, estimate in reversed(rows):
        noise = not estimate.low > 0
        figure.add_scatter(
            x=[estimate.value],
            y=[plain(name)],
            mode="markers",
            marker={"size": 9, "color": LINES[1 if noise else 0][0], "symbol": "x" if noise else "circle"},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [estimate.high - estimate.value],
                "arrayminus": [estimate.value - estimate.low],
                "color": INK[theme],
                "thickness": 1,
            },
            hovertemplate=f"{plain(name)}<br>τ {_interval(estimate)}<extra></extra>",
        )
    if not rows:
        figure.add_annotation(
            text="no truth known of what is scored", showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5
        )
    figure.add_vline(x=0, line={"color": GRID[theme], "width": 2})
    against = found.truth.partition(" (")[0] or "those trained alone"
    styled(figure, theme, f"Trust in {found.metric} (× noise)", f"τ with {against}")
    figure.update_layout(margin={"l": 104})
    return figure.update_xaxes(range=[-0.5, 1])
