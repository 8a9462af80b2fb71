"""Figures of the Correlation page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from app.palette import styled


def score_against_truth(score: np.ndarray, truth: np.ndarray, names: tuple[str, str], theme: str) -> go.Figure:
    """One dot a scored candidate; `names` are those of the score and the data set."""
    figure = go.Figure()
    figure.add_scattergl(
        x=score,
        y=truth,
        mode="markers",
        marker={"size": 4, "color": "#56B4E9", "opacity": 0.6},
        hovertemplate=f"{names[0]} %{{x:.4g}}<br>{names[1]} %{{y:.2f}} %<extra></extra>",
    )
    return styled(
        figure, theme, f"Score against truth, n = {len(score):,}", names[0], f"{names[1]} validation accuracy, %"
    )


def measures(bars: Mapping[str, float], score: str, theme: str) -> go.Figure:
    """Spearman correlations: with truth, with sizes, and with truth once size is taken out."""
    figure = go.Figure()
    values = list(bars.values())
    figure.add_bar(
        x=values,
        y=list(bars),
        orientation="h",
        marker={"color": "#0072B2"},
        text=["–" if np.isnan(v) else f"{v:.2f}" for v in values],
    )
    styled(figure, theme, f"What does {score} measure?", "Spearman correlation", "")
    return figure.update_xaxes(range=[-1, 1]).update_yaxes(autorange="reversed", automargin=True)
