"""What stands where on the Layers page."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from app import take_away
from app.pages.layers import film
from app.pages.layers.words import STATISTICS
from app.palette import BLANK, GRAPH
from app.table import grid

QUESTION = "Which layers carry the score?"
_COMPARED = 20


def layout() -> html.Div:
    """Choice of statistic, heat map of layer by candidate, what is inside the layer under the pointer, table."""
    return html.Div(
        [
            dcc.Store(id="layers-shown"),
            *film.stores(),
            html.Div(
                [
                    _choices(),
                    html.Div(id="layers-cells", className="cells"),
                    html.Div(id="layers-lack", className="lack", role="status"),
                    html.Div([_map(), film.row(), _inside()], id="layers-evidence", className="layers-evidence"),
                ],
                className="page filled layers-page",
            ),
        ]
    )


def _choices() -> dmc.Group:
    return dmc.Group(
        [
            dmc.SegmentedControl(
                id="statistic",
                data=[{"value": name, "label": label, "disabled": False} for name, label in STATISTICS.items()],
                value="term",
                size="xs",
                **{"aria-label": "Statistic of a layer"},
            ),
            html.Div(
                dmc.Select(
                    id="layers-score",
                    size="xs",
                    w=150,
                    data=[],
                    allowDeselect=False,
                    **{"aria-label": "Score of layers"},
                ),
                id="layers-scores",
                hidden=True,
            ),
            dmc.MultiSelect(
                id="compared",
                size="xs",
                w=300,
                maxValues=4,
                data=[{"value": str(k), "label": f"#{k}"} for k in range(1, _COMPARED + 1)],
                value=["1", "2", "3"],
                **{"aria-label": "Candidates to compare, by rank"},
            ),
            dmc.MultiSelect(
                id="layers-watched",
                size="xs",
                w=240,
                maxValues=3,
                data=[],
                searchable=True,
                clearable=True,
                placeholder="Watched networks",
                nothingFoundMessage="No network of that name is watched. `python -m nas_core watch` adds one.",
                **{"aria-label": "Watched networks to compare"},
            ),
            html.Div(id="layers-state", className="support"),
            take_away.links("layers"),
        ]
    )


def _map() -> dcc.Graph:
    return dcc.Graph(figure=BLANK, id="layers-map", className="fill-graph", responsive=True, config=GRAPH)


def _inside() -> html.Div:
    table = grid("layers-table", "layers.csv", "No statistics of layers to show.")
    spread = dcc.Graph(figure=BLANK, id="layers-spread", className="fill-graph", responsive=True, config=GRAPH)
    return html.Div([spread, table], className="columns spread")
