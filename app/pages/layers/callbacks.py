"""What the Layers page does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from dash import Dash, Input, Output, State, no_update

from app.cockpit import Cockpit
from app.pages.layers import figures

_BEST = 6
_ROUNDED = {"valueFormatter": {"function": "params.value == null ? '–' : d3.format('.3~g')(params.value)"}}


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""

    @app.callback(
        Output("layers-map", "figure"),
        Output("layers-table", "rowData"),
        Output("layers-table", "columnDefs"),
        Output("layers-state", "children"),
        Input("pulse", "data"),
        Input("statistic", "value"),
        Input("theme", "data"),
        Input("arch", "data"),
        State("run", "data"),
    )
    def draw(_pulse: Any, statistic: str, theme: str, arch: str | None, run: str | None) -> tuple[Any, ...]:
        if not run:
            return (no_update,) * 4
        view = cockpit.view(run)
        best = view.indices[np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")[:_BEST]]
        chosen = [("selected", view.table.index[arch])] if arch in view.table.index else []
        chosen += [(f"#{rank}", int(index)) for rank, index in enumerate(best, start=1)]
        tables = []
        for label, index in chosen:
            layers = cockpit.layers(view.run, tuple(int(c) for c in view.table.archs[index]))
            if len(layers):
                tables.append(layers.assign(candidate=label, position=range(len(layers))))
        table = pd.concat(tables) if tables else pd.DataFrame()
        names = ["candidate", *[c for c in table if c != "candidate"]] if len(table) else []
        columns = [{"field": str(name)} | (_ROUNDED if table[name].dtype.kind == "f" else {}) for name in names]
        text = (
            f"{len(tables)} candidates: the selected one and the best by {view.rank_by}"
            if tables
            else "Nothing scored yet: press Start, then come back."
        )
        rows = table.astype(object).where(table.notna(), None).to_dict("records") if len(table) else []
        return figures.heat_map(table, statistic, theme), rows, columns, text

    @app.callback(
        Output("layers-table", "exportDataAsCsv"), Input("btn-layers-csv", "n_clicks"), prevent_initial_call=True
    )
    def export(clicks: int | None) -> bool:
        return bool(clicks)
