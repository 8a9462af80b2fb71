"""What the Navigator does: see `space_map`, `views` and `acts`."""

from __future__ import annotations

from dash import Dash

from app.cockpit import Cockpit
from app.pages.navigator import acts, space_map, views


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""
    space_map.register(app, cockpit)
    views.register(app, cockpit)
    acts.register(app, cockpit)
