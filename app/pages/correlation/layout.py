"""What stands where on the Correlation page."""

from __future__ import annotations

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from app.pages.correlation.board import columns
from app.palette import BLANK, GRAPH
from app.table import grid

QUESTION = "Can I trust this score, and what does it really measure?"
SCOPES = {"all": "all scored", "steering": "under the steering", "brush": "brushed below"}
CROSSED = {"scores": "score against score", "settings": "stability of the score", "labels": "what to label next"}
WEIGHTS_HINT = (
    "The aggregate is a sum of logarithms of ranks. Equal weights leave out scores that disagree with all others; "
    "yours count as they are."
)
_LABELS, _NEXT = 20, 5


def layout() -> html.Div:
    """Leader board and score against score; score against truth, and what the score may merely be counting."""
    return html.Div(
        [
            dcc.Store(id="brushed"),
            dcc.Store(id="labels-wanted"),
            dcc.Store(id="correlation-told"),
            dcc.Store(id="weights", storage_type="session"),
            dcc.Store(id="weights-equal"),
            html.Div(
                [
                    html.Div(id="checks", className="checks", role="status"),
                    _choices(),
                    html.Div(
                        [
                            _board(),
                            html.Div(
                                [
                                    dmc.SegmentedControl(
                                        id="crossed",
                                        data=[{"value": k, "label": v} for k, v in CROSSED.items()],
                                        value="scores",
                                        size="xs",
                                    ),
                                    html.Div(
                                        dcc.Graph(
                                            figure=BLANK,
                                            id="score-score",
                                            className="fill-graph",
                                            responsive=True,
                                            config=GRAPH,
                                        ),
                                        id="crossed-graph",
                                        className="crossed-graph",
                                    ),
                                    _label_next(),
                                ],
                                className="crossed",
                            ),
                        ],
                        className="columns board",
                    ),
                    html.Div(
                        [
                            dcc.Graph(
                                figure=BLANK, id="score-truth", className="fill-graph", responsive=True, config=GRAPH
                            ),
                            dcc.Graph(
                                figure=BLANK, id="measures", className="fill-graph", responsive=True, config=GRAPH
                            ),
                        ],
                        className="columns",
                    ),
                ],
                className="page filled laboratory",
            ),
        ]
    )


def _board() -> dag.AgGrid:
    board = grid("leader-board", "correlation.csv", "Nothing can be compared yet; the line above says why.")
    board.columnDefs = columns("")  # a table without columns is none for a screen reader
    board.csvExportParams = {"fileName": "correlation.csv", "allColumns": True}  # with the ends of the intervals
    return board


def _choices() -> dmc.Group:
    return dmc.Group(
        [
            dmc.SegmentedControl(
                id="scope", data=[{"value": k, "label": v} for k, v in SCOPES.items()], value="all", size="xs"
            ),
            dmc.Select(id="looked-at", size="xs", w=180, allowDeselect=False, **{"aria-label": "Score to look at"}),
            _weights(),
            html.Div(id="correlation-state", className="support", role="status"),
            dmc.Button("Export CSV", id="btn-board-csv", size="compact-xs", variant="light", ml="auto"),
        ]
    )


def _weights() -> dmc.Popover:
    return dmc.Popover(
        [
            dmc.PopoverTarget(dmc.Button("Weights", id="btn-weights", size="compact-xs", variant="light")),
            dmc.PopoverDropdown(
                [
                    html.P(WEIGHTS_HINT, className="support"),
                    html.Div(id="weight-inputs", className="weights"),
                    dmc.Group(
                        [
                            dmc.Button("Reset to equal", id="btn-weights-equal", size="compact-xs", variant="light"),
                            html.Span(id="weights-text", className="support", role="status"),
                        ],
                        mt="xs",
                    ),
                ]
            ),
        ],
        width=380,
        position="bottom-start",
        withArrow=True,
        trapFocus=True,
    )


def _label_next() -> html.Div:
    return html.Div(
        [
            dmc.Group(
                [
                    dmc.NumberInput(id="labels-known", label="labels", size="xs", w=80, value=_LABELS, min=3, max=500),
                    dmc.NumberInput(id="labels-next", label="suggest", size="xs", w=80, value=_NEXT, min=1, max=50),
                ],
                gap="xs",
            ),
            html.Div(id="suggested", role="status"),
        ],
        id="label-next",
        className="label-next",
        hidden=True,
    )
