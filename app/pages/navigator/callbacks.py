"""What the Navigator does: see `space_map`, `views`, `loop`, `acts`, `candidate` and `pareto`."""

from __future__ import annotations

from dash import Dash

from app.cockpit import Cockpit
from app.pages.navigator import acts, candidate, loop, loss, pareto, space_map, views
from app.pages.navigator.scene import Scenes


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""
    scenes = Scenes()
    space_map.register(app, cockpit)
    views.register(app, cockpit, scenes)
    loop.register(app, cockpit, scenes)
    acts.register(app, cockpit)
    candidate.register(app, cockpit)
    pareto.register(app, cockpit)
    loss.register(app, cockpit)
