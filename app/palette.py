"""Signs that are the same on every page: operation colours and names, figure styling in both themes, numbers."""

from __future__ import annotations

import base64
import math
import textwrap
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.tokens import tokens
from nas_core.spaces import Decision

OPERATION_COLOURS = {  # Okabe & Ito 2008, safe for colour-blind readers
    "none": "#999999",
    "skip_connect": "#E69F00",
    "nor_conv_1x1": "#56B4E9",
    "nor_conv_3x3": "#0072B2",
    "avg_pool_3x3": "#009E73",
    "conv1x1-bn-relu": "#56B4E9",
    "conv3x3-bn-relu": "#0072B2",
    "maxpool3x3": "#009E73",
}
OPERATION_NAMES = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "conv1",
    "nor_conv_3x3": "conv3",
    "avg_pool_3x3": "pool3",
    "conv1x1-bn-relu": "conv1",
    "conv3x3-bn-relu": "conv3",
    "maxpool3x3": "max3",
}
BLOCK_COLOURS = {  # kinds of blocks in a template; a label begins with its kind
    "separable conv": "#56B4E9",
    "conv": "#0072B2",
    "max pool": "#009E73",
    "avg pool": "#009E73",
    "identity": "#E69F00",
    "dense": "#CC79A7",
}
UNKNOWN_OPERATION = "#868E96"
LINES = (("#0072B2", "solid"), ("#D55E00", "dash"), ("#009E73", "dot"), ("#CC79A7", "dashdot"), ("#E69F00", "longdash"))
"""Colour and dash of what is compared, in order: told apart without colour, too."""
ACCENT = {theme: tokens(theme)["acc"] for theme in ("dark", "light")}
"""The human hand: what was chosen, pinned, drawn or done."""
GRAPH = {"displaylogo": False, "responsive": True, "showSendToCloud": False}
"""Settings that every graph begins with: no logo, and no button that hands the data to a service."""
BLANK: dict[str, Any] = {
    "data": [],
    "layout": {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
    },
}
"""A figure that is still to come: nothing, on the ground of its panel, in both themes."""
INK = {theme: tokens(theme)["text2"] for theme in ("dark", "light")}
GRID = {theme: tokens(theme)["line"] for theme in ("dark", "light")}


def operation_colour(operation: str) -> str:
    """The colour of an operation, or of a block by the kind that its label begins with."""
    kind = next((kind for kind in BLOCK_COLOURS if operation.startswith(kind)), "")
    return OPERATION_COLOURS.get(operation) or BLOCK_COLOURS.get(kind, UNKNOWN_OPERATION)


def block_name(decision: Decision, choice: int) -> str:
    """A block for people: its decision and operation, or its decision alone where that keeps or leaves out a block."""
    operation = decision.choices[choice]
    return (
        decision.name
        if decision.optional and choice
        else f"{decision.name} {OPERATION_NAMES.get(operation, operation)}"
    )


def block_label(decision: Decision, choice: int) -> str:
    """The short name of a block, as it stands on its brick."""
    operation = decision.choices[choice]
    return decision.name.partition(" ")[2] if decision.optional else OPERATION_NAMES.get(operation, operation)


def block_colour(decision: Decision, choice: int) -> str:
    """The colour of a block."""
    return operation_colour(block_label(decision, choice) if decision.optional else decision.choices[choice])


def plain(text: str) -> str:
    """A text that plotly writes as it is, though it holds what plotly would take for markup."""
    return escape(text, quote=False)


_LONGEST_Y = 26
"""Letters of the name of a y axis in a line: it stands upright beside charts that may be low."""


def styled(figure: go.Figure, theme: str, title: str, x: str = "", y: str = "") -> go.Figure:
    """Give a figure the look of the app: title, named axes, transparent ground, ink of the theme.

    The texts are written as they are: names that people gave stand in them.
    """
    figure.update_layout(
        title={
            "text": plain(title),
            "font": {"size": 14, "weight": 600, "color": tokens(theme)["text"]},
            "x": 0.01,
            "y": 0.98,
            "yanchor": "top",
        },
        margin={"l": 48, "r": 12, "t": 32, "b": 36},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": tokens(theme)["text3"], "activecolor": tokens(theme)["acc"]},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK[theme], "size": 12, "family": "Inter, system-ui, sans-serif"},
        showlegend=False,
        uirevision="keep",
        selectionrevision="keep",
    )
    figure.update_xaxes(title={"text": plain(x), "standoff": 4}, gridcolor=GRID[theme], zeroline=False)
    lines = textwrap.wrap(y, _LONGEST_Y)
    title_y = {"text": " <br>".join(plain(line) for line in lines), "standoff": 4}
    figure.update_yaxes(title=title_y, automargin=len(lines) > 1, gridcolor=GRID[theme], zeroline=False)
    return figure


def typed(values: np.ndarray, dtype: str = "f4") -> dict[str, str]:
    """An array as plotly's typed-array form: small on the wire, fast in the browser."""
    return {"dtype": dtype, "bdata": base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()}


def short(value: Any) -> str:
    """Three significant digits, thousands grouped, a dash for what is undefined."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    number = float(value)
    if abs(number) >= 1e12:
        return f"{number:.2e}".replace("e+", "e")
    if abs(number) >= 1e9:
        return f"{number / 1e9:.3g} G"
    if abs(number) >= 1e6:
        return f"{number / 1e6:.3g} M"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
