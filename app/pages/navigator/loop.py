"""The loop of looking and steering: what to do next, how far to trust it, how much of the space was looked at."""

from __future__ import annotations

from functools import partial
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from app.cockpit import Cockpit, View
from app.masks import unpacked
from app.pages.navigator import named_regions, regions, timeline
from app.pages.navigator.coverage import coverage
from app.pages.navigator.scene import Scene, Scenes
from app.pages.navigator.suggestions import Suggestion, suggestions
from app.pages.navigator.trust import trust, verdict
from app.presses import press

STORES = (
    "map-scope",
    "region-pressed",
    "region-answered",
    "moment",
    "map-past",
    "outlined",
    "settled",
    "stretched",
)


def next_panel() -> html.Section:
    """The suggestions."""
    return html.Section([html.H2("What next"), html.Div(id="next")], className="next")


def next_steps(found: list[Suggestion], view: View, *, noise: bool) -> Any:
    """The suggestions; what they are worth where the ranking behind them is `noise`. Those of the past are not done."""
    if not found:
        lack = "Nothing stands out yet: no interval is clear of the others."
        if not len(view.indices):
            lack = "Suggestions come with the first scored candidates."
        return html.P(lack, className="support")
    doubt = "⚠ The ranking behind these is noise, over all or among the best: trust no act that rests on it yet."
    return [
        *([html.P(doubt, className="doubt", role="status")] if noise else []),
        *(_suggested(suggestion, live=_is_live(view)) for suggestion in found),
    ]


def _is_live(view: View) -> bool:
    return not isinstance(view, Scene) or view.moment is None


def _suggested(suggestion: Suggestion, *, live: bool) -> html.Div:
    return html.Div(
        [
            html.Div(
                [
                    html.B(suggestion.name),
                    html.Button(
                        "Do it",
                        disabled=not live,
                        title="" if live else "A suggestion of an earlier moment: press Live for those of now.",
                        **press(*suggestion.press),
                        **{"data-note": _noted(suggestion), "aria-label": f"Do it: {suggestion.name}"},
                    ),
                ],
                className="act",
            ),
            html.Div(suggestion.evidence, className="evidence"),
        ],
        className="suggestion",
    )


def _noted(suggestion: Suggestion) -> str:
    """The evidence as the note of the act: what was measured, without what is predicted."""
    return f"suggested: {suggestion.evidence.partition(';')[0]}"


def _coverage(view: View, scope: dict[str, Any] | None) -> list[Any]:
    found = coverage(view)
    text = f"Scored: {found.sentence()}"
    if view.table.sampled:  # the map's sample holds all that is scored: a share of it would flatter
        left = view.table.space.count(view.steering)
        text = (
            f"Scored: {found.scored:,} networks of {left.value:,} architectures{'' if left.exact else ' (estimated)'}"
        )
    if scope:
        inside = coverage(view, unpacked(scope["mask"], len(view.table.archs)))
        drawn = " drawn" if view.table.sampled else ""
        text += f"; in {scope['label']} {inside.scored:,} of {inside.networks:,}{drawn}"
    explore = html.Button(
        "least explored",
        className="region-action",
        title="Choose the area with the lowest share scored",
        **press("explore"),
    )
    return [explore, html.Span(text, title=text)]


def advise(
    cockpit: Cockpit,
    scenes: Scenes,
    _settled: Any,
    scope: Any,
    choice: str | None,
    lasso: str | None,
    moment: int | None,
    run: str | None,
) -> tuple[Any, ...]:
    """All that is not the answer to an act waits until that is drawn and the hand rests."""
    if not run:
        return (no_update,) * 4
    view = cockpit.view(run)
    entries = cockpit.store.log(run, kind=named_regions.KIND)
    known = named_regions.named_regions(entries)
    seen = scenes.of(view, moment, scope)
    inside = unpacked(scope["mask"], len(view.table.archs)) if scope else None
    found = trust(seen, cockpit.truth(view.run.space, choice), inside, scope["label"] if scope else "")
    then = scenes.of(view, moment, None)
    return (
        regions.bar(view, known, named_regions.deleted_last(entries), scope, lasso),
        next_steps(suggestions(then, known), then, noise=found.noise),
        html.Span(verdict(found), className="noise" if found.noise else "", title=verdict(found)),
        _coverage(seen, scope),
    )


def register(app: Dash, cockpit: Cockpit, scenes: Scenes) -> None:
    """Callbacks of regions, suggestions, coverage, trust and timeline.

    No callback leads from a pulse or the press of an act to `map-scope` or `moment`: all that draws listens to these
    and would wait. So presses of regions have a store of their own.
    """
    app.callback(
        Output("regions", "children"),
        Output("next", "children"),
        Output("trust-verdict", "children"),
        Output("coverage", "children"),
        Input("settled", "data"),
        Input("map-scope", "data"),
        Input("truth", "data"),
        State("region", "data"),
        State("moment", "data"),
        State("run", "data"),
    )(partial(advise, cockpit, scenes))
    regions.register(app, cockpit)
    timeline.register(app, cockpit, scenes)
    app.clientside_callback(ClientsideFunction("bricks", "settle"), Output("settled", "data"), Input("drawn", "data"))
    app.clientside_callback(
        ClientsideFunction("bricks", "outline"),
        Output("outlined", "data"),
        Input("map-scope", "data"),
        Input("bricks", "data"),
    )
