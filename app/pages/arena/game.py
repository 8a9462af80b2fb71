"""A game of the arena, and its referee. The game lives in the browser and holds nothing hidden; the referee knows the
truth and gives away what was evaluated, and everything once the game is over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from app.labels import lower_is_better
from app.truth import options
from nas_core import bench, proxies, spaces
from nas_core.bench import Arena, Course
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import Architecture, SearchSpace
from nas_core.store import Store

MOST_EVALUATIONS = 200
DEFAULT_DATA_SET = f"{bench.PUBLISHED}/cifar10"
"""Of the default space, as `Referee.data_sets` writes it."""
YOU = "you"
WAYS = {"bricks": "by hand", "random": "random", "mutate": "mutated", "score": "assisted"}
"""How an evaluated architecture was chosen."""
_PLACES = ("first", "second", "third", "last")
_LEVEL = 1e-9


class Refusal(ValueError):
    """A move that cannot be made; the message says why, for people."""


@dataclass(frozen=True)
class Game:
    """What the browser keeps: the rules, and the moves made so far.

    `table` and `data_set` name a table of results and one of its columns; `scores` are pairs
    of a score and its settings that join the closed forms in the aggregate; `picks` pairs of an architecture and one
    of `WAYS`.
    """

    space: str
    table: str
    data_set: str
    budget: int
    seed: int
    scores: tuple[tuple[str, str], ...] = ()
    picks: tuple[tuple[str, str], ...] = ()
    over: bool = False

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Game | None:
        """Read what `to_dict` wrote; None where there is no game, or one of another version."""
        try:
            told = dict(data or {})
            told["table"] = told["table"] or bench.PUBLISHED  # games of before had no name for it
            pairs = {name: tuple((str(a), str(b)) for a, b in told[name]) for name in ("scores", "picks")}
            return cls(**{**told, **pairs})
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def full(self) -> bool:
        """Whether the budget is spent."""
        return len(self.picks) >= self.budget

    @property
    def assisted(self) -> list[bool]:
        """Which evaluations the score suggested (n,)."""
        return [how == "score" for _, how in self.picks]


class Referee:
    """Knows the results of every space, and plays the opponents. Safe to use from many request threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._arena = lru_cache(maxsize=4)(_arena)
        self._ranking = lru_cache(maxsize=16)(self._ranked)
        self._courses = lru_cache(maxsize=16)(self._played)
        self._blocks = lru_cache(maxsize=4)(Arena.blocks)

    @staticmethod
    def grounds() -> list[str]:
        """Spaces with known results."""
        return [name for name in bench.spaces_with_truth() if _known(name) and bench.choices(name)]

    @staticmethod
    def data_sets(space: str) -> dict[str, str]:
        """Label by value of what can be played on a space; a value is `table/column`."""
        return {option["value"]: option["label"] for option in options(space)}

    def open(self, space: str, field: str, budget: Any, seed: Any, *, before: Game | None = None) -> Game:
        """A new game, in the place of the one `before`.

        Raises:
            Refusal: rules that make no game, or evaluations that would be lost.
        """
        if before is not None and before.picks and not before.over:
            raise Refusal("A game is on its way: press End and reveal first, or play on.")
        if not isinstance(budget, int) or not 1 <= budget <= MOST_EVALUATIONS:
            raise Refusal(f"Budget {budget!r}: expected a whole number from 1 to {MOST_EVALUATIONS}.")
        if not isinstance(seed, int) or seed < 0:
            raise Refusal(f"Seed {seed!r}: expected a whole number from 0 up.")
        if field not in self.data_sets(space):
            raise Refusal("Choose what the architectures are trained on.")
        table, column = field.split("/", 1)
        game = Game(space, table, column, min(budget, len(self._arena(space, table, column).archs)), seed)
        return replace(game, scores=self._cached_scores(game))

    def next_round(self, game: Game) -> Game:
        """Another game by the same rules, with the next seed: other opponents, another beginning.

        Raises:
            Refusal: the game is not over.
        """
        return self.open(game.space, f"{game.table}/{game.data_set}", game.budget, game.seed + 1, before=game)

    def read(self, held: Any) -> Game | None:
        """The game that a browser holds; None where there is none, or none that can still be played."""
        game = Game.from_dict(held)
        try:
            if game is None or f"{game.table}/{game.data_set}" not in self.data_sets(game.space):
                return None
            self.course(game)
        except (ValueError, TypeError):
            return None
        return game

    def arena(self, game: Game) -> Arena:
        """The ground the game is played on."""
        return self._arena(game.space, game.table, game.data_set)

    def course(self, game: Game) -> Course:
        """What the player evaluated."""
        ground = self.arena(game)
        return ground.course(YOU, [ground.space.parse(text) for text, _ in game.picks[: game.budget]])

    def opponents(self, game: Game) -> list[Course]:
        """What the machine searchers found in as many evaluations as the player made."""
        courses = self._courses(game.space, game.table, game.data_set, game.seed, game.scores, game.budget)
        return [course.first(len(game.picks)) for course in courses]

    def blocks(self, game: Game) -> pd.DataFrame:
        """What was true of the blocks, see `Arena.blocks`: for the end."""
        return self._blocks(self.arena(game))

    def first_draft(self, game: Game) -> Architecture:
        """Something to lay the bricks of a new game to."""
        drawn = self.arena(game).drawn(game.seed, ())
        assert drawn is not None, "an arena has at least one architecture"
        return drawn

    def move(self, game: Game, how: str, draft: Sequence[int] | None = None) -> Game:
        """The game after one more evaluation, chosen in one of `WAYS`; by bricks it is the `draft`.

        Raises:
            Refusal: the game is over, the architecture was evaluated before or has no result, or there is none left.
        """
        if game.over or game.full:
            raise Refusal("The game is over; start a new one.")
        ground, seen = self.arena(game), self.course(game).archs
        arch: Architecture | None
        if how == "bricks":
            arch = _checked(ground, draft, seen)
        elif how == "mutate":
            if not seen:
                raise Refusal("There is nothing to mutate yet: evaluate one first.")
            arch = ground.mutated(seen[int(np.argmax(self.course(game).values))], game.seed, seen)
        elif how == "score":
            ranking = self._ranking(game.space, game.table, game.data_set, game.seed, game.scores)
            arch = ground.suggested(ranking, seen)
        else:
            arch = ground.drawn(game.seed, seen)
        if arch is None:
            raise Refusal("Nothing of that kind is left; choose another way.")
        picks = (*game.picks, (ground.space.format(arch), how))
        return replace(game, picks=picks, over=len(picks) >= game.budget)

    def column(self, game: Game) -> bench.Column:
        """What the game is played for."""
        return bench.resolved(game.space, f"{game.table}/{game.data_set}")[1]

    def result(self, game: Game, value: float) -> str:
        """A value of the arena, where higher is better, as it was recorded."""
        return self.said(game, self.column(game).sign * value)

    def said(self, game: Game, value: float) -> str:
        """A result or a difference of results with the digits that tell them apart: two decimals of a percentage."""
        spread = float(np.ptp(self.arena(game).values))
        return f"{value:.{max(3 - math.floor(math.log10(max(spread, 1e-6))), 0)}f}"

    def verdict(self, game: Game) -> str:
        """What came of a game that is over, in one sentence."""
        ground, mine = self.arena(game), self.course(game)
        best = float(ground.values[ground.best])
        regrets = {course.name: float(ground.regret(course)[-1]) for course in [mine, *self.opponents(game)]}
        n, lacking, reached = len(mine.values), regrets.pop(YOU), float(mine.values.max())
        about = self.column(game)
        unit = f" {about.unit}" if about.unit else ""
        points = " points" if about.unit == "%" else unit
        short = {name: f"fell {self.said(game, regret)}{points} short" for name, regret in regrets.items()}
        short |= {name: "found the best" for name, regret in regrets.items() if regret <= _LEVEL}
        chance, assisted = ground.chance_of_random(reached, n), sum(game.assisted)
        best_of_mine = f"{self.result(game, reached)}{unit}"
        text = f"You came {_place(lacking, regrets)}: after {_counted(n)} your best, {best_of_mine}, is "
        text += f"{self.said(game, lacking)}{points} short of " if lacking > _LEVEL else ""
        text += "the best there is" + (f", {self.result(game, best)}{unit}" if lacking > _LEVEL else "")
        text += f"; {', '.join(f'{name} {outcome}' for name, outcome in short.items())}"
        text += f"; {_draws(n)} at least as well with a chance of {chance:.0%}"
        return text + (f"; the score suggested {assisted} of your {n}." if assisted else ".")

    def _cached_scores(self, game: Game) -> tuple[tuple[str, str], ...]:
        """Scores that the store holds for every network of the space, each with its settings."""
        least = self.arena(game).networks
        found = []
        for name in proxies.names():
            held = self._store.settings(game.space, name).items()
            whole = [key for key, count in held if count >= least and ScoreSettings.from_key(key) is not None]
            found += [(name, key) for key in whole[:1]]
        return tuple(found)

    def _ranked(
        self, space: str, table: str, data_set: str, seed: int, scores: tuple[tuple[str, str], ...]
    ) -> list[int]:
        ground = self._arena(space, table, data_set)
        if not scores:
            return ground.ranking(seed)
        forms = [ground.space.format(ground.space.canonical(arch)) for arch in ground.archs]
        columns = {}
        for name, key in scores:
            held = self._store.scores(space, name, key)
            columns[name] = [held.get(form, np.nan) for form in forms]
        return ground.ranking(seed, pd.DataFrame(columns), tuple(name for name in columns if name in lower_is_better()))

    def _played(
        self, space: str, table: str, data_set: str, seed: int, scores: tuple[tuple[str, str], ...], budget: int
    ) -> list[Course]:
        ranking = self._ranking(space, table, data_set, seed, scores)
        return self._arena(space, table, data_set).opponents(budget, seed, ranking)


