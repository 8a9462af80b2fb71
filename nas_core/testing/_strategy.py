"""The contract of a strategy, checked by short searches on small spaces with made-up values."""

from __future__ import annotations

import inspect
import json
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nas_core import search, spaces
from nas_core.search import Ask, Result, Strategy
from nas_core.spaces import Act, Region, SearchSpace, Steering, SteeringConflict
from nas_core.testing._contract import ContractError, Report, check_all, refuses, require

SPACE, CONSTRAINED = "transnas_micro", "nb101"
"""Where strategies are checked: a space with networks that are written in several ways, and one with constraints."""

_BATCH, _ROUNDS = 8, 16
_CUTS = (2, 9, 14)
"""Rounds after which a search is resumed: early, and once strategies that breed have parents."""
_SECONDS = 300
_ASKS_A_NETWORK = 100
"""Asks for each architecture of a tiny space after which a search is taken to be endless."""
_HOPELESS = (-1e300, -1e299)
"""A range that no metric is in."""

Factory = Callable[[SearchSpace, int, dict[str, Any] | None], Strategy]


def check_strategy(strategy: str | Factory, *, space: str | SearchSpace | None = None) -> Report:
    """Check that `strategy` (a registered name, or what is called with space, seed and state) keeps its contract.

    It searches `space`; where none is given, two of ours, one of them with constraints. Values are made up: some are
    undefined, some evaluations fail, some have a standard error. The report says how large the state becomes.

    Raises:
        ContractError: what is broken, in one line.
        ValueError: no strategy or space of that name.
    """
    if isinstance(strategy, str):
        search.get(strategy, spaces.get(SPACE))
        make: Factory = partial(search.get, strategy)
        subject = f"strategy {strategy}"
    else:
        make, subject = strategy, f"strategy {getattr(strategy, '__name__', type(strategy).__name__)}"
    if space is not None:
        known = spaces.get(space) if isinstance(space, str) else space
        return check_all(subject, _Searched(make, known), _PROMISES)
    return check_all(subject, _Searched(make, spaces.get(SPACE)), (*_PROMISES, _in_time(_obeys_constraints)))


@dataclass(frozen=True)
class _Searched:
    """A strategy under check and the space that it searches."""

    make: Factory
    space: SearchSpace


@dataclass
class _Search:
    """A search on its way: what was asked and told, and the log of acts."""

    strategy: Strategy
    space: SearchSpace
    asked: list[Ask] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    log: list[Act] = field(default_factory=list)

    def ask(self, n: int) -> list[Ask]:
        """Put the strategy's acts in force and ask; every ask is checked by itself and against those before it."""
        self.log += _checked_acts(self.strategy, self.space, self.log)
        steering = Steering.fold(self.space, self.log)
        asked = self.strategy.ask(n, steering)
        require(isinstance(asked, list) and len(asked) <= n, f"ask({n}) gives {asked!r}", f"a list of at most {n} asks")
        for each in asked:
            _check_ask(each, self.space, steering)
            require(each not in self.asked, f"{each} is asked twice", "no repeats of arch, fidelity, seed and budget")
            self.asked.append(each)
        return asked

    def tell(self, asked: Sequence[Ask]) -> list[Result]:
        """Tell made-up results."""
        first = len(self.results)
        results = [_result(each, first + number, self.space) for number, each in enumerate(asked)]
        self.strategy.tell(results)
        self.results += results
        return results

    def round(self, n: int = _BATCH) -> list[Ask]:
        """Ask and tell."""
        asked = self.ask(n)
        self.tell(asked)
        return asked

    def resumed(self, make: Factory) -> _Search:
        """The same search in another process: the strategy made anew from its state, which went through JSON."""
        state = json.loads(_json(self.strategy))
        return _Search(make(self.space, 0, state), self.space, list(self.asked), list(self.results), list(self.log))


def _begun(searched: _Searched, seed: int = 0) -> _Search:
    return _Search(searched.make(searched.space, seed, None), searched.space)


