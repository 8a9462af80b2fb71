"""What stands where in the Arena."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html

from app.cockpit import DEFAULT_SPACE
from app.pages.arena.game import DEFAULT_DATA_SET, MOST_EVALUATIONS, Referee
from app.palette import BLANK, GRAPH
from app.presses import press

QUESTION = "Can you search better than the machine?"
RULES = (
    "You and three machine searchers get the same number of evaluations on a space where every result is known. "
    "You see the result of what you evaluate, and your regret: how much your best falls short of the best there is. "
    "The opponents' results, and where the best is, show at the end. Equal seeds give equal opponents."
)
_GRAPH = GRAPH | {"displayModeBar": False}
_KEPT = {"persistence": True, "persistence_type": "session"}
"""Rules that a reload leaves as they were set, like the game itself."""
MOVES = {
    "bricks": "Evaluate these bricks",
    "random": "Random one",
    "mutate": "Mutate my best",
    "score": "Let the score suggest one",
}
"""What a press does, and how it is counted: see `game.WAYS`."""


def layout() -> html.Div:
    """Rules of the game, bricks to choose, the race, the cell and what was evaluated."""
    return html.Div(
        [
            dcc.Store(id="arena-game", storage_type="session"),
            dcc.Store(id="arena-draft", storage_type="session"),
            *(dcc.Store(id=f"arena-{name}") for name in ("act", "answered", "built", "laid")),
            html.Div([_rules(), _bricks(), _race(), _cell()], className="arena"),
        ]
    )


def _rules() -> dmc.Group:
    return dmc.Group(
        [
            dmc.Select(
                id="arena-space",
                size="xs",
                w=120,
                allowDeselect=False,
                data=Referee.grounds(),
                value=DEFAULT_SPACE,
                **_KEPT,
                **{"aria-label": "Space with known results"},
            ),
            dmc.Select(
                id="arena-data",
                size="xs",
                w=250,
                allowDeselect=False,
                value=DEFAULT_DATA_SET,  # in the layout: a choice is kept only where the layout had a value
                **_KEPT,
                **{"aria-label": "Data set"},
            ),
            dmc.NumberInput(
                id="arena-budget",
                size="xs",
                w=116,
                value=20,
                min=1,
                max=MOST_EVALUATIONS,
                prefix="budget ",
                **_KEPT,
                **{"aria-label": "Budget: evaluations each"},
            ),
            dmc.NumberInput(
                id="arena-seed", size="xs", w=92, value=0, min=0, prefix="seed ", **_KEPT, **{"aria-label": "Seed"}
            ),
            dmc.Button("New game", id="btn-arena-new", size="compact-sm", **press("arena", "new")),
            html.Div(id="arena-state", className="support arena-state", role="status"),
            dmc.Switch(id="arena-reveal", label="teacher: show the opponents", size="xs", ml="auto", **_KEPT),
            dmc.Button(
                "End and reveal",
                id="btn-arena-end",
                size="compact-sm",
                variant="light",
                color="red",
                disabled=True,
                **press("arena", "end"),
            ),
        ],
        gap="xs",
        className="rules",
    )


def _bricks() -> html.Section:
    buttons = [
        dmc.Button(
            label,
            id=f"btn-arena-{how}",
            size="compact-sm",
            variant="filled" if how == "bricks" else "light",
            fullWidth=True,
            disabled=True,
            **press("arena", "pick", how),
        )
        for how, label in MOVES.items()
    ]
    return html.Section(
        [
            html.H2("Choose"),
            html.Div(id="arena-bricks"),
            html.Div(buttons, id="arena-moves", className="moves"),
            html.P(id="arena-told", className="told", role="status"),
        ],
        className="panel choose",
    )


def _race() -> html.Section:
    return html.Section(
        [
            html.P(RULES, id="arena-verdict", className="verdict", **{"aria-live": "polite"}),
            html.Div(
                dcc.Graph(figure=BLANK, id="arena-race", config=_GRAPH, responsive=True, className="fill-graph"),
                className="map",
            ),
            html.Div(id="arena-scoreboard"),
        ],
        className="panel race",
    )


def _cell() -> html.Section:
    return html.Section(
        [
            html.H2("These bricks"),
            html.Div(
                dcc.Graph(figure=BLANK, id="arena-cell", config=_GRAPH, responsive=True, className="fill-graph"),
                className="arena-cell",
            ),
            html.P(id="arena-known", className="support"),
            html.H2("Evaluated, best first"),
            html.Div(id="arena-evaluated", className="evaluated"),
        ],
        className="panel seen",
    )
