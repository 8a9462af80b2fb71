"""Figures of the Layers page."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.palette import styled


def heat_map(layers: pd.DataFrame, statistic: str, theme: str) -> go.Figure:
    """Layer by candidate; `layers` has columns candidate, position, layer and the statistic."""
    figure = go.Figure()
    if len(layers):
        table = layers.pivot(index="candidate", columns="position", values=statistic)
        table = table.loc[layers["candidate"].drop_duplicates()]
        figure.add_heatmap(
            z=table.to_numpy(),
            x=[str(p) for p in table.columns],
            y=list(table.index),
            colorscale="Cividis",
            colorbar={"title": {"text": statistic}},
            customdata=layers.pivot(index="candidate", columns="position", values="layer").loc[table.index].to_numpy(),
            hovertemplate="%{customdata} (layer %{x}), %{y}<br>%{z:.4g}<extra></extra>",
        )
    styled(figure, theme, f"{statistic} by layer and candidate", "layer, from the input to the head", "")
    return figure.update_yaxes(autorange="reversed", automargin=True)
