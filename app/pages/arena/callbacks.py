"""What the Arena does. Before the end only what the player evaluated leaves the server, and the regret of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update, set_props

from app import headline as frame_headline
from app.cell import cell_graph
from app.cockpit import Cockpit
from app.labels import score_label
from app.pages.arena import figures, headline, panels
from app.pages.arena.game import Game, Referee, Refusal, valid_draft
from app.pages.arena.layout import MOVES, RULES
from app.presses import answer_in_turn
from nas_core.bench import Course
from nas_core.spaces import Architecture

_END = "The bricks lie as the best there is."


def choices(referee: Referee, space: str | None, held: str | None) -> tuple[Any, Any]:
    """Data sets with results on the space that is chosen."""
    if not space:
        return no_update, no_update
    found = referee.data_sets(space)
    offered = [{"value": value, "label": label} for value, label in found.items()]
    return offered, no_update if held in found else next(iter(found))


def play(
    referee: Referee,
    told: dict[str, Any] | None,
    held: Any,
    draft: Any,
    space: str,
    field: str,
    budget: Any,
    seed: Any,
) -> tuple[Any, Any, Any, Any]:
    """The game and its bricks after a press.

    Presses come one at a time, see `assets/acts.js`: each builds on the bricks that the one before has laid.
    """
    if not told:
        return (no_update,) * 4
    answered, words, game = told["at"], told["words"], referee.read(held)
    try:
        if words[1] == "new":
            game = referee.open(space, field, budget, seed, before=game)
            hint = "Lay the bricks, or let chance choose."
            return game.to_dict(), list(referee.first_draft(game)), hint, answered
        if game is None:
            return no_update, no_update, "Press New game first.", answered
        if words[1] == "next":
            if not game.over:
                return no_update, no_update, "This round is still on.", answered
            game = referee.next_round(game)
            set_props("arena-seed", {"value": game.seed})
            return game.to_dict(), list(referee.first_draft(game)), "The next round: new opponents.", answered
        if words[1] == "pick":
            game = referee.move(game, words[2], draft)
            said = _answer(referee, game, referee.course(game))
            return game.to_dict(), _bricks_after(referee, game), said, answered
        if words[1] == "end":
            game = replace(game, over=bool(game.picks))
            return game.to_dict(), _bricks_after(referee, game), _END if game.over else "", answered
    except Refusal as refusal:
        return no_update, no_update, str(refusal), answered
    return no_update, _laid(referee, game, draft, words[1:]), "", answered


def build(referee: Referee, held: Any, draft: Any, before: Any) -> tuple[Any, Any]:
    """The bricks, anew only when there are others or more is known of them: none is replaced under the focus."""
    game = referee.read(held)
    now = [game.space, game.table, game.data_set, game.over] if game else []
    if now == before:
        return no_update, no_update
    if game is None:
        return html.P("Press New game: then choose one operation for every edge.", className="support"), now
    return panels.bricks(referee, game, _laying(referee, game, draft)), now


def cell(referee: Referee, held: Any, draft: Any, theme: str) -> tuple[Any, Any]:
    """The cell that the bricks make, and what the player may know of it."""
    game = referee.read(held)
    if game is None:
        return figures.blank(theme), ""
    space = referee.arena(game).space
    arch = valid_draft(space, _laying(referee, game, draft))
    graph = cell_graph(space.graph(arch), theme) if arch else figures.blank(theme)
    return graph, _known(referee, game, arch)


def race(referee: Referee, held: Any, reveal: bool | None, theme: str) -> tuple[Any, ...]:
    """The race, its table, what was evaluated, the verdict, and which buttons would do nothing."""
    game = referee.read(held)
    if game is None:
        return (figures.nothing(theme), "", "", RULES, "", True, False, *[True] * len(MOVES))
    mine = referee.course(game)
    shown = referee.opponents(game) if game.over or reveal else []
    ground = referee.arena(game)
    curves = [figures.Curve(course.name, ground.regret(course)) for course in [mine, *shown]]
    curves[0] = replace(curves[0], assisted=game.assisted)
    title = f"Regret on {game.space}, {game.data_set}, seed {game.seed}: lower is better"
    title += "; ☆ where each found its best" if shown else ""
    scale = float(np.ptp(ground.values))
    about = referee.column(game)
    unit = f", points of {about.kind}" if about.unit == "%" else f", {about.unit}".removesuffix(", ")
    state = f"{'over after ' if game.over else ''}{len(game.picks)} of {game.budget} evaluated"
    return (
        figures.race(curves, game.budget, scale, unit, theme, title),
        panels.scoreboard(referee, game, mine, shown, theme),
        panels.evaluated(referee, game, mine),
        referee.verdict(game) if game.over else _hint(game),
        state,
        game.over or not game.picks,
        game.over,
        *(game.over or (how == "mutate" and not game.picks) for how in MOVES),
    )


def say(referee: Referee, held: Any) -> tuple[Any, Any, str]:
    """The headline: it is made of the game, which the browser holds."""
    return frame_headline.drawn(headline.headline(referee, referee.read(held)))


def _laid(referee: Referee, game: Game, draft: Any, words: list[str]) -> Any:
    """The bricks after a press on one of them, or on an architecture that the player may see."""
    courses = [referee.course(game), *(referee.opponents(game) if game.over else [])]
    numbers = [int(word) for word in words[1:]]
    if words[0] == "brick":
        laid = _laying(referee, game, draft)
        laid[numbers[0]] = numbers[1]
        return laid
    if words[0] == "use":
        return list(courses[0].archs[numbers[0]])
    if game.over and words[0] == "best":
        ground = referee.arena(game)
        return list(ground.archs[ground.best])
    found = courses[numbers[0]].found if words[0] == "find" and numbers[0] < len(courses) else None
    return no_update if found is None else list(courses[numbers[0]].archs[found])


def _laying(referee: Referee, game: Game, draft: Any) -> list[int]:
    """The bricks as they lie; where a browser holds none for this space, those of the game's beginning."""
    decisions = referee.arena(game).space.decisions
    fits = isinstance(draft, list) and len(draft) == len(decisions)
    return list(draft) if fits else list(referee.first_draft(game))


