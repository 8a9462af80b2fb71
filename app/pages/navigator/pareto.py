"""The front of score and cost: which candidates nothing beats in both at once. A dot can be chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import Dash, Input, Output, State, no_update

from app import selection
from app.cockpit import Cockpit, View
from app.labels import ranking_label, score_label
from app.pages.navigator.under_pointer import index_of
from app.palette import INK, short, styled, typed
from app.strip import words
from app.tokens import tokens
from app.truth import Truth, truth_of
from nas_core import bench
from nas_core.predict import front

_USUAL = ("flops", "params", "live_params")
"""Costs shown where a run names none, the first that there is."""
_MEASURED = ("latency_ms",)


@dataclass(frozen=True)
class Priced:
    """Scored candidates whose score and cost are known: `metric` (higher is better) against `cost` (lower is better).

    `indices`, `values` and `costs` are arrays (n,); `texts` names the architectures of the front, by their place, and
    `words` says what they are made of.
    """

    metric: str
    cost: str
    indices: np.ndarray
    values: np.ndarray
    costs: np.ndarray
    on_front: np.ndarray
    texts: dict[int, str]
    words: dict[int, str] = field(default_factory=dict)

    @property
    def front_order(self) -> np.ndarray:
        """Places of the front in these arrays, the cheapest first."""
        order = np.flatnonzero(self.on_front)
        return order[np.lexsort((self.values[order], self.costs[order]))]


def known_costs(view: View, truth: Truth | None = None) -> list[str]:
    """What the networks of a run may be said to cost, by name, the one that it is about first.

    Its own costs, which may be columns of a table, the known results that were chosen where these are a cost, the usual
    counts, a measured latency, and every other column of a table that is a cost.
    """
    chosen = [truth.choice] if truth is not None and not truth.column.higher_is_better else []
    recorded = [name for name, about in bench.choices(view.table.space.name).items() if about.kind in bench.COSTS]
    wanted = dict.fromkeys([*view.run.config.objective.costs, *chosen, *_USUAL, *_MEASURED, *recorded])
    return [name for name in wanted if name != view.rank_by and (name in view.metrics or _measured(view, name))]


def priced(view: View, truth: Truth | None = None, cost: str | None = None) -> Priced | None:
    """What the candidates of a run cost, by `cost` or the first of `known_costs`; None where no cost is known."""
    known = [cost] if cost else known_costs(view, truth)
    if not known:
        return None
    values, costs = view.ranked, view.over_space(known[0])[view.indices]
    held = np.isfinite(values) & np.isfinite(costs)
    indices, values, costs = view.indices[held], values[held], costs[held]
    on_front = front(values, costs)
    shown = [int(k) for k in indices[on_front]]
    texts = {k: view.table.texts[k] for k in shown}
    made_of = {k: words(view.table.space, tuple(view.table.archs[k].tolist())) for k in shown}
    metric, named = ranking_label(view.rank_by), cost_label(view, known[0])
    return Priced(metric, named, indices, values, costs, on_front, texts, made_of)


def _measured(view: View, name: str) -> Truth | None:
    """The column of a table that `name` is, where it is one."""
    found = truth_of(view.table.space.name, name) if "/" in name else None
    return found if found is not None and found.choice == name else None


def cost_label(view: View, name: str) -> str:
    """What a cost is called on an axis: with its unit where a table names one."""
    found = _measured(view, name)
    return score_label(name) if found is None else f"{found.title}{',' if found.unit else ''}{found.unit}"


def pareto_chart(points: Priced | None, theme: str) -> go.Figure:
    """Score against cost on a logarithmic axis; what is dominated is faint, the front a line with dots."""
    figure = go.Figure()
    if points is None or not len(points.values):
        text = "no cost is known of this run" if points is None else "nothing scored yet"
        figure.add_annotation(text=text, showarrow=False, xref="paper", yref="paper")
        return styled(figure, theme, "Pareto front")
    behind = ~points.on_front
    figure.add_scattergl(
        x=typed(points.costs[behind], "f8"),
        y=typed(points.values[behind], "f8"),
        customdata=typed(points.indices[behind], "i4"),
        mode="markers",
        name="dominated",
        marker={"size": 4, "color": tokens(theme)["dot"]},
        hovertemplate="#%{customdata}, dominated<br>" + _hover(points),
    )
    order = points.front_order
    texts = [points.texts[int(k)] for k in points.indices[order]]
    figure.add_scatter(
        x=points.costs[order],
        y=points.values[order],
        customdata=texts,
        text=[points.words.get(int(k), "") for k in points.indices[order]],
        mode="lines+markers",
        name="front",
        line={"shape": "hv", "color": INK[theme], "width": 2},
        marker={"size": 7},
        hovertemplate="%{text}<br>" + _hover(points),
    )
    free = int((points.costs <= 0).sum())
    title = f"Pareto front, {len(order):,} of {len(points.values):,}"
    styled(figure, theme, title, f"{points.cost}, log{f' ({free:,} at 0 not drawn)' if free else ''}", points.metric)
    figure.update_layout(
        hovermode="closest",
        hoverlabel={"font": {"size": 12}},
        uirevision=f"pareto {points.cost} {points.metric}",
    )
    ticks = _ticks(points.costs)
    return figure.update_xaxes(type="log", tickvals=ticks, ticktext=[short(tick) for tick in ticks])


def _ticks(costs: np.ndarray) -> list[float]:
    """1, 2 and 5 of every power of ten that positive costs span: plotly itself writes 2 and 5 smaller than all text."""
    positive = costs[costs > 0]
    if not len(positive):
        return []
    powers = range(math.floor(math.log10(positive.min())), math.ceil(math.log10(positive.max())) + 1)
    return [step * 10.0**power for power in powers for step in (1, 2, 5)]


def _hover(points: Priced) -> str:
    return f"{points.metric} %{{y:.3g}}, {points.cost} %{{x:.3s}}<extra></extra>"


def choose(cockpit: Cockpit, click: dict[str, Any] | None, run: str | None, search: str | None) -> Any:
    """The address with the architecture of a dot that was clicked: of the front by its text, else by its place."""
    if not run:
        return no_update
    table = cockpit.view(run).table
    told = ((click or {}).get("points") or [{}])[0].get("customdata")
    index = index_of(click, len(table.texts))
    text = told if isinstance(told, str) else (None if index is None else table.texts[index])
    return selection.moved(search, run, text) if text in table.index else no_update


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callback of the choice of a dot."""
    app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("pareto", "clickData"),
        State("run", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )(partial(choose, cockpit))
