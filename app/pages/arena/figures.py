"""Figures of the Arena."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from app.palette import INK, LINES, styled

SIGNS = {"dark": ("#56B4E9", "#F0803C", "#2DBE90", "#E08FBE"), "light": tuple(colour for colour, _ in LINES[:4])}
"""A colour for every searcher, readable on the ground of the theme; the dashes are those of `LINES`."""
DASHES = ("━━", "╍╍", "···", "━·━")
"""The same dashes as text."""


@dataclass(frozen=True)
class Curve:
    """Simple regret of one searcher, evaluation by evaluation (n,), and which evaluations were assisted (n,)."""

    name: str
    regret: np.ndarray
    assisted: Sequence[bool] = ()


def race(curves: Sequence[Curve], budget: int, scale: float, unit: str, theme: str, title: str) -> go.Figure:
    """Regret against evaluations on a logarithmic axis; `scale` is the largest regret possible.

    What is as good as the best, to a ten-thousandth of the scale, lies on the lowest line. The first curve is the
    player's: squares mark assisted evaluations.
    """
    figure = go.Figure()
    floor = 10.0 ** round(math.log10(max(scale, 1e-9) / 1e4))
    for curve, colour, (_, dash) in zip(curves, SIGNS[theme], LINES, strict=False):
        n = len(curve.regret)
        assisted = [*curve.assisted, *[False] * (n - len(curve.assisted))]
        figure.add_scatter(
            x=list(range(1, n + 1)),
            y=np.maximum(curve.regret, floor).tolist(),
            customdata=curve.regret.tolist(),
            name=curve.name,
            mode="lines+markers" if curve is curves[0] else "lines",
            line={"shape": "hv", "dash": dash, "color": colour, "width": 2.5 if curve is curves[0] else 2},
            marker={"symbol": ["square-open" if helped else "circle" for helped in assisted], "size": 7},
            hovertemplate="after %{x}: regret %{customdata:.3g}<extra>" + curve.name + "</extra>",
        )
    _mark_finds(figure, curves, floor, theme)
    styled(figure, theme, title, "evaluations", f"simple regret{unit}")
    figure.update_layout(
        showlegend=len(curves) > 1,
        legend={"x": 0.99, "xanchor": "right", "y": 0.99, "bgcolor": "rgba(0,0,0,0)"},
        margin={"l": 60},
    )
    figure.update_xaxes(range=[0.5, budget + 0.5], tickformat="d")
    highest = max([float(curve.regret[0]) for curve in curves if len(curve.regret)], default=scale)
    low, high = round(math.log10(floor)), math.ceil(math.log10(max(highest, floor * 10)))
    ticks = range(low, high + 1)
    return figure.update_yaxes(
        type="log",
        range=[low - 0.12, high + 0.05],
        tickvals=[10.0**k for k in ticks],
        ticktext=[f"≤ {floor:g}", *(f"{10.0**k:g}" for k in ticks[1:])],
    )


def _mark_finds(figure: go.Figure, curves: Sequence[Curve], floor: float, theme: str) -> None:
    """A star where each searcher found its best, once there is more than one to compare."""
    if len(curves) < 2:
        return
    for curve, colour in zip(curves, SIGNS[theme], strict=False):
        if len(curve.regret):
            place = int(np.argmin(curve.regret))
            figure.add_scatter(
                x=[place + 1],
                y=[max(float(curve.regret[place]), floor)],
                mode="markers",
                marker={"symbol": "star", "size": 13, "color": colour, "line": {"width": 1, "color": INK[theme]}},
                hovertemplate=f"{curve.name} found its best after %{{x}}<extra></extra>",
                showlegend=False,
            )


def blank(theme: str) -> go.Figure:
    """What stands where no cell is."""
    return styled(go.Figure(), theme, "").update_xaxes(visible=False).update_yaxes(visible=False)


def nothing(theme: str) -> go.Figure:
    """What stands where no game is on."""
    figure = go.Figure()
    styled(figure, theme, "Regret of the best so far", "evaluations", "simple regret")
    text = "Press New game to begin."
    figure.add_annotation(text=text, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5)
    return figure.update_xaxes(showticklabels=False).update_yaxes(showticklabels=False)