def _known(space: str) -> bool:
    """Whether the space is there: what a table was imported for may have been another distribution's."""
    try:
        return bool(spaces.get(space).name)
    except ValueError:
        return False


def _arena(space: str, table: str, data_set: str) -> Arena:
    return Arena(spaces.get(space), bench.higher_is_better_values(space, f"{table}/{data_set}"))


def _checked(ground: Arena, draft: Sequence[int] | None, seen: Sequence[Architecture]) -> Architecture:
    arch = valid_draft(ground.space, draft)
    if arch is None:
        raise Refusal("These bricks make no architecture of the space.")
    if arch in seen:
        raise Refusal("You evaluated this one before: change a brick.")
    if np.isnan(ground.value(arch)):
        raise Refusal("No result is known for these bricks; it costs nothing, choose others.")
    return arch


def valid_draft(space: SearchSpace, draft: Sequence[int] | None) -> Architecture | None:
    """The bricks as an architecture; None where they are none."""
    arch = tuple(int(choice) for choice in draft or ())
    fits = len(arch) == len(space.decisions) and all(
        0 <= choice < len(decision.choices) for choice, decision in zip(arch, space.decisions, strict=True)
    )
    return arch if fits and space.valid(arch) else None


def _place(mine: float, others: Mapping[str, float]) -> str:
    better = sum(other < mine - _LEVEL for other in others.values())
    level = [name for name, other in others.items() if abs(other - mine) <= _LEVEL]
    return f"{_PLACES[better]} of four" + (f", level with {' and '.join(level)}" if level else "")


def _counted(n: int) -> str:
    return "one evaluation" if n == 1 else f"{n} evaluations"


def _draws(n: int) -> str:
    return "one random draw does" if n == 1 else f"{n} random draws do"
