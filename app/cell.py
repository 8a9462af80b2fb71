"""The drawing of a cell, and the way from one cell to another. Pure functions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from app.palette import ACCENT, GRID, INK, OPERATION_NAMES, operation_colour, styled
from app.tokens import tokens
from nas_core.spaces import Architecture, CellGraph, SearchSpace


def edit_path(space: SearchSpace, start: Architecture, end: Architecture) -> list[tuple[str, Architecture]]:
    """The decisions in which two architectures differ, changed one by one: what changes, and what it leads to.

    Steps that would leave the space are joined with the next one.
    """
    steps: list[tuple[str, Architecture]] = []
    now, words = start, []
    for position, decision in enumerate(space.decisions):
        if start[position] == end[position]:
            continue
        before, after = (decision.choices[arch[position]] for arch in (start, end))
        if decision.optional:
            words.append(f"{'add' if end[position] else 'drop'} {decision.name}")
        else:
            names = (OPERATION_NAMES.get(choice, choice) for choice in (before, after))
            words.append(f"{decision.name} {' to '.join(names)}")
        now = (*now[:position], end[position], *now[position + 1 :])
        if space.valid(now):
            steps.append((", ".join(words), now))
            words = []
    return steps


def cell_graph(graph: CellGraph, theme: str, title: str = "", unlike: CellGraph | None = None) -> go.Figure:
    """Nodes and labelled edges of an architecture; dead edges are dotted, edges that differ from `unlike` stand out."""
    if len({(edge.source, edge.target) for edge in graph.edges}) < len(graph.edges):
        return layer_graph(graph, theme, title, unlike)
    figure = go.Figure()
    positions = [(0.0, 0.0), (1.0, 0.9), (2.0, -0.9), (3.0, 0.0)]
    if len(graph.nodes) != len(positions):
        angles = np.linspace(np.pi, 0, len(graph.nodes))
        positions = [(3 * (1 - np.cos(a)) / 2, float(np.sin(a))) for a in angles]
    same = {(edge.source, edge.target, edge.operation) for edge in unlike.edges} if unlike else set()
    for edge in graph.edges:
        changed = unlike is not None and (edge.source, edge.target, edge.operation) not in same
        (x0, y0), (x1, y1) = positions[edge.source], positions[edge.target]
        bend = 0.9 if (edge.source, edge.target) == (0, 3) else 0.0
        t = np.linspace(0, 1, 15)
        x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t + bend * np.sin(np.pi * t) * 0.15
        label = 4 if (edge.source, edge.target) == (1, 2) else 7  # edges 0→3 and 1→2 cross in the middle
        colour = operation_colour(edge.operation)
        style = {
            "color": colour,
            "width": (3 if edge.live else 1.5) + (4 if changed else 0),
            "dash": "solid" if edge.live else "dot",
        }
        figure.add_scatter(x=x, y=y, mode="lines", line=style, hoverinfo="skip")
        figure.add_annotation(
            x=x[label],
            y=y[label],
            text=OPERATION_NAMES.get(edge.operation, edge.operation),
            showarrow=False,
            font={"size": 12, "color": INK[theme], "weight": "bold" if changed else "normal"},
            bordercolor=ACCENT[theme] if changed else "rgba(0,0,0,0)",
            bgcolor=tokens(theme)["panel"],
        )
    figure.add_scatter(
        x=[p[0] for p in positions],
        y=[p[1] for p in positions],
        mode="markers",
        marker={"size": 13, "color": GRID[theme], "line": {"color": INK[theme], "width": 1.5}},
        text=list(graph.nodes),
        hovertemplate="%{text}<extra></extra>",
    )
    dotted = any(not edge.live for edge in graph.edges)
    title = title or ("Dotted: no live path" if dotted else "The cell")
    styled(figure, theme, title).update_layout(margin={"l": 4, "r": 4, "t": 26, "b": 4})
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)


def layer_graph(graph: CellGraph, theme: str, title: str = "", unlike: CellGraph | None = None) -> go.Figure:
    """Layers from left to right with their parallel blocks between them; blocks that `unlike` lacks stand out."""
    figure = go.Figure()
    held = {edge.decision for edge in unlike.edges} if unlike else None
    for layer in range(1, len(graph.nodes)):
        blocks = [edge for edge in graph.edges if edge.target == layer]
        for place, edge in enumerate(blocks):
            height = place - (len(blocks) - 1) / 2
            changed = held is not None and edge.decision not in held
            figure.add_scatter(
                x=[layer - 1, layer - 0.7, layer - 0.3, layer],
                y=[0, height, height, 0],
                mode="lines+markers",
                line={"color": operation_colour(edge.operation), "width": 7 if changed else 3},
                marker={"size": [1, 8, 8, 1], "symbol": "square", "color": operation_colour(edge.operation)},
                text=edge.decision + (" (not in the other)" if changed else ""),
                hovertemplate="%{text}<extra></extra>",
            )
    nodes = list(range(len(graph.nodes)))
    figure.add_scatter(
        x=nodes,
        y=[0] * len(nodes),
        mode="markers",
        marker={"size": 12, "color": GRID[theme], "line": {"color": INK[theme], "width": 1.5}},
        text=list(graph.nodes),
        hovertemplate="%{text}<extra></extra>",
    )
    styled(figure, theme, title or "Blocks kept, by layer")
    figure.update_layout(margin={"l": 4, "r": 4, "t": 26, "b": 4})
    return figure.update_xaxes(visible=False).update_yaxes(visible=False, range=[-2, 2])
