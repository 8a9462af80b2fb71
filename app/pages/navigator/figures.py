"""Figures of the Navigator: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from app.palette import ACCENT, INK, UNKNOWN_OPERATION, plain, styled
from app.tokens import tokens
from nas_core.ranks import rankdata

UNKNOWN = UNKNOWN_OPERATION
LEVELS = 20
"""Colours of the map: `map_codes` counts in them."""
_SHOWN = {"dark": (0.12, 1.0), "light": (0.0, 0.95)}
"""The part of Viridis that stands out from the ground of a theme."""
PLAIN_ENDS = ("lowest", "highest")
"""What the ends of a colour bar are called where neither is better."""
RUNG_SYMBOLS = ["circle", "diamond", "square", "star"]
"""Marker of every rung of the evaluation ladder, lowest first."""


def map_codes(values: np.ndarray, rungs: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """What every dot of the map is, uint8 (n,): 0 where the steering removes it, else 1 + rung * 21 + level.

    Level 0 is a value not known yet, 1 to 20 the rank of the value among those known, in twentieths: `values` are
    such that the best is the highest.
    """
    levels = np.zeros(len(values), dtype=np.uint8)
    known = ~np.isnan(values)
    if known.any():
        levels[known] = np.ceil(LEVELS * rankdata(values[known]) / known.sum())
    return np.where(kept, 1 + rungs * (LEVELS + 1) + levels, 0).astype(np.uint8)


def map_colours(theme: str) -> list[str]:
    """Colours of the map in a theme, lowest rank first."""
    return sample_colorscale("Viridis", list(np.linspace(*_SHOWN[theme], LEVELS)))


def map_base(title: str, labels: tuple[str, str, str], theme: str, *, ends: tuple[str, str] = PLAIN_ENDS) -> go.Figure:
    """Axes, title and colour bar of the map, without the dots; `labels` name x, y, colour, and `ends` the bar's."""
    figure = go.Figure()
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        hoverinfo="skip",
        marker={
            "color": [0],
            "colorscale": "Viridis",
            "cmin": 0,
            "cmax": 1,
            "showscale": True,
            "colorbar": {
                "title": {"text": f"rank of<br>{plain(labels[2])}", "font": {"size": 12}},
                "thickness": 8,
                "tickvals": [0.01, 0.5, 0.99],
                "ticktext": [ends[0], "middle", ends[1]],
                "tickfont": {"size": 12},
            },
        },
    )
    styled(figure, theme, title, *labels[:2])
    figure.update_layout(margin={"l": 48, "r": 8, "t": 34, "b": 34}, title={"font": {"size": 13}})
    # What was zoomed to on other axes means nothing on these.
    figure.update_layout(uirevision=" ".join(labels[:2]), selectionrevision=" ".join(labels[:2]))
    return figure.update_layout(
        dragmode=False, hovermode="closest", meta={"accent": ACCENT[theme], "ink": tokens(theme)["text"]}
    )


def best_so_far(values: np.ndarray, acts: Sequence[tuple[int, str]], metric: str, theme: str) -> go.Figure:
    """Best value after each scored candidate; `acts` are (candidates scored then, description)."""
    figure = go.Figure()
    best = np.fmax.accumulate(values) if len(values) else values
    turns = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0) if len(best) else np.array([], dtype=int)
    steps = np.append(turns, len(best) - 1) if len(best) else turns
    figure.add_scatter(x=steps + 1, y=best[steps], mode="lines", line={"shape": "hv", "color": INK[theme], "width": 2})
    for scored, text in acts:
        figure.add_vline(x=scored, line={"dash": "dot", "color": ACCENT[theme]})
        figure.add_annotation(
            x=scored, y=1, yref="paper", text="⚑", hovertext=text, showarrow=False, font={"color": ACCENT[theme]}
        )
    if not len(best):
        figure.add_annotation(text="nothing scored yet", showarrow=False, xref="paper", yref="paper")
    return styled(figure, theme, "Best so far, acts as flags", "candidates scored", metric)


_ABOUT_LAYERS = ("layer", "module", "kind", "shape", "weights", "channels", "positions")
"""Columns of a table of layers that say what a layer is."""


def layer_bars(layers: pd.DataFrame, metric: str, theme: str) -> go.Figure:
    """What every layer adds to the score; the first thing that is told of layers where the score adds up no terms."""
    told = [str(name) for name in layers if name not in _ABOUT_LAYERS and layers[name].dtype.kind == "f"]
    what = "term" if "term" in layers or not told else told[0]
    words = what.replace("_", " ")
    figure = go.Figure()
    figure.add_bar(
        x=list(range(len(layers))),
        y=layers.get(what, []),
        customdata=layers["layer"],
        marker={"color": tokens(theme)["text3"]},
    )
    figure.update_traces(hovertemplate="%{customdata}<br>%{y:.3g}<extra></extra>")
    return styled(figure, theme, f"{metric}, {words} by layer", "layer", words)
