"""Figures of the Correlation page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from dash import Patch

from app.palette import ACCENT, plain, styled

_MANY = 5000
"""Dots from which they are small: a browser without a graphics card draws them anew after every brush."""

_DIVERGING = [[0, "#E8743B"], [0.5, "#F7F7F7"], [1, "#4A9BD9"]]
"""Orange to blue, light enough for numbers in `_ON_DIVERGING` on any of it."""
_ON_DIVERGING = "#111111"


def score_against_truth(
    score: np.ndarray,
    truth: np.ndarray,
    indices: np.ndarray,
    names: tuple[str, str],
    theme: str,
    selected: int | None = None,
) -> go.Figure:
    """One dot a scored candidate, ringed where it is `selected`; `names` are those of the axes: score, truth."""
    figure = go.Figure()
    figure.add_scattergl(
        x=score.astype("f4"),
        y=truth.astype("f4"),
        customdata=indices.tolist(),  # plain numbers: events do not unpack typed arrays
        mode="markers",
        marker={
            "size": 4 if len(score) < _MANY else 2.5,
            "color": "#0072B2" if theme == "light" else "#56B4E9",
            "opacity": 0.6 if len(score) < _MANY else 0.9,
        },
        hovertemplate=f"#%{{customdata}}<br>{names[0]} %{{x:.4g}}<br>{names[1]} %{{y:.4g}}<extra></extra>",
    )
    ring = np.flatnonzero(indices == selected) if selected is not None else np.zeros(0, dtype=int)
    figure.add_scatter(
        x=score[ring],
        y=truth[ring],
        mode="markers",
        hoverinfo="skip",
        marker={"size": 15, "color": ACCENT[theme], "symbol": "circle-open", "line": {"width": 3}},
    )
    title = f"Score and truth, n = {len(score):,}; brush dots"
    styled(figure, theme, title, *names)
    return figure.update_layout(dragmode="select")


def matrix(
    names: Sequence[str],
    values: np.ndarray,
    theme: str,
    title: str = "Score against score, Spearman",
    shown: Mapping[str, Any] | None = None,
) -> go.Figure | Patch:
    """Spearman correlation of every score, or setting of one score, with every other.

    Where what is `shown` on the page differs in its numbers alone, only these are given: a brush is answered sooner.
    """
    axis = [plain(name) for name in names]
    numbers = {"z": values, "x": axis, "y": axis, "text": np.round(values, 2)}
    look = [theme, title, len(names)]
    if _look(shown) == look:
        return _patch(numbers)
    figure = go.Figure()
    figure.add_heatmap(
        **numbers,
        zmin=-1,
        zmax=1,
        colorscale=_DIVERGING,
        texttemplate="%{text:.2f}" if len(names) <= 12 else None,
        textfont={"size": 12, "color": _ON_DIVERGING},
        hovertemplate="%{y}, %{x}<br>%{z:.3f}<extra></extra>",
        colorbar={"thickness": 8, "tickvals": [-1, 0, 1]},
    )
    styled(figure, theme, title).update_layout(meta=look)
    # The columns are the rows again: their names would take more room than the numbers.
    same = {"title": {"text": "the same, in the same order", "standoff": 4}, "showticklabels": False}
    return figure.update_yaxes(autorange="reversed", automargin=True).update_xaxes(**same)


def measures(
    bars: Mapping[str, float], score: str, theme: str, shown: Mapping[str, Any] | None = None
) -> go.Figure | Patch:
    """Spearman correlations: with truth, with sizes, and with truth once size is taken out; `shown` as in `matrix`."""
    values = list(bars.values())
    text = ["–" if np.isnan(value) else f"{value:.2f}" for value in values]
    numbers = {"x": values, "y": [plain(name) for name in bars], "text": text}
    look = [theme, score, len(bars)]
    if _look(shown) == look:
        return _patch(numbers)
    figure = go.Figure()
    plain_text = {"textangle": 0, "constraintext": "none", "cliponaxis": False}  # else plotly shrinks it with its bar
    figure.add_bar(**numbers, **plain_text, orientation="h", marker={"color": "#0072B2"})
    styled(figure, theme, f"What does {score} measure?", "Spearman’s ρ", "").update_layout(meta=look)
    return figure.update_xaxes(range=[-1, 1]).update_yaxes(autorange="reversed", automargin=True)


def _look(shown: Mapping[str, Any] | None) -> Any:
    return ((shown or {}).get("layout") or {}).get("meta")


def _patch(numbers: Mapping[str, Any]) -> Patch:
    patch = Patch()
    for name, value in numbers.items():
        patch["data"][0][name] = value
    return patch
