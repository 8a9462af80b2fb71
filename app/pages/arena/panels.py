"""Parts of the Arena that are no charts: bricks, the table of who found what, and what the player evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import html

from app.pages.arena import figures
from app.pages.arena.game import WAYS, YOU, Game, Referee
from app.palette import OPERATION_NAMES, operation_colour
from app.presses import press
from nas_core.bench import OPPONENTS, Course
from nas_core.spaces import Architecture, SearchSpace

_CHIPS = 8
"""Decisions up to which an architecture is written as one chip each."""


def bricks(referee: Referee, game: Game, draft: list[int]) -> list[Any]:
    """One brick an operation; once the game is over, with what was true of it all along."""
    ground = referee.arena(game)
    truths = {(row.decision, row.choice): row for row in referee.blocks(game).itertuples()} if game.over else {}
    rows: list[Any] = []
    for d, decision in enumerate(ground.space.decisions):
        row = []
        for c, choice in enumerate(decision.choices):
            truth = truths.get((d, c))
            children = [_brick(press("arena", "brick", d, c), choice, decision.name, draft[d] == c)]
            children += _truth(referee, game, truth) if truth else []
            style = {"--op": operation_colour(choice), "--fitness": f"{truth.fitness:.0%}" if truth else "0%"}
            row.append(html.Div(children, className="brick laid" if draft[d] == c else "brick", style=style))
        rows.append(html.Div(decision.name, className="decision"))
        rows.append(html.Div(row, className="bricks", role="group", **{"aria-label": decision.name}))
    if game.over:
        text = "Bar and number: true block fitness, the mean rank of all that hold the block. Below: by how much the "
        rows.append(
            html.P(f"{text}best that holds it falls short; ★: the best there is holds it.", className="support")
        )
    return rows


def _brick(told: dict[str, str], choice: str, decision: str, laid: bool) -> html.Button:
    label = {"aria-label": f"{choice} on {decision}", "aria-pressed": str(laid).lower()}
    return html.Button(OPERATION_NAMES.get(choice, choice), className="pin", **told, **label)


def _truth(referee: Referee, game: Game, truth: Any) -> list[Any]:
    """Fitness of a block as a bar and a number, and what the best with it lacks."""
    lacks = "–" if np.isnan(truth.loss) else f"−{referee.said(game, truth.loss)}" if truth.loss else "★"
    return [
        html.Div(html.Div(className="fill"), className="bar"),
        html.Div(f"{truth.fitness:.2f}\n{lacks}", className="support"),
    ]


def scoreboard(referee: Referee, game: Game, mine: Course, shown: list[Course], theme: str) -> html.Table:
    """A row a searcher; opponents that are hidden show only how many they evaluated."""
    ground, n = referee.arena(game), len(game.picks)
    unit = f", {referee.column(game).unit}".removesuffix(", ")
    heads = ["", "evaluated", f"best{unit}", "regret", "found at", "assisted", *["architecture"] * game.over]
    courses = {course.name: course for course in [mine, *shown]}
    rows = []
    for place, name in enumerate((YOU, *OPPONENTS)):
        dash = html.Span(figures.DASHES[place], className="dash", style={"color": figures.SIGNS[theme][place]})
        course = courses.get(name)
        done = n if course is None else len(course.values)
        cells: list[Any] = [html.Th([dash, name], scope="row"), html.Td(f"{done} of {game.budget}")]
        if course is None:
            cells.append(html.Td("hidden until the end", colSpan=4))
        else:
            cells += [html.Td(text) for text in _standing(referee, game, course)]
            if game.over and course.found is not None:
                look = _look(ground.space, course.archs[course.found], name, press("arena", "find", place))
                cells.append(html.Td(look))
        rows.append(html.Tr(cells))
    if game.over:
        best = ground.archs[ground.best]
        value, nothing = referee.result(game, float(ground.values[ground.best])), referee.said(game, 0.0)
        look = _look(ground.space, best, "best there is", press("arena", "best"))
        cells = [html.Td(text) for text in ("–", value, nothing, "–", "–", look)]
        rows.append(html.Tr([html.Th(f"best of {len(ground.archs):,}", scope="row"), *cells]))
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in heads]))
    return html.Table([head, html.Tbody(rows)], className="scoreboard")


def _standing(referee: Referee, game: Game, course: Course) -> list[str]:
    """Best value, regret, where it was found, and how many evaluations were assisted."""
    if course.found is None:
        return ["–"] * 4
    regret = float(referee.arena(game).regret(course)[-1])
    assisted = str(sum(game.assisted)) if course.name == YOU else "–"
    return [
        referee.result(game, float(course.values.max())),
        referee.said(game, regret),
        str(course.found + 1),
        assisted,
    ]


def evaluated(referee: Referee, game: Game, mine: Course) -> list[Any]:
    """What the player evaluated, best first; a press lays the bricks so."""
    space, rows = referee.arena(game).space, []
    for k in np.argsort(-mine.values, kind="stable"):
        value, how = referee.result(game, float(mine.values[k])), WAYS.get(game.picks[k][1], "")
        look = _look(space, mine.archs[k], f"evaluation {k + 1}, {value}", press("arena", "use", int(k)))
        rows.append(
            html.Div([html.Span(f"{k + 1}"), html.B(value), look, html.Span(how, className="how")], className="entry")
        )
    return rows or [html.P("Nothing yet.", className="support")]


def _look(space: SearchSpace, arch: Architecture, what: str, told: dict[str, str]) -> html.Button:
    """An architecture as a button that lays the bricks so."""
    text = space.format(arch)
    chosen = [decision.choices[choice] for decision, choice in zip(space.decisions, arch, strict=True)]
    chips: Any = [
        html.Span(OPERATION_NAMES.get(name, name), className="chip", style={"--op": operation_colour(name)})
        for name in chosen
    ]
    label = {"aria-label": f"lay the bricks like {what}: {', '.join(chosen)}"}
    if len(chips) > _CHIPS:
        return html.Button(text, className="chips notation", title=text, **told, **label)
    return html.Button(chips, className="chips", title=text, **told, **label)
