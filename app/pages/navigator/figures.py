"""Figures of the Navigator: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.stats import rankdata

from app.palette import ACCENT, GRID, INK, OPERATION_COLOURS, OPERATION_NAMES, styled, typed
from nas_core.spaces import CellGraph, Decision

_GREY = "#868E96"
_SCALE = [
    [0, _GREY],
    [0.0099, _GREY],
    [0.01, "#440154"],
    [0.26, "#3B528B"],
    [0.51, "#21918C"],
    [0.76, "#5EC962"],
    [1, "#FDE725"],
]


def map_colours(values: np.ndarray) -> np.ndarray:
    """Ranks of `values` (n,) in [0.02, 1]; 0, drawn grey, where a value is not known yet."""
    colours = np.zeros(len(values))
    known = ~np.isnan(values)
    if known.any():
        colours[known] = 0.02 + 0.98 * rankdata(values[known]) / known.sum()
    return colours


def map_opacity(kept: np.ndarray, going: np.ndarray | None = None) -> np.ndarray:
    """Opacity of every dot: faint where the steering, or the prune under the pointer, removes it."""
    visible = kept if going is None else kept & ~going
    return np.where(visible, 0.85, 0.06)


def space_map(
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    kept: np.ndarray,
    selected: int | None,
    *,
    labels: tuple[str, str, str],
    theme: str,
) -> go.Figure:
    """The whole space, one dot an architecture; `labels` name x, y and colour."""
    figure = go.Figure()
    figure.add_scattergl(
        x=x.astype("f4"),
        y=y.astype("f4"),
        mode="markers",
        marker={
            "size": 5,
            "color": typed(map_colours(values)),
            "opacity": typed(map_opacity(kept)),
            "colorscale": _SCALE,
            "cmin": 0,
            "cmax": 1,
            "colorbar": {
                "title": {"text": f"rank of {labels[2]}"},
                "thickness": 10,
                "tickvals": [0, 0.25, 0.5, 0.75, 1],
                "ticktext": ["not scored", "25 %", "50 %", "75 %", "best"],
            },
        },
        hovertemplate=f"#%{{pointNumber}}<br>{labels[0]} %{{x:.3g}}<br>{labels[1]} %{{y:.3g}}<extra></extra>",
        name="architectures",
    )
    chosen = [] if selected is None else [selected]
    figure.add_scattergl(
        x=x[chosen],
        y=y[chosen],
        mode="markers",
        marker={"size": 15, "color": ACCENT, "symbol": "circle-open", "line": {"width": 3}},
        hoverinfo="skip",
        name="selected",
    )
    styled(figure, theme, f"Space of {len(x):,} architectures", *labels[:2])
    return figure.update_layout(dragmode="pan", hovermode="closest")


def block_chart(fitness: pd.DataFrame, decisions: tuple[Decision, ...], theme: str) -> go.Figure:
    """Fitness against support, one dot a block, with its interval."""
    figure = go.Figure()
    operations = [decisions[d].choices[c] for d, c in zip(fitness["decision"], fitness["choice"], strict=True)]
    names = [
        f"{decisions[d].name} {OPERATION_NAMES.get(op, op)}"
        for d, op in zip(fitness["decision"], operations, strict=True)
    ]
    figure.add_scatter(
        x=fitness["fitness"],
        y=fitness["n"],
        mode="markers",
        text=names,
        marker={"size": 9, "color": [OPERATION_COLOURS.get(op, _GREY) for op in operations]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": fitness["high"] - fitness["fitness"],
            "arrayminus": fitness["fitness"] - fitness["low"],
            "thickness": 1,
            "color": INK[theme],
            "width": 0,
        },
        hovertemplate="%{text}<br>fitness %{x:.3f}, n = %{y}<extra></extra>",
    )
    return styled(figure, theme, "Blocks", "fitness (mean rank)", "candidates with it").update_xaxes(range=[0, 1])


def best_so_far(values: np.ndarray, acts: Sequence[tuple[int, str]], metric: str, theme: str) -> go.Figure:
    """Best value after each scored candidate; `acts` are (candidates scored then, description)."""
    figure = go.Figure()
    best = np.fmax.accumulate(values) if len(values) else values
    turns = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0) if len(best) else np.array([], dtype=int)
    steps = np.append(turns, len(best) - 1) if len(best) else turns
    figure.add_scatter(x=steps + 1, y=best[steps], mode="lines", line={"shape": "hv", "color": "#0072B2", "width": 2})
    for scored, text in acts:
        figure.add_vline(x=scored, line={"dash": "dot", "color": ACCENT})
        figure.add_annotation(
            x=scored, y=1, yref="paper", text="⚑", hovertext=text, showarrow=False, font={"color": ACCENT}
        )
    return styled(figure, theme, "Best so far, acts as flags", "candidates scored", metric)


def cell_graph(graph: CellGraph, theme: str) -> go.Figure:
    """Nodes and labelled edges of an architecture; dead edges are dotted."""
    figure = go.Figure()
    positions = [(0.0, 0.0), (1.0, 0.9), (2.0, -0.9), (3.0, 0.0)]
    if len(graph.nodes) != len(positions):
        angles = np.linspace(np.pi, 0, len(graph.nodes))
        positions = [(3 * (1 - np.cos(a)) / 2, float(np.sin(a))) for a in angles]
    for edge in graph.edges:
        (x0, y0), (x1, y1) = positions[edge.source], positions[edge.target]
        bend = 0.9 if (edge.source, edge.target) == (0, 3) else 0.0
        t = np.linspace(0, 1, 15)
        x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t + bend * np.sin(np.pi * t) * 0.15
        label = 4 if (edge.source, edge.target) == (1, 2) else 7  # edges 0→3 and 1→2 cross in the middle
        colour = OPERATION_COLOURS.get(edge.operation, _GREY)
        style = {"color": colour, "width": 3 if edge.live else 1.5, "dash": "solid" if edge.live else "dot"}
        figure.add_scatter(x=x, y=y, mode="lines", line=style, hoverinfo="skip")
        figure.add_annotation(
            x=x[label],
            y=y[label],
            text=OPERATION_NAMES.get(edge.operation, edge.operation),
            showarrow=False,
            font={"size": 10, "color": INK[theme]},
            bgcolor="#1F2329" if theme == "dark" else "#FFFFFF",
        )
    figure.add_scatter(
        x=[p[0] for p in positions],
        y=[p[1] for p in positions],
        mode="markers",
        marker={"size": 13, "color": GRID[theme], "line": {"color": INK[theme], "width": 1.5}},
        text=list(graph.nodes),
        hovertemplate="%{text}<extra></extra>",
    )
    styled(figure, theme, "Cell (dotted: no live path)").update_layout(margin={"l": 4, "r": 4, "t": 26, "b": 4})
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)


def layer_bars(layers: pd.DataFrame, metric: str, theme: str) -> go.Figure:
    """What every layer adds to the score."""
    figure = go.Figure()
    figure.add_bar(
        x=list(range(len(layers))), y=layers["term"], customdata=layers["layer"], marker={"color": "#0072B2"}
    )
    figure.update_traces(hovertemplate="%{customdata}<br>%{y:.3g}<extra></extra>")
    return styled(figure, theme, f"{metric}, term by layer", "layer", "term")
