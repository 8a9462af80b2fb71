"""The chart of a training: cross-entropy of training and held-out images, live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go
from dash import Dash, Input, Output, no_update

from app.cockpit import Cockpit, View
from app.pages.navigator import dock
from app.pages.navigator.charts import chart
from app.palette import ACCENT, LINES, styled
from app.truth import Truth

NAME = "Loss"


@chart(NAME)
def loss(cockpit: Cockpit, view: View, theme: str, _truth: Truth | None) -> go.Figure:
    """Loss curves of the run's training."""
    points = [entry.body for entry in cockpit.store.log(view.run.id, kind="loss")]
    steps = cockpit.store.task_state(view.run.id).get("course", {}).get("steps", [])
    return loss_curves(points, [int(step) for step, _ in steps], theme, trains=view.run.config.supernet is not None)


def loss_curves(points: Sequence[Mapping[str, float]], acts: Sequence[int], theme: str, *, trains: bool) -> go.Figure:
    """Train and validation loss in nats by epoch; `acts` are the training steps at which steering changed."""
    figure = go.Figure()
    epochs = [point["epoch"] for point in points]
    for (name, title), (colour, dash) in zip((("train", "train"), ("validation", "validation")), LINES, strict=False):
        figure.add_scatter(
            x=epochs,
            y=[point[name] for point in points],
            name=title,
            mode="lines+markers" if len(points) < 30 else "lines",
            line={"color": colour, "dash": dash, "width": 2},
            customdata=[[point.get("accuracy")] for point in points],
            hovertemplate=f"{title} %{{y:.3f}} nats, epoch %{{x:.3g}}<br>hits %{{customdata[0]:.1%}}<extra></extra>",
        )
    rate = points[-1]["step"] / points[-1]["epoch"] if points else 1.0
    for step in acts if points else ():
        figure.add_vline(x=step / rate, line={"dash": "dot", "color": ACCENT[theme]})
    if not points:
        text = "the curve begins with the first epoch" if trains else "this run trains no weights"
        figure.add_annotation(text=text, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5)
    styled(figure, theme, "Cross-entropy of the training", "epoch", "nats")
    return figure.update_layout(
        showlegend=bool(points), legend={"x": 1, "xanchor": "right", "y": 1, "bgcolor": "rgba(0,0,0,0)"}
    )


def open_(cockpit: Cockpit, run: str | None) -> tuple[Any, Any]:
    """A run whose weights are still to be trained opens on this chart, in the tab of the dock that holds it."""
    if not run:
        return no_update, no_update
    found = cockpit.store.run(run)
    return (NAME, dock.PROGRESS) if found.config.supernet is not None and not found.scored else (no_update, no_update)


def register(app: Dash, cockpit: Cockpit) -> None:
    """The callback that opens a run whose weights are still to be trained on this chart."""
    app.callback(Output("chart", "value"), Output("nav-dock", "value"), Input("run", "data"))(partial(open_, cockpit))
