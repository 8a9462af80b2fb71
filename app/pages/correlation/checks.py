"""The four checks of a score as tiles: a question, a sign with a word, the number with its interval, what it means."""

from __future__ import annotations

import numpy as np
from dash import html

from app.labels import score_label
from app.pages.correlation import verdict
from app.pages.correlation.verdict import TOP, Verdict, bounds, number
from app.palette import short
from nas_core.bench import Estimate

_PILLS = {
    verdict.YES: ("✓", "Yes", "ok"),
    verdict.NEARLY: ("~", "Nearly", "warn"),
    verdict.HARDLY: ("✕", "Hardly", "bad"),
    verdict.NO: ("✕", "No", "bad"),
    verdict.UNCLEAR: ("~", "Unclear", "warn"),
    verdict.NONE: ("○", "Too early", ""),
}
"""Sign, word and look of a mark; a mark is never told by colour alone."""
_HINTS = (
    "τ is Kendall's rank correlation with the known results: 1 is the same order, 0 none. Interval: 95 %.",
    "τ among the truly better half: what is asked of a score that is to pick the best. Interval: 95 %.",
    "τ of the score less τ of the best of the counts, over the same networks. Interval: 95 %, paired. The count that "
    "does best is compared with, which favours counting a little.",
    f"How far the best of the {TOP} that the score likes most falls short of the best there is, the one that it likes "
    "most alone, and what as many networks drawn blindly would give. Intervals: 95 %, for other sets of as many "
    "networks.",
)


def tiles(name: str, found: Verdict, unit: str) -> list[html.Div]:
    """The four checks of the score called `name`; `unit` is that of the known results."""
    points = {"%": "points"}.get(unit.strip(), unit.strip())
    questions = (
        f"Does {name} rank networks?",
        "Does it rank the better half?",
        "Does it beat plain counting?",
        f"Is a winner in its top {TOP}?",
    )
    marks = (found.ranks, found.ranks_better_half, found.beats_counting, found.finds_winner)
    told = (_ranking(found), _better(found), _counting(found), _top(found, points))
    return [
        _tile(question, mark, *words, hint)
        for question, mark, words, hint in zip(questions, marks, told, _HINTS, strict=True)
    ]


def _tile(question: str, mark: str, value: str, detail: str, meaning: str, hint: str) -> html.Div:
    sign, word, look = _PILLS[mark]
    pill = html.Span([html.Span(sign, className="sign", **{"aria-hidden": "true"}), word], className=f"pill {look}")
    return html.Div(
        [
            html.Div(
                [html.H2(question), pill],
                className="check-head",
            ),
            html.P([html.Span(value, className="check-value"), html.Span(detail, className="check-detail")]),
            html.P(meaning, className="check-meaning"),
        ],
        className="check",
        title=hint,
        role="group",
        **{"aria-label": f"{question} {word}"},
    )


def _ranking(found: Verdict) -> tuple[str, str, str]:
    return number(found.tau.value), f"τ{bounds(found.tau)}, n = {found.n:,}", _pairs(found.tau.value)


def _better(found: Verdict) -> tuple[str, str, str]:
    if found.ranks_better_half == verdict.NONE:
        return "–", "", f"{2 * verdict.LEAST} networks are needed, {found.n} are known"
    half = -(-found.n // 2)
    return number(found.better.value), f"τ{bounds(found.better)}, n = {half:,}", _pairs(found.better.value)


def _pairs(tau: float) -> str:
    return f"{50 * (1 + tau):.0f} of 100 pairs right; a coin gets 50"


def _counting(found: Verdict) -> tuple[str, str, str]:
    if found.counting is None:
        return "–", "", "The space has no other count to compare with"
    gain = found.counting.difference
    count = score_label(found.counting.name)
    alone = f"{count[:1].upper()}{count[1:]} alone: τ {number(found.counting.tau)}"
    sign = "+" if gain.value > 0 else ""
    return f"{sign}{number(gain.value)}", f"τ{bounds(gain)}, n = {found.n:,}", alone


def _top(found: Verdict, points: str) -> tuple[str, str, str]:
    if found.finds_winner == verdict.NONE:
        return "–", "", f"More than {2 * TOP} networks are needed, {found.n} are known"
    blind = f"{TOP} random ones {short(found.blind.regret)}, as good in {found.blind.chance:.0%}"
    first = f"Its first alone {short(found.first.value)}{_range(found.first)}; {blind}"
    reach = _range(found.regret)
    if found.regret.value <= 0:
        return "0", f"short{reach}, it is the best", first
    return short(found.regret.value), f"{points} short{reach}".strip(), first


def _range(one: Estimate) -> str:
    """The interval of a shortfall in brackets; empty where there is none."""
    return "" if np.isnan(one.low) else f" [{short(one.low)}, {short(one.high)}]"
