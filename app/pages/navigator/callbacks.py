"""What the Navigator does: every part of the page registers its own callbacks."""

from __future__ import annotations

from dash import Dash

from app.cockpit import Cockpit
from app.pages.navigator import (
    acts,
    candidate,
    card,
    loop,
    loss,
    map_tools,
    pareto,
    previews,
    rows,
    space_map,
    tradeoff,
    under_pointer,
    views,
)
from app.pages.navigator.scene import Scenes


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""
    scenes = Scenes()
    space_map.register(app, cockpit)
    tradeoff.register(app, cockpit, scenes)
    map_tools.register(app, cockpit)
    under_pointer.register(app, cockpit, scenes)
    views.register(app, cockpit, scenes)
    rows.register(app, cockpit)
    previews.register(app, cockpit)
    loop.register(app, cockpit, scenes)
    acts.register(app, cockpit)
    card.register(app, cockpit, scenes)
    candidate.register(app, cockpit)
    pareto.register(app, cockpit)
    loss.register(app, cockpit)
