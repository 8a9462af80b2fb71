"""The chart of blocks: how networks with a block rank, and how many there are. Data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.palette import INK, block_colour, block_label, block_name, plain, styled
from nas_core.spaces import Decision

Allowed = Sequence[Sequence[int]] | None
"""Choices of every decision that the steering leaves; None for all."""
MOST_PANELS = 8
"""Decisions that have a panel each; those of larger spaces, and blocks that are kept or left out, share one."""
_SMALLEST, _GROWTH = 7, 11
"""Pixels of a dot without support, and what the greatest support adds: the area grows with the support."""
_SPACING = 0.06
"""Share of the width between two panels: the names of the choices stand there."""
_MARGIN = 0.04
_HOVER = "%{{text}}<br>mean rank %{{x:.3f}}, n = {n:,}<extra></extra>"


def block_chart(
    fitness: pd.DataFrame,
    decisions: tuple[Decision, ...],
    theme: str,
    title: str = "Blocks",
    allowed: Allowed = None,
) -> go.Figure:
    """Mean rank of every block with its interval; none of a block that nothing scored has.

    Args:
        fitness: a row a block, see `nas_core.predict.block_fitness`.
        decisions: those of the space.
        theme: dark or light.
        title: stands above.
        allowed: choices of every decision that the steering leaves; the dots of others are hollow.
    """
    seen = fitness["n"].to_numpy() > 0
    optional = np.array([decisions[int(d)].optional for d in fitness["decision"]], dtype=bool)
    shown = fitness[seen & (~optional | (fitness["choice"].to_numpy() > 0))]
    if optional.any() or len(decisions) > MOST_PANELS:
        return _together(shown, decisions, theme, title, allowed)
    return _in_panels(shown, decisions, theme, title, allowed)


def _in_panels(
    shown: pd.DataFrame,
    decisions: tuple[Decision, ...],
    theme: str,
    title: str,
    allowed: Allowed,
) -> go.Figure:
    """A panel a decision, its choices one below the other."""
    names = [plain(decision.name) for decision in decisions]
    figure = make_subplots(rows=1, cols=len(decisions), subplot_titles=names, horizontal_spacing=_SPACING)
    most = max(int(shown["n"].max()), 1) if len(shown) else 1
    for d, decision in enumerate(decisions):
        rows = shown[shown["decision"] == d]
        labels = [plain(block_label(decision, c)) for c in range(len(decision.choices))]
        dots = _dots(rows, decisions, theme, allowed)
        dots["marker"]["size"] = _SMALLEST + _GROWTH * np.sqrt(rows["n"] / most)
        figure.add_scatter(y=[labels[int(c)] for c in rows["choice"]], row=1, col=d + 1, **dots)
        figure.update_yaxes(
            type="category",
            categoryorder="array",
            categoryarray=labels,
            range=[len(labels) - 0.5, -0.5],
            row=1,
            col=d + 1,
        )
    styled(figure, theme, f"{title} · mean rank with 95 % interval; area: support")
    figure.update_layout(margin={"t": 52, "b": 24})
    return figure.update_xaxes(range=_range(shown), nticks=4).update_annotations(font={"size": 12})


def _together(
    shown: pd.DataFrame,
    decisions: tuple[Decision, ...],
    theme: str,
    title: str,
    allowed: Allowed,
) -> go.Figure:
    """All blocks in one panel, mean rank against support."""
    figure = go.Figure()
    dots = _dots(shown, decisions, theme, allowed)
    dots["marker"]["size"] = 9
    figure.add_scatter(y=shown["n"], **dots)
    if not len(shown):
        figure.add_annotation(text="no block seen yet", showarrow=False, xref="paper", yref="paper")
    return styled(figure, theme, title, "mean rank", "support n").update_xaxes(range=[0, 1])


def _dots(rows: pd.DataFrame, decisions: tuple[Decision, ...], theme: str, allowed: Allowed) -> dict[str, Any]:
    """The dots of some blocks without their heights: filled where the steering leaves the block."""
    pairs = [(int(d), int(c)) for d, c in zip(rows["decision"], rows["choice"], strict=True)]
    return {
        "x": rows["fitness"],
        "mode": "markers",
        "text": [plain(block_name(decisions[d], c)) for d, c in pairs],
        "customdata": [f"{d}:{c}" for d, c in pairs],
        "marker": {
            "color": [block_colour(decisions[d], c) for d, c in pairs],
            "symbol": ["circle" if allowed is None or c in allowed[d] else "circle-open" for d, c in pairs],
            "opacity": 1,
        },
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["fitness"],
            "arrayminus": rows["fitness"] - rows["low"],
            "thickness": 1,
            "color": INK[theme],
            "width": 0,
        },
        "hovertemplate": [_HOVER.format(n=int(n)) for n in rows["n"]],
    }


def _range(shown: pd.DataFrame) -> list[float]:
    """The range of mean ranks that all panels share: 0 to 1, cut to what their intervals take."""
    if not len(shown):
        return [0, 1]
    return [max(0.0, float(shown["low"].min()) - _MARGIN), min(1.0, float(shown["high"].max()) + _MARGIN)]