def _json(strategy: Strategy) -> str:
    state = strategy.state()
    require(isinstance(state, dict), f"state is a {type(state).__name__}", "a dict")
    try:
        return json.dumps(state, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ContractError(f"state cannot be written as JSON: {error}; expected JSON without NaN") from error


def _check_ask(each: Any, space: SearchSpace, steering: Steering) -> None:
    require(isinstance(each, Ask), f"ask gives a {type(each).__name__}", "nas_core.search.Ask")
    arch = each.arch
    as_ints = isinstance(arch, tuple) and all(type(choice) is int for choice in arch)
    require(as_ints, f"an ask has the architecture {arch!r}", "a tuple of int")
    require(space.valid(arch), f"{arch} is asked in {space.name}", "a valid architecture")
    under = "; ".join(act.describe() for act in steering.acts)
    require(steering.allows(arch), f"{arch} is asked under: {under}", "an architecture that obeys")
    require(
        isinstance(each.fidelity, str), f"an ask has the fidelity {each.fidelity!r}", "the name of a rung, or empty"
    )
    require(type(each.seed) is int and each.seed >= 0, f"an ask has the seed {each.seed!r}", "an int from 0 up")
    budget = each.budget
    allowed = budget is None or (isinstance(budget, int | float) and math.isfinite(budget) and budget > 0)
    require(allowed, f"an ask has the budget {budget!r}", "a number of epochs above 0, or None")


def _checked_acts(strategy: Strategy, space: SearchSpace, log: Sequence[Act]) -> list[Act]:
    acts = strategy.acts()
    as_acts = isinstance(acts, list) and all(isinstance(act, Act) for act in acts)
    require(as_acts, f"acts gives {acts!r}", "a list of nas_core.spaces.Act")
    require(strategy.acts() == acts, "acts gives other acts when called again", "the same until the next ask or tell")
    for act in acts:
        require(Act.from_dict(json.loads(json.dumps(act.to_dict()))) == act, f"{act} changes in JSON", "plain values")
    try:
        Steering.fold(space, [*log, *acts])
    except SteeringConflict as error:
        proposed = "; ".join(act.describe() for act in acts)
        raise ContractError(
            f"acts proposes {proposed}: {error}; expected acts that hold with those in force"
        ) from error
    return acts


def _result(ask: Ask, number: int, space: SearchSpace) -> Result:
    """A made-up result, by the position of its ask: some fail, some are undefined, some have a standard error."""
    costs = (float(sum(ask.arch)),)
    if number % 11 == 5:
        return Result(ask, costs=costs, failed="made to fail by check_strategy")
    value = math.nan if number % 7 == 3 else float(sum(c * (d + 1) for d, c in enumerate(ask.arch))) + ask.seed % 3
    return Result(ask, {"score": value}, value, 0.25 if number % 2 else None, costs)


def _is_made(searched: _Searched) -> None:
    """It is made of space, seed and state; further options are keyword-only and have defaults."""
    strategy = searched.make(searched.space, 0, None)
    for method in ("ask", "tell", "acts", "state"):
        require(callable(getattr(strategy, method, None)), f"it has no method {method}", "ask, tell, acts and state")
    if inspect.isclass(type(strategy)) and type(strategy).__init__ is not object.__init__:
        parameters = list(inspect.signature(type(strategy)).parameters.values())
        for extra in parameters[3:]:
            kinds = (extra.KEYWORD_ONLY, extra.VAR_KEYWORD)
            require(extra.kind in kinds, f"option {extra.name} may be given by position", "keyword-only options")


def _asks(searched: _Searched) -> str:
    """Asks are valid, obey the steering of their moment, and none is made twice."""
    going = _begun(searched)
    require(going.ask(0) == [], "ask(0) asks for something", "an empty list")
    first = going.round()
    require(first, f"nothing is asked in {searched.space.name}", "at least one ask")
    for _ in range(_ROUNDS // 2):
        going.round()
    position = next((d for d, decision in enumerate(searched.space.decisions) if len(decision.choices) > 1), 0)
    decision = searched.space.decisions[position]
    pin = Act("pin", decision.name, (decision.choices[first[0].arch[position]],))
    going.log.append(pin)
    for _ in range(3):
        going.round()
    going.log.append(Act("undo", target=len(going.log) - 1 - going.log[::-1].index(pin)))
    for _ in range(3):
        going.round()
    fresh, waiting = going.ask(3), going.ask(3)  # a second ask before anything is told
    going.tell([*fresh, *waiting])
    return f"{len(going.asked)} asks checked"


def _equal_seeds(searched: _Searched) -> None:
    """Equal seeds give equal asks."""
    one, other = _begun(searched, 5), _begun(searched, 5)
    for number in range(_ROUNDS):
        asked, again = one.round(), other.round()
        require(asked == again, f"round {number} asks {_first_difference(asked, again)} for equal seeds", "equal asks")


def _resumes(searched: _Searched) -> str:
    """A search resumed from its state goes on exactly as one that was never stopped."""
    size = 0.0
    for cut in _CUTS:
        for told in (True, False):
            going = _begun(searched)
            for _ in range(cut):
                going.round()
            pending = [] if told else going.ask(_BATCH)
            resumed = going.resumed(searched.make)
            where = f"resumed after round {cut}, {'all results told' if told else 'a round not told yet'}"
            require(resumed.strategy.acts() == going.strategy.acts(), f"{where}, it proposes other acts", "the same")
            for each in (going, resumed) if pending else ():
                each.tell(pending)
            for _ in range(3):
                asked, again = going.round(), resumed.round()
                require(asked == again, f"{where}, it asks {_first_difference(asked, again)}", "the same asks")
            size = len(_json(going.strategy).encode()) / max(len(going.asked), 1)
    return f"state: {size:.0f} bytes an ask after {len(going.asked)} asks"


def _bears_bad_results(searched: _Searched) -> None:
    """Searches go on when everything is undefined or fails, and when results are told again."""
    for bad in ({"value": math.nan}, {"failed": "made to fail by check_strategy"}):
        going = _begun(searched)
        for _ in range(_ROUNDS):
            asked = going.ask(_BATCH)
            going.strategy.tell([Result(each, costs=(1.0,), **bad) for each in asked])  # type: ignore[arg-type]
        require(going.ask(_BATCH) is not None, "nothing is asked after bad results", "a list")
        going.resumed(searched.make).ask(_BATCH)
    going = _begun(searched)
    for _ in range(_ROUNDS // 2):
        going.round()
    going.strategy.tell([_result(each, number + 1, searched.space) for number, each in enumerate(going.asked)])
    going.round()
    going.resumed(searched.make).round()


def _ends(searched: _Searched) -> None:
    """A tiny space is exhausted without hanging, and nothing is asked where nothing obeys."""
    going = _begun(searched)
    going.log = [Act("pin", d.name, d.choices[:2]) for d in searched.space.decisions[:4]]
    going.log += [Act("pin", d.name, d.choices[:1]) for d in searched.space.decisions[4:]]
    try:
        left = searched.space.count(Steering.fold(searched.space, going.log)).value
    except SteeringConflict:
        return  # constraints of the space forbid such a corner
    while going.round():
        enough = len(going.asked) <= _ASKS_A_NETWORK * left
        require(enough, f"{len(going.asked)} asks among {left} architectures, and no end", "no repeats, then no ask")
    require(going.ask(_BATCH) == [], "something is asked after nothing was left", "an empty list")
    if searched.space.metric_names:
        hopeless = Region(ranges=((searched.space.metric_names[0], *_HOPELESS),))
        steering = Steering.fold(searched.space, [Act("focus", region=hopeless)])
        asked = searched.make(searched.space, 0, None).ask(_BATCH, steering)
        require(asked == [], f"{len(asked)} asks where no architecture obeys the steering", "an empty list")


def _obeys_constraints(searched: _Searched) -> str | None:
    """In a space with constraints asks are valid; a space that it cannot search is refused by ValueError."""
    space = spaces.get(CONSTRAINED)
    try:
        going = _begun(_Searched(searched.make, space))
    except ValueError as error:
        refusal = error
        refuses(lambda: _raise(refusal), space.name)
        return f"refuses {space.name}: {refusal}"
    for _ in range(_ROUNDS):
        going.round()
    return None


def _raise(error: Exception) -> None:
    raise error


def _first_difference(asked: Sequence[Ask], again: Sequence[Ask]) -> str:
    one, other = next(
        ((a, b) for a, b in zip(asked, again, strict=False) if a != b), (f"{len(asked)} times", f"{len(again)} times")
    )
    return f"{one} and {other}"


def _in_time(promise: Callable[[_Searched], str | None]) -> Callable[[_Searched], str | None]:
    """The check of a promise, which is broken when it takes longer than `_SECONDS`."""

    def limited(searched: _Searched) -> str | None:
        outcome: list[Any] = []

        def carry_out() -> None:
            try:
                outcome.append(promise(searched))
            except BaseException as error:  # raised again by the caller
                outcome.append(error)

        thread = threading.Thread(target=carry_out, daemon=True)
        thread.start()
        thread.join(_SECONDS)
        require(outcome, f"no end after {_SECONDS} seconds", "a search on a small space that answers at once")
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return outcome[0]

    limited.__doc__ = promise.__doc__
    return limited


_PROMISES = tuple(map(_in_time, (_is_made, _asks, _equal_seeds, _resumes, _bears_bad_results, _ends)))
