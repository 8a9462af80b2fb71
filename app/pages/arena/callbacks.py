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
from app.pages.arena import figures, headline
from app.pages.arena.game import WAYS, YOU, Game, Referee, Refusal, valid_draft
from app.pages.arena.layout import MOVES, RULES
from app.palette import OPERATION_NAMES, operation_colour
from app.presses import answer_in_turn, press
from nas_core.bench import OPPONENTS, Course
from nas_core.spaces import Architecture, SearchSpace

_END = "The bricks lie as the best there is."
_CHIPS = 8
"""Decisions up to which an architecture is written as one chip each."""


def register(app: Dash, cockpit: Cockpit) -> None:
    """Callbacks of the page."""
    referee = Referee(cockpit.store)

    @app.callback(
        Output("arena-data", "data"),
        Output("arena-data", "value"),
        Input("arena-space", "value"),
        State("arena-data", "value"),
    )
    def choices(space: str | None, held: str | None) -> tuple[Any, Any]:
        if not space:
            return no_update, no_update
        found = referee.data_sets(space)
        offered = [{"value": value, "label": label} for value, label in found.items()]
        return offered, no_update if held in found else next(iter(found))

    # Presses come one at a time, see `assets/acts.js`: each builds on the bricks that the one before has laid.
    @app.callback(
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
    )
    def play(
        told: dict[str, Any] | None, held: Any, draft: Any, space: str, field: str, budget: Any, seed: Any
    ) -> tuple[Any, Any, Any, Any]:
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

    answer_in_turn(app, "arena", "arena-bricks", "arena-answered")
    app.callback(*frame_headline.outputs(), Input("arena-game", "data"), prevent_initial_call="initial_duplicate")(
        partial(say, referee)
    )

    @app.callback(
        Output("arena-bricks", "children"),
        Output("arena-built", "data"),
        Input("arena-game", "data"),
        State("arena-draft", "data"),
        State("arena-built", "data"),
    )
    def build(held: Any, draft: Any, before: Any) -> tuple[Any, Any]:
        """The bricks, anew only when there are others or more is known of them: none is replaced under the focus."""
        game = referee.read(held)
        now = [game.space, game.table, game.data_set, game.over] if game else []
        if now == before:
            return no_update, no_update
        if game is None:
            return html.P("Press New game: then choose one operation for every edge.", className="support"), now
        return _bricks(referee, game, _laying(referee, game, draft)), now

    app.clientside_callback(
        ClientsideFunction("arena", "lay"),
        Output("arena-laid", "data"),
        Input("arena-draft", "data"),
        Input("arena-bricks", "children"),
    )

    @app.callback(
        Output("arena-cell", "figure"),
        Output("arena-known", "children"),
        Input("arena-game", "data"),
        Input("arena-draft", "data"),
        Input("theme", "data"),
    )
    def cell(held: Any, draft: Any, theme: str) -> tuple[Any, Any]:
        game = referee.read(held)
        if game is None:
            return figures.blank(theme), ""
        space = referee.arena(game).space
        arch = valid_draft(space, _laying(referee, game, draft))
        graph = cell_graph(space.graph(arch), theme, "Dotted: no live path") if arch else figures.blank(theme)
        return graph, _known(referee, game, arch)

    @app.callback(
        Output("arena-race", "figure"),
        Output("arena-scoreboard", "children"),
        Output("arena-evaluated", "children"),
        Output("arena-verdict", "children"),
        Output("arena-state", "children"),
        Output("btn-arena-end", "disabled"),
        Output("arena-moves", "hidden"),
        *(Output(f"btn-arena-{how}", "disabled") for how in MOVES),
        Input("arena-game", "data"),
        Input("arena-reveal", "checked"),
        Input("theme", "data"),
    )
    def race(held: Any, reveal: bool | None, theme: str) -> tuple[Any, ...]:
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
            _scoreboard(referee, game, mine, shown, theme),
            _evaluated(referee, game, mine),
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


def _bricks(referee: Referee, game: Game, draft: list[int]) -> list[Any]:
    """One brick an operation; once the game is over, with what was true of it all along."""
    ground = referee.arena(game)
    truths = {(row.decision, row.choice): row for row in referee.blocks(game).itertuples()} if game.over else {}
    rows: list[Any] = []
    for d, decision in enumerate(ground.space.decisions):
        bricks = []
        for c, choice in enumerate(decision.choices):
            truth = truths.get((d, c))
            children = [_brick(press("arena", "brick", d, c), choice, decision.name, draft[d] == c)]
            children += _truth(referee, game, truth) if truth else []
            style = {"--op": operation_colour(choice), "--fitness": f"{truth.fitness:.0%}" if truth else "0%"}
            bricks.append(html.Div(children, className="brick laid" if draft[d] == c else "brick", style=style))
        rows.append(html.Div(decision.name, className="decision"))
        rows.append(html.Div(bricks, className="bricks", role="group", **{"aria-label": decision.name}))
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


def _scoreboard(referee: Referee, game: Game, mine: Course, shown: list[Course], theme: str) -> html.Table:
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


def _evaluated(referee: Referee, game: Game, mine: Course) -> list[Any]:
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
