"""Question and headline of the page that is open: the answer first, with the press that acts on it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from app import page, selection
from app.cockpit import Cockpit
from app.page import Headline, Shown
from app.presses import press
from nas_core.store import StoreError


def layout(question: str = "") -> html.Div:
    """The question, the answer as far as it is known, and its button."""
    return html.Div(
        [
            html.Div(
                [
                    html.P(question, id="question", className="question"),
                    html.H1(id="headline", className="headline", tabIndex=0),
                    html.P(id="why", className="why", hidden=True, role="status"),
                    html.P(id="address-told", className="address-told", role="status"),
                ],
                className="asked",
            ),
            html.Div(id="headline-acts", className="headline-acts"),
        ],
        className="head",
        **{"aria-live": "polite"},
    )


def words(found: Headline | None) -> list[Any]:
    """The sentence: the finding, then the evidence."""
    if found is None:
        return []
    finding = found.finding + (":" if found.evidence else "")
    said = text(found)
    evidence = [html.Span(f" {found.evidence}", className="evidence", title=said)] if found.evidence else []
    return [html.Span(finding, title=said), *evidence]


def text(found: Headline) -> str:
    """The sentence as text, for reports."""
    return f"{found.finding}: {found.evidence}" if found.evidence else found.finding


def _acts(found: Headline | None, run: str, search: str | None) -> list[Any]:
    if found is None:
        return []
    parts: list[Any] = []
    if found.why:
        parts.append(html.Button("Why?", type="button", className="plain", **{"data-why": "yes", "data-local": "yes"}))
    if found.action and found.press:
        parts.append(
            html.Button(
                found.action, type="button", className="filled-button", **press(*found.press), **{"data-run": run}
            )
        )
    elif found.action and found.href:
        parts.append(
            dcc.Link(
                found.action, href=selection.path_of(found.href) + selection.carried(search), className="filled-button"
            )
        )
    return parts


def outputs() -> list[Output]:
    """What a page writes that makes its own headline, see `app.page.own_headline`; `drawn` gives the values."""
    return [Output(place, "children", allow_duplicate=True) for place in ("headline", "headline-acts", "why")]


def drawn(found: Headline | None, run: str | None = None, search: str | None = None) -> tuple[Any, Any, str]:
    """A headline as its places show it: the sentence, its buttons, and how it was computed."""
    return words(found), _acts(found, run or "", search), found.why if found else ""


_NONE_OPEN = Headline(
    "No run is open",
    "choose one in the bar above, or look at all of them",
    action="All runs",
    href="/runs",
    why="The address names a run that is not in this store: it was deleted, or the link is from another store.",
)


def register(app: Dash, cockpit: Cockpit) -> None:
    """Write the headline anew when the run, its scores, the truth or the page change."""
    app.callback(
        Output("headline", "children"),
        Output("headline-acts", "children"),
        Output("why", "children"),
        Input("pulse", "data"),
        Input("url", "pathname"),
        Input("truth", "data"),
        Input("arch", "data"),
        State("run", "data"),
        State("url", "search"),
    )(partial(answer, cockpit))


def answer(
    cockpit: Cockpit,
    pulse: dict[str, Any] | None,
    path: str | None,
    truth: str | None,
    arch: str | None,
    run: str | None,
    search: str | None,
) -> tuple[Any, Any, Any]:
    """Sentence, buttons and explanation of the page at `path`; nothing where it has none to say."""
    shown = page.at(selection.below(path))
    if shown is not None and shown.headline is page.own_headline:
        return no_update, no_update, no_update  # it may have been written already
    if shown is not None and shown.about_run and run == selection.NO_RUN:
        return drawn(replace(_NONE_OPEN, action="") if shown.path == _NONE_OPEN.href else _NONE_OPEN, run, search)
    if shown is None or shown.headline is page.no_headline or not run or (pulse or {}).get("error"):
        return [], [], ""
    try:
        view = cockpit.view(run)
        found = shown.headline(Shown(cockpit, view, cockpit.truth(view.run.space, truth), arch))
    except StoreError:
        return no_update, no_update, no_update
    return drawn(found, run, search)
