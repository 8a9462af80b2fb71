"""What a layer holds that is pointed at: the spread inside a candidate's, the course of a watched network's."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import ctx, no_update

from app.cockpit import Cockpit, View
from app.pages.layers import aligned, figures, film
from app.pages.layers.evidence import chosen, statistics, telling
from app.pages.layers.watched import LOG_SIZE, Watched, WatchedNetworks, common_scores, course, nearest, with_size
from app.presses import pressed


def inside(
    cockpit: Cockpit,
    networks: WatchedNetworks,
    hover: dict[str, Any] | None,
    told: dict[str, Any] | None,
    _pulse: Any,
    statistic: str,
    score: str | None,
    compared: list[str] | None,
    watched: list[str] | None,
    theme: str,
    arch: str | None,
    _changed: Any,
    layer: Any,
    run: str | None,
) -> tuple[Any, Any]:
    """What the layer under the pointer, or the one that the headline names, holds; and which it is.

    Of a candidate that is how statistics are spread over its weights, of a watched network their course over the steps.
    """
    if not run:
        return no_update, no_update
    if ctx.triggered_id == "pressed" and not pressed(told, "layer"):
        return no_update, no_update
    words = pressed(told, "layer") if ctx.triggered_id == "pressed" else None
    if words:
        layer = ":".join(words[1:])
    elif ctx.triggered_id == "layers-map" and pointed(hover):
        network = network_pointed(hover)
        layer = {"network": network, "layer": pointed(hover)} if network else pointed(hover)
    view = cockpit.view(run)
    shown = chosen(view, arch, [int(rank) for rank in compared or ()])
    own = networks.of(watched)
    scores = common_scores(telling(cockpit, view, shown), own)
    score = score if score in scores else next(iter(scores), "")
    films = film.with_layers(own, score)
    if films and not isinstance(layer, str):
        return _course(films, score, statistic, layer, theme)
    return _spread(cockpit, view, shown, score, statistic, layer if isinstance(layer, str) else None, theme)


def _course(films: list[Watched], score: str, statistic: str, layer: Any, theme: str) -> tuple[Any, Any]:
    """A layer of a watched network over the steps, and the layers of the others at its depth."""
    pointed_at = layer or {}
    network = next((found for found in films if found.row.id == pointed_at.get("network")), films[0])
    table = with_size(network.table(score))
    name = str(pointed_at.get("layer", ""))
    if name not in set(table["layer"]):
        largest = table["weights"].idxmax() if "weights" in table else table.index[0]
        name, layer = str(table.loc[largest, "layer"]), None
    statistic = statistic if statistic in table else next(one for one in statistics(table))
    depth = float(table.loc[table["layer"] == name, "depth"].iloc[0])
    names = {other.label: name if other is network else nearest(other, score, depth) for other in films}
    courses = {f"{n.label}: {names[n.label]}": course(n, score, names[n.label], statistic) for n in films}
    return aligned.course(courses, name, statistic, theme), layer


def _spread(
    cockpit: Cockpit,
    view: View,
    shown: list[tuple[str, int]],
    score: str,
    statistic: str,
    layer: str | None,
    theme: str,
) -> tuple[Any, Any]:
    """What a layer of the candidates holds; the engine is asked for what is not known yet."""
    known: dict[str, pd.DataFrame] = {}
    missing = []
    for label, index in shown if score else ():
        cell = tuple(int(c) for c in view.table.archs[index])
        layers = cockpit.layers(view.run, cell, score)
        found = cockpit.distributions(view.run, cell, score)
        if len(found) and len(layers):
            names = dict(zip(layers["module"], layers["layer"], strict=True))
            found = found.assign(layer=[names.get(module, module) for module in found["layer"]])
        known[label] = found
        if len(layers) and not len(found):
            missing.append(cell)
    # A term is the sum of these over the weights, and a size is what it comes to where all are alike.
    statistic = "inverse_cv" if statistic in ("term", LOG_SIZE) else statistic
    why = cockpit.request_distributions(view.run, missing, score) if missing else ""
    at = layer or _largest_layer(known)
    if not at:
        return figures.waiting(why or ("Waiting for the engine …" if missing else ""), theme), layer
    return figures.spread(known, at, statistic, theme, to_come=len(missing)), layer


def pointed(hover: dict[str, Any] | None) -> str:
    """The layer under the pointer; empty where there is none."""
    return _pointed(hover)[0]


def network_pointed(hover: dict[str, Any] | None) -> str:
    """The id of the watched network under the pointer; empty where there is none."""
    return _pointed(hover)[1]


def _pointed(hover: dict[str, Any] | None) -> tuple[str, str]:
    """Layer and network: of a heat map Dash tells the text of a cell, and leaves its custom data out."""
    point = ((hover or {}).get("points") or [{}])[0]
    told = point.get("customdata")
    if told:
        return str(told[0]), str(told[3]) if len(told) > 3 else ""
    network, _, layer = str(point.get("text") or "").rpartition("\t")
    return layer, network


def _largest_layer(known: dict[str, pd.DataFrame]) -> str:
    """The largest layer of the first candidate: something to see before the pointer says which."""
    table = next((table for table in known.values() if len(table)), None)
    return "" if table is None else str(table.loc[table["weights"].idxmax(), "layer"])
