"""The film of watched networks: their layers at every snapshot, sent once, and what shows them one after another.

The browser moves from frame to frame (`assets/films.js`); where it rests, the page is drawn as of that step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from app.pages.layers import aligned
from app.pages.layers.watched import Watched, WatchedNetworks, steps_of


def stores() -> list[dcc.Store]:
    """What the film needs: its frames, and the step at which it rests; None while it shows the last snapshot."""
    return [dcc.Store(id="layers-film"), dcc.Store(id="layers-moment")]


def row() -> html.Div:
    """Play, the scrubber, the step shown, and the way back to the last one."""
    return html.Div(
        [
            html.Button("Play", id="btn-film", type="button", className="plain small", **{"data-local": "yes"}),
            dmc.Slider(
                id="layers-frame",
                min=0,
                max=1,
                value=1,
                size="xs",
                updatemode="drag",
                thumbLabel="Snapshot of the training",
                className="film-slider",
            ),
            html.Span(id="layers-frame-text", className="support film-text", role="status"),
        ],
        id="layers-film-row",
        className="film",
        hidden=True,
    )


def frames(
    networks: WatchedNetworks,
    _changed: Any,
    chosen: list[str] | None,
    score: str | None,
    statistic: str | None,
) -> Any:
    """The frames of the networks chosen; None where there is no film: fewer than two snapshots."""
    shown = with_layers(networks.of(chosen), score)
    if not shown or not score or not statistic:
        return None
    steps = steps_of(shown, score)
    if len(steps) < 2:
        return None
    return {
        "key": key(score, statistic, shown),
        "steps": steps,
        "traces": [colours(network, score, statistic, steps) for network in shown],
        "logarithmic": statistic in aligned.LOGARITHMIC,
    }


def with_layers(networks: list[Watched], score: str | None) -> list[Watched]:
    """Those of them that have layers of a score."""
    return [network for network in networks if score in network.scores]


def colours(network: Watched, score: str, statistic: str, steps: Sequence[int | None]) -> list[list[float | None]]:
    """The scaled values of a statistic of a network's layers at each of `steps`; None is the last."""
    seen: dict[int, list[float | None]] = {}
    found = []
    for step in steps:
        snapshot = network.at(score, step)
        if snapshot is None:
            continue
        if snapshot.number not in seen:
            seen[snapshot.number] = aligned.scaled(network.column(score, statistic, snapshot), statistic)
        found.append(seen[snapshot.number])
    return found


def key(score: str, statistic: str, shown: list[Watched]) -> str:
    """What stands for a figure that frames fit: the same score, statistic and networks, in order."""
    return "/".join([score, statistic, *(network.row.id for network in shown)])


def register(app: Dash, networks: WatchedNetworks) -> None:
    """Bind the film. No callback leads from the frame to what draws: that follows the step at which the film rests."""
    app.callback(
        Output("layers-film", "data"),
        Input("watched", "data"),
        Input("layers-watched", "value"),
        Input("layers-score", "value"),
        Input("statistic", "value"),
    )(partial(frames, networks))
    app.clientside_callback(
        ClientsideFunction("films", "known"),
        Output("layers-film-row", "hidden"),
        Output("layers-frame", "max"),
        Output("layers-frame", "value"),
        Input("layers-film", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("films", "moved"),
        Output("layers-frame-text", "children"),
        Input("layers-frame", "value"),
        Input("layers-film", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("films", "play"),
        Output("btn-film", "children"),
        Input("btn-film", "n_clicks"),
        prevent_initial_call=True,
    )
