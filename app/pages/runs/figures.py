"""Figures of the Runs page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.best_so_far import best_positions
from app.palette import LINES, styled


@dataclass(frozen=True)
class Course:
    """A run to compare: its name, the score that ranks it, and by candidate in order of scoring that score, higher is
    better, and the known result (NaN where there is none), with what it measures and its unit."""

    name: str
    metric: str
    values: np.ndarray
    truth: np.ndarray
    about: str = "validation accuracy, %"
    unit: str = " %"


def courses(runs: Sequence[Course], theme: str) -> go.Figure:
    """Best score so far, and the known result of the candidate that has it, one line a run."""
    figure = make_subplots(1, 2, subplot_titles=("Best score so far", "Truth about that candidate"))
    for run, (colour, dash) in zip(runs, LINES, strict=False):
        best = best_positions(run.values)
        line = {"color": colour, "dash": dash, "shape": "hv", "width": 2}
        counts = np.arange(1, len(best) + 1)
        for place, values in enumerate((run.values, run.truth), start=1):
            figure.add_scatter(
                x=counts,
                y=values[best],
                mode="lines",
                line=line,
                name=f"{run.name} ({run.metric})",
                showlegend=place == 1,
                row=1,
                col=place,
            )
    styled(figure, theme, "")
    figure.update_xaxes(title={"text": "candidates scored", "standoff": 4})
    metrics = dict.fromkeys(run.metric for run in runs)
    figure.update_yaxes(title={"text": " or ".join(metrics)}, col=1)
    figure.update_yaxes(title={"text": " or ".join(dict.fromkeys(run.about for run in runs if run.about))}, col=2)
    figure.update_annotations(font={"size": 12})
    return figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": -0.2}, margin={"l": 56, "r": 12, "t": 30, "b": 60}
    )
