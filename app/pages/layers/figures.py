"""Figures of the Layers page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from app.pages.layers.words import STATISTICS
from app.palette import LINES, styled

_MANY_POWERS = 5
"""Powers of ten on an axis from which only these have ticks."""
_MOST_PARTS = 16
"""Parts of a network that can be named below a map of its layers."""
SCALE = {
    "dark": sample_colorscale("Cividis", np.linspace(0.13, 1, 16)),
    "light": sample_colorscale("Cividis", np.linspace(0, 0.95, 16)),
}
"""Cividis without the end that would vanish on the ground of the theme."""


def merged(names: Iterable[Sequence[str]]) -> list[str]:
    """Layer names of several networks in one order that keeps each network's own: unseen names follow their
    predecessor."""
    order: list[str] = []
    for own in names:
        place = 0
        for name in own:
            if name in order:
                place = order.index(name) + 1
            else:
                order.insert(place, name)
                place += 1
    return order


def parts(layers: Sequence[str]) -> list[tuple[int, str]]:
    """Where a part of the network begins among its layers, and its name: `cell 2` of `cell 2 · edge 0→1 · conv 3×3`.

    Of many parts every second, third ... is named, so that the names have room.
    """
    names = [layer.partition(" · ")[0] for layer in layers]
    starts = [(k, name) for k, name in enumerate(names) if not k or name != names[k - 1]]
    return starts[:: -(-len(starts) // _MOST_PARTS)] if starts else []


def heat_map(layers: pd.DataFrame, statistic: str, theme: str) -> go.Figure:
    """Layer by candidate; `layers` has columns candidate, layer and the statistic. A layer a network lacks is blank."""
    figure, name = go.Figure(), STATISTICS.get(statistic, statistic)
    if len(layers):
        own = {label: rows["layer"].tolist() for label, rows in layers.groupby("candidate", sort=False)}
        order = merged(own.values())
        modules = dict(zip(layers["layer"], layers["module"], strict=True)) if "module" in layers else {}
        about = [[layer, f"<br>module {modules[layer]}" if layer in modules else ""] for layer in order]
        table = layers.pivot(index="candidate", columns="layer", values=statistic).reindex(list(own), columns=order)
        figure.add_heatmap(
            z=table.to_numpy(dtype=float),
            x=list(range(len(order))),
            y=list(table.index),
            colorscale=SCALE[theme],
            colorbar={"title": {"text": name}, "thickness": 10},
            customdata=[about] * len(table),
            text=[order] * len(table),  # what the page hears of the pointer
            hoverongaps=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{customdata[0]}, %{y}<br>" + name + " %{z:.4g}%{customdata[1]}<extra></extra>",
        )
        places = parts(order)
        figure.update_xaxes(tickmode="array", tickvals=[at - 0.5 for at, _ in places], ticktext=[p for _, p in places])
        figure.update_xaxes(ticks="outside", ticklabelposition="outside right", tickangle=0)
    title = f"{name} by layer and candidate; blank: a network lacks the layer, or it gets no gradient"
    styled(figure, theme, title, "layer, from the input to the head", "")
    return figure.update_yaxes(autorange="reversed", automargin=True)


def spread(
    distributions: Mapping[str, pd.DataFrame], layer: str, statistic: str, theme: str, *, to_come: int = 0
) -> go.Figure:
    """How a statistic is spread over the weights of `layer`, one line a candidate (`proxies.Distributed`).

    Those of `to_come` candidates are still with the engine.
    """
    figure = go.Figure()
    for (label, table), (colour, dash) in zip(distributions.items(), LINES, strict=False):
        rows = table[(table["layer"] == layer) & (table["statistic"] == statistic)] if len(table) else table
        for row in rows.itertuples():
            counts = np.array(row.counts, dtype=float)
            if not counts.sum():
                continue
            edges = np.logspace(row.low, row.high, len(counts) + 1)
            figure.add_scatter(
                x=np.sqrt(edges[:-1] * edges[1:]),
                y=100 * counts / row.weights,
                mode="lines",
                name=f"{label}, {row.weights:,} weights",
                line={"color": colour, "dash": dash, "shape": "hvh", "width": 1.5},
                hovertemplate="%{x:.3g}: %{y:.2f} %<extra>" + label + "</extra>",
            )
    more = f" ({to_come} more to come from the engine)" if to_come else ""
    name = STATISTICS.get(statistic, statistic)
    styled(figure, theme, f"{name} over the weights of {layer}{more}", name, "% of weights")
    figure.update_layout(showlegend=True, legend={"x": 0.99, "xanchor": "right", "y": 0.98, "bgcolor": "rgba(0,0,0,0)"})
    return figure.update_xaxes(type="log", tickmode="array", tickvals=_ticks(figure), tickformat="~g")


def _ticks(figure: go.Figure) -> list[float]:
    """1, 2 and 5 times the powers of ten that the lines of a figure span: plotly writes its own 2 and 5 too small."""
    ends = [end for trace in figure.data for end in (min(trace.x), max(trace.x))]
    if not ends:
        return []
    powers = range(math.floor(math.log10(min(ends))), math.ceil(math.log10(max(ends))) + 1)
    steps = (1, 2, 5) if len(powers) < _MANY_POWERS else (1,)
    return [step * 10.0**power for power in powers for step in steps]


def waiting(message: str, theme: str, title: str = "Inside the layer under the pointer") -> go.Figure:
    """What stands where nothing can be drawn yet."""
    figure = go.Figure()
    text = message or "Point at a layer above to see what is inside."
    figure.add_annotation(text=text, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5)
    styled(figure, theme, title)
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)