def _bricks_after(referee: Referee, game: Game) -> list[int]:
    """How the bricks lie after an evaluation: as it was, and at the end as the best there is."""
    ground = referee.arena(game)
    return list(ground.archs[ground.best] if game.over else referee.course(game).archs[-1])


def _answer(referee: Referee, game: Game, course: Course) -> str:
    """What the player is told of the last evaluation."""
    value, n = float(course.values[-1]), len(course.values)
    text = f"Evaluation {n}: {referee.result(game, value)}, "
    gain = value - float(course.values[:-1].max()) if n > 1 else 0.0
    if n == 1:
        text += f"regret {referee.said(game, float(referee.arena(game).regret(course)[-1]))}."
    elif gain > 0:
        text += f"your new best by {referee.said(game, gain)}!"
    else:
        text += f"{referee.said(game, -gain)} below your best." if gain else "as good as your best."
    return f"{text} {_END}" if game.over else text


def _hint(game: Game) -> str:
    joined = ", ".join(score_label(name) for name, _ in game.scores)
    more = f" and, of scores known for the whole space, those of {joined} that agree" if joined else ""
    return (
        f"Against random search, evolution (population 10) and the aggregate (log-rank sum of closed forms{more}; "
        "it sees no label). A suggestion of the score counts as assisted."
    )


def _known(referee: Referee, game: Game, arch: Architecture | None) -> str:
    """What the player may know of the bricks as they lie."""
    if arch is None:
        return "These bricks make no architecture of the space."
    ground, course = referee.arena(game), referee.course(game)
    if game.over:
        value = ground.value(arch)
        lacking = float(ground.values[ground.best]) - value
        if not np.isfinite(value):
            return "no result known"
        return f"truly {referee.result(game, value)}, {referee.said(game, lacking)} short of the best there is"
    if arch in course.archs:
        return f"evaluated: {referee.result(game, float(course.values[course.archs.index(arch)]))}"
    return "not evaluated yet"


def register(app: Dash, cockpit: Cockpit) -> None:
    """Bind what is above."""
    referee = Referee(cockpit.store)
    held = Input("arena-game", "data")
    app.callback(
        Output("arena-data", "data"),
        Output("arena-data", "value"),
        Input("arena-space", "value"),
        State("arena-data", "value"),
    )(partial(choices, referee))
    app.callback(
        Output("arena-game", "data"),
        Output("arena-draft", "data"),
        Output("arena-told", "children"),
        Output("arena-answered", "data"),
        Input("arena-act", "data"),
        State("arena-game", "data"),
        State("arena-draft", "data"),
        State("arena-space", "value"),
        State("arena-data", "value"),
        State("arena-budget", "value"),
        State("arena-seed", "value"),
        prevent_initial_call=True,
    )(partial(play, referee))
    answer_in_turn(app, "arena", "arena-bricks", "arena-answered")
    app.callback(*frame_headline.outputs(), held, prevent_initial_call="initial_duplicate")(partial(say, referee))
    app.callback(
        Output("arena-bricks", "children"),
        Output("arena-built", "data"),
        held,
        State("arena-draft", "data"),
        State("arena-built", "data"),
    )(partial(build, referee))
    app.clientside_callback(
        ClientsideFunction("arena", "lay"),
        Output("arena-laid", "data"),
        Input("arena-draft", "data"),
        Input("arena-bricks", "children"),
    )
    app.callback(
        Output("arena-cell", "figure"),
        Output("arena-known", "children"),
        held,
        Input("arena-draft", "data"),
        Input("theme", "data"),
    )(partial(cell, referee))
    app.callback(
        Output("arena-race", "figure"),
        Output("arena-scoreboard", "children"),
        Output("arena-evaluated", "children"),
        Output("arena-verdict", "children"),
        Output("arena-state", "children"),
        Output("btn-arena-end", "disabled"),
        Output("arena-moves", "hidden"),
        *(Output(f"btn-arena-{how}", "disabled") for how in MOVES),
        held,
        Input("arena-reveal", "checked"),
        Input("theme", "data"),
    )(partial(race, referee))
