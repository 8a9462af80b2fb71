"""Figures of networks of any kind: layers aligned by depth, a layer over the steps of a training, a tree of modules."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.pages.layers.figures import SCALE
from app.pages.layers.words import STATISTICS
from app.palette import LINES, plain, short, styled
from app.tokens import tokens

LOGARITHMIC = ("inverse_cv", "mean_abs_grad", "std")
"""Statistics that span powers of ten from network to network and from step to step."""
_FAMILIES = {
    "conv": "#0072B2",
    "linear": "#CC79A7",
    "norm": "#009E73",
    "attention": "#E69F00",
    "lstm": "#56B4E9",
    "gru": "#56B4E9",
    "rnn": "#56B4E9",
    "embedding": "#D55E00",
}
"""Colours of kinds of modules, by a part of their name."""


def scaled(values: Sequence[float], statistic: str) -> list[float | None]:
    """Values of a statistic as colours show them: logarithms of what spans powers of ten; None where undefined."""
    if statistic in LOGARITHMIC:
        values = [math.log10(value) if value > 0 else math.nan for value in values]
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]


def by_depth(
    layers: pd.DataFrame,
    statistic: str,
    theme: str,
    limits: tuple[float, float] | None,
    film: str,
    ids: Mapping[str, str],
) -> go.Figure:
    """Networks below each other, each layer as wide as it is a share of its network's layers.

    Args:
        layers: columns candidate, layer, module and the statistic, in the order of each network.
        statistic: what the colour stands for.
        theme: dark or light.
        limits: of the colours, as `scaled` gives them; those of `layers` where it is None.
        film: stands for the frames that may be shown in this figure, see `assets/films.js`.
        ids: the id of each network that is watched, by its label.
    """
    figure, name = go.Figure(), STATISTICS.get(statistic, statistic)
    labels = list(dict.fromkeys(layers["candidate"]))
    for place, label in enumerate(labels):
        own = layers[layers["candidate"] == label]
        values = own[statistic].tolist() if statistic in own else [math.nan] * len(own)
        about = [
            [layer, f"<br>module {plain(str(module))}" if module else "", _digits(value), ids.get(label, "")]
            for layer, module, value in zip(own["layer"], own.get("module", own["layer"]), values, strict=True)
        ]
        figure.add_heatmap(
            z=[scaled(values, statistic)],
            x=np.linspace(0, 100, len(own) + 1).tolist(),
            y=[place - 0.5, place + 0.5],
            name=plain(label),
            coloraxis="coloraxis",
            customdata=[about],
            text=[[f"{network}\t{layer}" for layer, _, _, network in about]],  # what the page hears of the pointer
            hoverongaps=False,
            xgap=1,
            ygap=2,
            hovertemplate="%{customdata[0]}<br>"
            + name
            + " %{customdata[2]}%{customdata[1]}<extra>%{fullData.name}</extra>",
        )
    styled(figure, theme, f"{name} by depth; blank: the layer gets no gradient", "depth, % of the layers", "")
    figure.update_layout(coloraxis=_colours(statistic, name, theme, limits), meta={"film": film})
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", showgrid=False)
    ticks = {"tickvals": list(range(len(labels))), "ticktext": [plain(_shortened(label)) for label in labels]}
    return figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, tickmode="array", **ticks)


def _shortened(label: str) -> str:
    return label if len(label) <= 24 else f"{label[:22]} …"


def _digits(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "undefined"


def _colours(statistic: str, name: str, theme: str, limits: tuple[float, float] | None) -> dict[str, Any]:
    bar: dict[str, Any] = {"title": {"text": name}, "thickness": 10}
    if statistic in LOGARITHMIC and limits is not None:
        powers = list(range(math.floor(limits[0]), math.ceil(limits[1]) + 1))
        powers = powers[:: -(-len(powers) // 6)]
        bar |= {"tickvals": powers, "ticktext": [_power(power) for power in powers]}
    ends = {} if limits is None else {"cmin": limits[0], "cmax": limits[1]}
    return {"colorscale": SCALE[theme], "colorbar": bar, **ends}


def _power(power: int) -> str:
    return f"{10.0**power:g}" if abs(power) < 3 else f"1e{power}"


def limits_of(columns: Sequence[Sequence[float | None]]) -> tuple[float, float] | None:
    """The least and the greatest of scaled values; None where there is none."""
    known = [value for column in columns for value in column if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def course(courses: Mapping[str, pd.DataFrame], layer: str, statistic: str, theme: str) -> go.Figure:
    """A statistic of one layer over the steps of trainings, a line a network: columns `step` and `value`."""
    figure, name = go.Figure(), STATISTICS.get(statistic, statistic)
    for (label, table), (colour, dash) in zip(courses.items(), LINES, strict=False):
        figure.add_scatter(
            x=table["step"].tolist(),
            y=table["value"].tolist(),
            mode="lines+markers",
            name=plain(label),
            line={"color": colour, "dash": dash, "width": 1.5},
            marker={"size": 5},
            hovertemplate="step %{x:,}: %{y:.4g}<extra>" + plain(label).replace("%", "") + "</extra>",
        )
    styled(figure, theme, f"{name} of {layer} over the steps", "training step", name)
    legend = {"x": 0.99, "xanchor": "right", "y": 0.98, "bgcolor": "rgba(0,0,0,0)"}
    figure.update_layout(showlegend=True, legend=legend)
    return figure.update_yaxes(type="log" if statistic in LOGARITHMIC else "linear", tickformat="~g")


def tree(modules: Sequence[Mapping[str, Any]], theme: str, title: str) -> go.Figure:
    """The modules of a network as nested blocks, the input on the left; those without weights are left out."""
    totals = _totals(modules)
    kept = [module for module in modules if totals[module["name"]]]
    inner = {_holder(module["name"], totals) for module in kept if module["name"]}
    kept.sort(key=lambda module: math.inf if module["called"] is None else module["called"])
    figure = go.Figure()
    figure.add_icicle(
        ids=[module["name"] or "network" for module in kept],
        labels=[plain(module["name"].rpartition(".")[2] or str(module["kind"])) for module in kept],
        parents=[(_holder(module["name"], totals) or "network") if module["name"] else "" for module in kept],
        values=[int(bool(module["weights"]) or module["name"] not in inner) for module in kept],
        text=[plain(str(module["kind"])) for module in kept],
        customdata=[f"{totals[module['name']]:,}" for module in kept],
        marker={"colors": [_colour(str(module["kind"]), theme) for module in kept], "line": {"width": 1}},
        branchvalues="remainder",
        sort=False,
        tiling={"orientation": "v"},
        pathbar={"visible": False},
        textinfo="label",
        hovertemplate="%{id}<br>%{text}<br>%{customdata} parameters<extra></extra>",
    )
    styled(figure, theme, title).update_layout(margin={"l": 4, "r": 4, "t": 26, "b": 4})
    figure.update_layout(uniformtext={"minsize": 12, "mode": "hide"})
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)


def sizes(values: Mapping[str, float], labels: Mapping[str, str]) -> str:
    """Sizes of a network in a line, each called as `labels` say."""
    return " · ".join(f"{labels[name]} {short(value)}" for name, value in values.items())


def _totals(modules: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Parameters of each module with those of all that it holds, by name."""
    totals = {str(module["name"]): 0 for module in modules}
    for module in modules:
        name = str(module["name"])
        while True:
            totals[name] = totals.get(name, 0) + int(module["weights"])
            if not name:
                break
            name = _holder(name, totals)
    return totals


def _holder(name: str, known: Mapping[str, Any]) -> str:
    """The module that a module is part of, the innermost that is known."""
    while name:
        name = name.rpartition(".")[0]
        if name in known:
            return name
    return ""


def _colour(kind: str, theme: str) -> str:
    return next((colour for part, colour in _FAMILIES.items() if part in kind.lower()), tokens(theme)["hover"])
