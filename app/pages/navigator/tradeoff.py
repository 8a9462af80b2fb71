"""The map as a trade-off: what a better score costs, the front that nothing beats, and where more cost buys little."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import dash_mantine_components as dmc
import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from app.cockpit import Cockpit, View
from app.pages.navigator.pareto import Priced, cost_label, known_costs, priced
from app.pages.navigator.scene import Scenes
from app.palette import short

MAP, TRADE_OFF = "map", "trade-off"
"""The views of the space, by their values."""
LEAST_FRONT = 4
"""Networks on a front below which no knee is named."""
_LEAST_BEND = 0.1
"""A front whose knee stands less far above its chord, as a share of its height, is as good as straight."""


@dataclass(frozen=True)
class Knee:
    """Where a front bends: a network, what it costs and scores, and what is left to gain beyond it.

    Args:
        at: its place in the table of the space.
        cost: what it costs.
        most: what the best of the front costs.
        share: of the rise of the front, from its cheapest to its best, what is reached at the knee, 0 to 1.
    """

    at: int
    cost: float
    most: float
    share: float


def knee(points: Priced) -> Knee | None:
    """The network of the front that stands highest above the line from its cheapest to its best; None without a bend.

    Cost and score are measured in shares of the front's own width and height, so that their units do not matter.

    Source: Das, On characterizing the "knee" of the Pareto curve, Structural Optimization 18, 1999.
    """
    order = points.front_order
    costs, values = points.costs[order], points.values[order]
    if len(np.unique(costs)) < LEAST_FRONT or np.ptp(values) == 0:
        return None
    along, up = (costs - costs[0]) / np.ptp(costs), (values - values[0]) / np.ptp(values)
    best = int(np.argmax(up - along))
    if (up - along)[best] < _LEAST_BEND:
        return None
    return Knee(int(points.indices[order[best]]), float(costs[best]), float(costs[-1]), float(up[best]))


def sentence(points: Priced | None) -> str:
    """What the front says, in one sentence, with its size."""
    if points is None:
        return "No cost is known of this run."
    size = int(points.on_front.sum())
    counted = f"{size:,} of {len(points.values):,} scored are on the front of {points.metric} over {points.cost}"
    if not size:
        return "Nothing is scored yet: the front begins with the first candidates."
    found = knee(points)
    if found is None:
        few = len(np.unique(points.costs[points.on_front])) < LEAST_FRONT
        why = "too few to name a knee" if few else "every step of cost buys about as much"
        return f"{counted}: {why}."
    return (
        f"{points.cost} {short(found.cost)} buys {found.share:.0%} of what {points.metric} can gain; "
        f"up to {short(found.most)} adds the other {1 - found.share:.0%}. {counted}."
    )


def axes_of(view: View, shown: str | None, x: str | None, y: str | None, cost: str | None) -> tuple[str, str]:
    """What the map is drawn by: the axes that were chosen, or cost and score as a trade-off."""
    return (cost, view.rank_by) if shown == TRADE_OFF and cost else (str(x), str(y))


def front_line(view: View, cost: str) -> dict[str, Any]:
    """The front as the browser draws it: costs, scores and places of its networks, and the cost of the knee."""
    points = priced(view, cost=cost)
    if points is None:
        return {"x": [], "y": [], "at": [], "knee": None}
    order, found = points.front_order, knee(points)
    return {
        "x": points.costs[order].tolist(),
        "y": points.values[order].tolist(),
        "at": points.indices[order].tolist(),
        "knee": found and found.cost,
    }


def switch() -> dmc.SegmentedControl:
    """The choice between the two views."""
    return dmc.SegmentedControl(
        id="nav-view",
        value=MAP,
        size="xs",
        data=[{"value": MAP, "label": "Map"}, {"value": TRADE_OFF, "label": "Trade-off"}],
        className="view-switch",
        **{"aria-label": "View of the space"},
    )


def cost_choice() -> dmc.Select:
    """The choice of the cost, beside the trade-off alone."""
    return dmc.Select(
        id="map-cost",
        size="xs",
        w=190,
        flex="none",
        leftSection=html.Span("cost", className="support"),
        leftSectionWidth=38,
        allowDeselect=False,
        className="cost-choice",
        **{"aria-label": "Cost of the trade-off"},
    )


def offer(cockpit: Cockpit, run: str | None) -> tuple[Any, Any]:
    """The costs to choose from, and the first of them."""
    if not run:
        return no_update, no_update
    view = cockpit.view(run)
    known = known_costs(view)
    return [{"value": name, "label": cost_label(view, name)} for name in known], known[0] if known else None


def tell(
    cockpit: Cockpit,
    scenes: Scenes,
    _settled: Any,
    shown: str | None,
    cost: str | None,
    moment: int | None,
    run: str | None,
) -> str:
    """What the front says of the moment that is shown; nothing beside the plain map."""
    if shown != TRADE_OFF or not run:
        return ""
    return sentence(priced(scenes.of(cockpit.view(run), moment, None), cost=cost))


def register(app: Dash, cockpit: Cockpit, scenes: Scenes) -> None:
    """Callbacks of the choice of view and cost; what is drawn is in `space_map`."""
    app.callback(Output("map-cost", "data"), Output("map-cost", "value"), Input("run", "data"))(partial(offer, cockpit))
    app.callback(
        Output("view-sentence", "children"),
        Input("settled", "data"),
        Input("nav-view", "value"),
        Input("map-cost", "value"),
        Input("moment", "data"),
        State("run", "data"),
    )(partial(tell, cockpit, scenes))
    app.clientside_callback(ClientsideFunction("map_tools", "view"), Input("nav-view", "value"))
