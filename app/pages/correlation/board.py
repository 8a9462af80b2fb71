"""The leader board as a table: short heads that fit a small window, whole names on hover, numbers as numbers."""

from __future__ import annotations

import math
from typing import Any

from app.table import column

_STATISTICS = {
    "tau": ("τ", 130, "Kendall's tau-b: share of pairs in the right order minus share in the wrong one; 95 % interval"),
    "tau_top_half": ("τ better half", 130, "Kendall's tau-b among the truly better half; 95 % interval"),
    "regret": (
        "short",
        88,
        "How far the best of the ten highest scores falls short of the best there is / how far the highest alone does",
    ),
    "rho": ("ρ", 50, "Spearman's rank correlation"),
    "ndcg": (
        "nDCG",
        60,
        "Gains of the 100 highest scores over those of the 100 best networks: a network is worth twice as much as one "
        "that is a tenth of the ranking below it",
    ),
}
"""Head, width in pixels and meaning of every statistic, in the order of the columns."""
_THREE_DIGITS = {"function": "params.value == null ? '–' : d3.format(',.3~r')(params.value)"}
_SHORTFALLS = {
    "function": "params.value == null ? '–' : "
    "d3.format(',.2~r')(params.value) + ' / ' + d3.format(',.2~r')(params.data.regret_at_1)"
}
_SHORTFALLS_WHOLE = {
    "function": "params.value == null ? '–' : interval(params.value, params.data.regret_low, params.data.regret_high)"
    " + ' / ' + interval(params.data.regret_at_1, params.data.regret_at_1_low, params.data.regret_at_1_high)"
}
_WITH_INTERVAL = ("tau", "tau_top_half")


def grid_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the leader board with numbers, as `app.laboratory.leader_board` makes them; none where undefined."""
    return [
        {name: row[name] for name in ("score", "meaning", "n")}
        | {name: None if math.isnan(value) else value for name, value in row["numbers"].items()}
        for row in rows
    ]


def columns(unit: str) -> list[dict[str, Any]]:
    """Columns of the table; `unit` is that of the known results."""
    shown = [
        column("score", flex=1, minWidth=120, tooltipField="score", headerTooltip="Baselines only count"),
        column("n", width=60, valueFormatter={"function": "d3.format(',')(params.value)"}, headerTooltip=_ABOUT_N),
    ]
    hidden = []
    for name, (head, width, meaning) in _STATISTICS.items():
        whole = {"function": f"interval(params.value, params.data.{name}_low, params.data.{name}_high)"}
        told = whole if name in _WITH_INTERVAL else {"function": "interval(params.value)"}
        title = head
        if name == "regret":
            title = f"{head}, {unit.strip()}" if unit.strip() else head
            told, whole = _SHORTFALLS, _SHORTFALLS_WHOLE
        said: dict[str, Any] = {"valueFormatter": told, "tooltipValueGetter": whole, "headerTooltip": meaning}
        shown.append(column(name, title, width=width, **said))
        hidden += [column(f"{name}_{end}", hide=True) for end in ("low", "high")]
    hidden += [column(f"regret_at_1{end}", hide=True) for end in ("", "_low", "_high")]
    shown.append(
        column("ms", width=52, valueFormatter=_THREE_DIGITS, headerTooltip="Mean time an architecture took, ms")
    )
    everything = [*shown, *hidden, column("meaning", hide=True)]
    return [one | {"useValueFormatterForExport": False} for one in everything]


_ABOUT_N = "Distinct networks whose score and truth are known"
