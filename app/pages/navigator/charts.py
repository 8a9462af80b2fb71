"""Charts of the slot beside the block chart. A chart is one function here; its name appears in the slot by itself."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go

from app.act_words import words
from app.cockpit import Cockpit, View
from app.labels import ranking_label
from app.pages.navigator import figures
from app.pages.navigator.scene import Scene
from app.pages.navigator.trust import trust, trust_chart
from app.truth import Truth

Chart = Callable[[Cockpit, View, str, Truth | None], go.Figure]
"""Cockpit, the run at one moment, the theme, and the known results that were chosen, to a figure. Called at every
pulse: it must be quick."""

CHARTS: dict[str, Chart] = {}
"""Charts by the name that the slot shows, in the order of its list."""


def chart(name: str) -> Callable[[Chart], Chart]:
    """Register a chart under `name`."""

    def add(drawn: Chart) -> Chart:
        CHARTS[name] = drawn
        return drawn

    return add


@chart("Best so far")
def best_so_far(_cockpit: Cockpit, view: View, theme: str, _truth: Truth | None) -> go.Figure:
    """Best value of the ranking score after each candidate, the acts in force as flags."""
    flags = [(int(view.acts[k].body.get("scored", 0)), words(act)) for k, act in view.in_force()]
    return figures.best_so_far(view.ranked, flags, ranking_label(view.rank_by), theme)


@chart("Trust")
def trust_in_the_score(_cockpit: Cockpit, view: View, theme: str, truth: Truth | None) -> go.Figure:
    """Agreement of the ranking score with the truth, over all, in the top half and in the chosen region."""
    inside, label = (view.inside, view.label) if isinstance(view, Scene) else (None, "")
    return trust_chart(trust(view, truth, inside, label), theme)
