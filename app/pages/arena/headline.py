"""The answer of the Arena in a sentence: who won, how far from the best there is, and who was beaten.

Before the end it tells of the player alone, as everything that leaves the server does.
"""

from __future__ import annotations

from app.page import Headline
from app.pages.arena.game import YOU, Game, Referee

_LEVEL = 1e-9
_WHY = (
    "Everyone makes the same number of evaluations on a space where every result is known; whoever's best falls least "
    "short of the best there is wins. One game of one seed: no interval. Play more rounds to tell skill from luck."
)


def headline(referee: Referee, game: Game | None) -> Headline:
    """What stands above the Arena."""
    if game is None:
        return Headline(
            "No game yet", "you and three machine searchers get the same budget", "New game", ("arena", "new")
        )
    if not game.over:
        return _under_way(referee, game)
    return _over(referee, game)


def _under_way(referee: Referee, game: Game) -> Headline:
    done = f"{len(game.picks)} of {game.budget} evaluations"
    if not game.picks:
        return Headline("Too early", f"{done} made; lay the bricks and evaluate them, or let chance choose")
    mine = referee.course(game)
    best = f"your best is {_result(referee, game, float(mine.values.max()))}, "
    return Headline(
        "Too early", f"{done} made; {best}{_short(referee, game, float(referee.arena(game).regret(mine)[-1]))}"
    )


def _over(referee: Referee, game: Game) -> Headline:
    ground, mine = referee.arena(game), referee.course(game)
    courses = {course.name: course for course in (mine, *referee.opponents(game))}
    regrets = {name: float(ground.regret(course)[-1]) for name, course in courses.items()}
    winner = min(regrets, key=lambda name: (regrets[name] > min(regrets.values()) + _LEVEL, name != YOU))
    value = _result(referee, game, float(courses[winner].values.max()))
    level = [name for name, regret in regrets.items() if name != winner and abs(regret - regrets[winner]) <= _LEVEL]
    who = "You win" if winner == YOU else f"{_upper(winner)} wins"
    finding = f"{who} with {value}, {_short(referee, game, regrets[winner])}"
    finding += f", level with {_listed(level)}" if level else ""
    return Headline(finding, _standing(referee, game, regrets), "Next round", ("arena", "next"), _WHY)


def _standing(referee: Referee, game: Game, regrets: dict[str, float]) -> str:
    """Which machines the player beat, and which beat the player."""
    own = regrets[YOU]
    beaten = [name for name, regret in regrets.items() if name != YOU and regret > own + _LEVEL]
    ahead = [name for name, regret in regrets.items() if name != YOU and regret < own - _LEVEL]
    parts = [f"you beat {len(beaten)} of {len(regrets) - 1} machines" + (f" ({_listed(beaten)})" if beaten else "")]
    if ahead:
        mine = _result(referee, game, float(referee.course(game).values.max()))
        parts.append(f"your {mine} is behind {_listed(ahead)}")
    n = len(game.picks)
    parts.append(f"after {n} evaluation{'s' if n != 1 else ''} each, seed {game.seed}")
    return "; ".join(parts)


def _result(referee: Referee, game: Game, value: float) -> str:
    unit = referee.column(game).unit
    return referee.result(game, value) + (f" {unit}" if unit else "")


def _short(referee: Referee, game: Game, regret: float) -> str:
    if regret <= _LEVEL:
        return "the best there is"
    unit = {"%": "points"}.get(referee.column(game).unit, referee.column(game).unit)
    return f"{referee.said(game, regret)} {unit} short of the best".replace("  ", " ")


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
