"""Figures of the Runs page. Pure functions of what `compare.py` found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.best_so_far import best_positions
from app.pages.runs.compare import Course
from app.palette import INK, plain, styled

_HAND = {"dark": "#99A3FF", "light": "#4350D0"}
"""The accent of either theme: what a person did."""
_LONGEST_LABEL = 14
_MOST_FLAGS = 6
_LABEL_GAP = 0.09
"""Share of the height that two labels need between them."""


def courses(runs: Sequence[Course], theme: str) -> go.Figure:
    """Best score so far, a line a run with its name at its end, acts as flags; below it what is known to be true of the
    candidate that has it, where anything is."""
    truth = any(np.isfinite(run.truth).any() for run in runs)
    metrics = " or ".join(dict.fromkeys(run.metric for run in runs))
    about = " or ".join(dict.fromkeys(run.about for run in runs if run.about))
    titles = (f"Best so far, {metrics}", *((f"Truth of that candidate: {about}",) if truth else ()))
    figure = make_subplots(
        len(titles), 1, subplot_titles=[plain(title) for title in titles], shared_xaxes=True, vertical_spacing=0.14
    )
    styled(figure, theme, "")
    for place in range(1, len(titles) + 1):
        _draw(figure, runs, place, theme)
    _flag(figure, runs, theme)
    figure.update_annotations(font={"size": 12})
    figure.update_xaxes(showgrid=False, nticks=6)
    figure.update_xaxes(title={"text": "candidates scored", "standoff": 4}, row=len(titles), col=1)
    figure.update_yaxes(nticks=5)
    for note in figure.layout.annotations[: len(titles)]:
        note.update(x=0, xanchor="left")
    return figure.update_layout(margin={"l": 48, "r": 96, "t": 26, "b": 40}, font={"size": 12})


def _draw(figure: go.Figure, runs: Sequence[Course], place: int, theme: str) -> None:
    """The lines of one panel, and their names."""
    ends: list[tuple[float, int]] = []
    for number, run in enumerate(runs):
        if not len(run.values):
            continue
        best = best_positions(run.values)
        shown = (run.values, run.truth)[place - 1][best]
        steps = np.unique(np.append(np.flatnonzero(np.diff(best, prepend=-1)), len(best) - 1))
        figure.add_scatter(
            x=steps + 1,
            y=shown[steps],
            mode="lines",
            name=plain(run.name),
            line={"color": _colour(number, theme), "dash": "dash" if number else "solid", "shape": "hv", "width": 2},
            hovertemplate=f"{plain(run.name)}<br>%{{x:,}}: %{{y:.4~g}}<extra></extra>",
            row=place,
            col=1,
        )
        if np.isfinite(shown[-1]):
            ends.append((float(shown[-1]), number))
    values = np.concatenate([(run.values, run.truth)[place - 1][np.isfinite(run.values)] for run in runs])
    finite = values[np.isfinite(values)]
    height = float(np.ptp(finite)) if len(finite) else 0.0
    close = len(ends) > 1 and abs(ends[0][0] - ends[1][0]) <= _LABEL_GAP * height
    upper = max(ends)[1] if ends else 0
    for value, line in ends:
        figure.add_annotation(
            x=1,
            xref="x domain" if place == 1 else f"x{place} domain",
            y=value,
            yref="y" if place == 1 else f"y{place}",
            text=plain(_shortened(runs[line].label)),
            showarrow=False,
            xanchor="left",
            xshift=6,
            yshift=(8 if line == upper else -8) if close else 0,
            font={"color": _colour(line, theme)},
        )


def _flag(figure: go.Figure, runs: Sequence[Course], theme: str) -> None:
    """Acts as lines over the first panel, named one below the other."""
    flags = [(at, told, number) for number, run in enumerate(runs) for at, told in run.flags]
    for place, (at, told, number) in enumerate(flags[:_MOST_FLAGS]):
        colour = _colour(number, theme)
        figure.add_vline(x=at, line={"color": colour, "width": 1, "dash": "dot"}, row=1, col=1)
        figure.add_annotation(
            x=at,
            y=0.02 + 0.1 * place,
            yref="y domain",
            text=f"■ {plain(_shortened(told, 30))}",
            showarrow=False,
            xanchor="left",
            xshift=2,
            yanchor="bottom",
            font={"color": colour},
        )


def _shortened(text: str, longest: int = _LONGEST_LABEL) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _colour(number: int, theme: str) -> str:
    return INK.get(theme, INK["dark"]) if number else _HAND.get(theme, _HAND["dark"])
