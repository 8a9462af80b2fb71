"""What the Layers page does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from dash import Dash, Input, Output, State, dcc, html, no_update

from app.cell import cell_graph, edit_path
from app.cockpit import Cockpit, View
from app.labels import score_label
from app.pages.layers import figures
from app.palette import short
from app.table import column
from app.truth import Truth
from nas_core.ladder import AGGREGATE

_TITLES = {"mean_abs_grad": "mean |g|", "inverse_cv": "inverse CV"}
_WIDTHS = {"candidate": 84, "layer": 140, "kind": 70, "shape": 92, "weights": 76}


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""

    @app.callback(
        Output("layers-map", "figure"),
        Output("layers-table", "rowData"),
        Output("layers-table", "columnDefs"),
        Output("layers-cells", "children"),
        Output("layers-state", "children"),
        Input("pulse", "data"),
        Input("statistic", "value"),
        Input("compared", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
        Input("truth", "data"),
        State("run", "data"),
    )
    def draw(
        _pulse: Any,
        statistic: str,
        compared: list[str] | None,
        theme: str,
        arch: str | None,
        choice: str | None,
        run: str | None,
    ) -> tuple[Any, ...]:
        if not run:
            return (no_update,) * 5
        view = cockpit.view(run)
        chosen = _chosen(view, arch, [int(rank) for rank in compared or ()])
        tables = []
        for label, index in chosen:
            layers = cockpit.layers(view.run, tuple(int(c) for c in view.table.archs[index]))
            if len(layers):
                tables.append(layers.assign(candidate=label))
        table = pd.concat(tables) if tables else pd.DataFrame()
        statistic = statistic if statistic in table else ("term" if "term" in table else "")
        names = ["candidate", *[str(c) for c in table if c != "candidate"]] if len(table) else []
        columns = [
            column(name, _TITLES.get(name, name), width=_WIDTHS.get(name, 80), **_number(table, name)) for name in names
        ]
        rows = table.astype(object).where(table.notna(), None).to_dict("records") if len(table) else []
        text = f"layers of {score_label(view.rank_by)}" if tables else lack(view)
        picture = figures.heat_map(table, statistic, theme) if statistic else figures.waiting(text, theme, "Layers")
        return picture, rows, columns, _cells(view, chosen, cockpit.truth(view.run.space, choice), theme), text

    @app.callback(
        Output("layers-spread", "figure"),
        Input("layers-map", "hoverData"),
        Input("pulse", "data"),
        Input("statistic", "value"),
        Input("compared", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
        State("run", "data"),
    )
    def inside(
        hover: dict[str, Any] | None,
        _pulse: Any,
        statistic: str,
        compared: list[str] | None,
        theme: str,
        arch: str | None,
        run: str | None,
    ) -> Any:
        """What the layer under the pointer holds; the engine is asked for what is not known yet."""
        if not run:
            return no_update
        view = cockpit.view(run)
        known: dict[str, pd.DataFrame] = {}
        missing = []
        for label, index in _chosen(view, arch, [int(rank) for rank in compared or ()]):
            cell = tuple(int(c) for c in view.table.archs[index])
            known[label] = cockpit.distributions(view.run, cell)
            if not len(known[label]) and len(cockpit.layers(view.run, cell)):
                missing.append(cell)
        statistic = "inverse_cv" if statistic == "term" else statistic  # a term is the sum of these over the weights
        layer = ((hover or {}).get("points") or [{}])[0].get("customdata") or _first_layer(known)
        why = cockpit.request_distributions(view.run, missing) if missing else ""
        if not layer:
            return figures.waiting(why or ("Waiting for the engine …" if missing else ""), theme)
        return figures.spread(known, layer, statistic, theme, to_come=len(missing))


def _number(table: pd.DataFrame, name: str) -> dict[str, bool]:
    return {"number": table[name].dtype.kind == "f"}


def _first_layer(known: dict[str, pd.DataFrame]) -> str:
    """The largest layer of the first candidate: something to see before the pointer says which."""
    table = next((table for table in known.values() if len(table)), None)
    return "" if table is None else str(table.loc[table["weights"].idxmax(), "layer"])


def _chosen(view: View, arch: str | None, ranks: list[int]) -> list[tuple[str, int]]:
    """The selected architecture and the candidates of these ranks: label and position in the space."""
    order = view.indices[np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")]
    chosen = [("selected", view.table.index[arch])] if arch in view.table.index else []
    return chosen + [(f"#{rank}", int(order[rank - 1])) for rank in sorted(ranks) if rank <= len(order)]


def lack(view: View) -> str:
    """Why there are no statistics of layers."""
    name = score_label(view.rank_by)
    if view.rung(view.rank_by) != "zero-cost" or view.rank_by == AGGREGATE:
        return f"{name} has no statistics of layers; make a run that ranks by a zero-cost score such as ZiCo."
    if not len(view.indices):
        return f"No layer statistics of {name} yet: they come with the first scored candidates."
    return f"{name} says nothing of the layers of these candidates."


def _cells(view: View, chosen: list[tuple[str, int]], truth: Truth | None, theme: str) -> list[Any]:
    """The cells side by side, each with the edit path that leads to it from its left neighbour."""
    space = view.table.space
    scores, values = view.over_space(view.rank_by), None if truth is None else truth.over(view.table)

    def known(index: int) -> str:
        result = "" if truth is None or values is None else f", {truth.name} {short(float(values[index]))}{truth.unit}"
        return f"{score_label(view.rank_by)} {short(float(scores[index]))}{result}"

    cells: list[Any] = []
    before: Any = None
    for label, index in chosen:
        arch = tuple(int(c) for c in view.table.archs[index])
        graph = space.graph(arch)
        parts: list[Any] = [
            dcc.Graph(
                figure=cell_graph(graph, theme, f"{label}: {known(index)}", before and space.graph(before)),
                config={"displayModeBar": False},
                style={"height": "128px"},
            )
        ]
        if before is not None:
            path = [
                f"{words} ({known(view.table.index[space.format(step)])})"
                for words, step in edit_path(space, before, arch)
            ]
            parts.append(html.Div("; ".join(path) or "the same cell", className="support path", title="\n".join(path)))
        cells.append(html.Div(parts))
        before = arch
    return cells
