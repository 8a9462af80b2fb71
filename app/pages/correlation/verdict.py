"""Four checks of a score, and the verdict that follows: what to use it for, and what not. Nothing is drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.cockpit import Cockpit, View
from app.labels import score_label
from app.laboratory import LEAST, estimates, one_a_network
from app.truth import Truth, trained_truth
from nas_core import bench
from nas_core.bench import Estimate
from nas_core.ladder import AGGREGATE, TRAINED
from nas_core.ranks import tau_b

TOP = 10
"""Networks that are kept by a score and trained, in the check of its top."""
COUNTS = ("live_params", "params", "sum_log_layer_size")
"""What counting alone gives: a score that ranks no better has found nothing that a count would not."""
_STRONG = 1 / 3
"""Tau from which a ranking is of use: two of three pairs in the right order."""
_NEGLIGIBLE = 0.05
"""Tau below which a difference does not matter: where an interval ends below it, there is said to be none."""
_LUCK, _EVEN = 0.05, 0.5
"""Chances of blind draws to do as well below which a top is no luck, and above which it is worth nothing."""

_MOST = 600
"""Networks that every other score is compared over: as a run goes on, all of them are compared again and again."""

YES, NEARLY, HARDLY, NO, UNCLEAR, NONE = "yes", "nearly", "hardly", "no", "unclear", "none"


@dataclass(frozen=True)
class Counting:
    """The count that ranks best: its name, its tau, and the tau of the score less it."""

    name: str
    tau: float
    difference: Estimate


@dataclass(frozen=True)
class Verdict:
    """How a score does over `n` networks with known results; `better` is tau over the truly better half of them.

    `regret` is how far the best of its `TOP` falls short of the best there is, `first` how far the one that it likes
    most does, `blind` what as many random draws as `TOP` do; all in units of the truth.
    """

    n: int
    tau: Estimate
    better: Estimate
    counting: Counting | None
    regret: Estimate
    first: Estimate
    blind: bench.RandomBest

    @property
    def ranks(self) -> str:
        """The mark of the whole ranking."""
        return _ranking_mark(self.tau)

    @property
    def ranks_better_half(self) -> str:
        """The mark of the ranking of the better half; none where it has too few networks."""
        return _ranking_mark(self.better) if self.n >= 2 * LEAST else NONE

    @property
    def beats_counting(self) -> str:
        """The mark of the comparison with counting."""
        if self.counting is None:
            return NONE
        gain = self.counting.difference
        if gain.low > 0:
            return YES
        return UNCLEAR if gain.high > _NEGLIGIBLE else NO

    @property
    def finds_winner(self) -> str:
        """The mark of its top: the best there is, or better than luck; at least better than an even chance; or not."""
        if self.n <= 2 * TOP:
            return NONE
        if self.blind.chance >= _EVEN:
            return NO
        return YES if self.regret.value <= 0 or self.blind.chance <= _LUCK else NEARLY


def _ranking_mark(tau: Estimate) -> str:
    if not tau.low > 0:
        return NO
    return YES if tau.value >= _STRONG else HARDLY


def truth_for(cockpit: Cockpit, view: View, choice: str | None) -> Truth | None:
    """What the scores of a run are held against: a table of results, else its own candidates that were trained."""
    return cockpit.truth(view.run.space, choice) or trained_truth(view.trained)


def judge(
    view: View,
    values: np.ndarray,
    known: np.ndarray,
    chosen: np.ndarray,
    *,
    metric: str,
    by_seed: Sequence[np.ndarray] = (),
) -> Verdict | None:
    """The verdict on `metric`, over the networks of the `chosen` scored candidates; None where too few have a known
    result.

    `values` and `known` are (n,) by candidate, higher is better, and so are the values of single seeds.
    """
    usable = chosen[~np.isnan(values[chosen] + known[chosen])]
    names = [name for name in COUNTS if name in view.table.closed and name != metric]
    columns = [values[usable], known[usable], *(view.oriented(name)[usable] for name in names)]
    columns += [one[usable] for one in by_seed]
    score, truth, *rest = (column.tobytes() for column in bench.distinct(view.networks[usable], *columns))
    if len(score) < LEAST * values.itemsize:
        return None
    return _judged(score, truth, tuple(zip(names, rest, strict=False)), tuple(rest[len(names) :]))


@lru_cache(maxsize=64)
def _judged(values: bytes, known: bytes, counts: tuple[tuple[str, bytes], ...], seeds: tuple[bytes, ...]) -> Verdict:
    score, truth = np.frombuffer(values), np.frombuffer(known)
    found = estimates(score, truth, by_seed=[np.frombuffer(one) for one in seeds])
    columns = {name: np.frombuffer(column) for name, column in counts}
    columns = {name: column for name, column in columns.items() if np.ptp(column) > 0}
    taus = {name: tau_b(column, truth) for name, column in columns.items()}
    counting = None
    if taus:
        best = max(taus, key=lambda name: taus[name])
        counting = Counting(best, taus[best], bench.tau_difference(score, columns[best], truth))
    draws = min(TOP, len(truth))
    blind = bench.random_best(truth, draws=draws, regret=found.regret.value)
    return Verdict(found.n, found.tau, found.tau_top_half, counting, found.regret, found.regret_at_1, blind)


def alternative(view: View, known: np.ndarray, chosen: np.ndarray, *, metric: str) -> str:
    """The score of the run, or the count, that ranks clearly better than `metric`; the aggregate where it does.

    Of several the one with the greatest tau over the better half; empty where none is clearly better.
    """
    values = {name: view.oriented(name) for name in (AGGREGATE, *view.metrics) if name not in (metric, TRAINED)}
    own = view.oriented(metric)
    chosen = one_a_network(view, chosen)
    if len(chosen) > _MOST:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, _MOST, replace=False))
    better: dict[str, float] = {}
    for name, other in values.items():
        usable = chosen[~np.isnan(own[chosen] + other[chosen] + known[chosen])]
        if len(usable) < LEAST or not np.ptp(other[usable]) > 0:
            continue
        gain = _gain(other[usable].tobytes(), own[usable].tobytes(), known[usable].tobytes())
        if gain.low > 0:
            better[name] = estimates(other[usable], known[usable]).tau_top_half.value
    return max(better, key=lambda name: np.nan_to_num(better[name], nan=-2)) if better else ""


@lru_cache(maxsize=256)
def _gain(score: bytes, other: bytes, truth: bytes) -> Estimate:
    return bench.tau_difference(np.frombuffer(score), np.frombuffer(other), np.frombuffer(truth))


def finding(name: str, found: Verdict) -> str:
    """The verdict in a few words: what to use the score `name` for."""
    if found.ranks == NO:
        return f"Do not rank by {name} here"
    if found.ranks_better_half == NONE:
        return f"{name} ranks these networks"
    if found.ranks_better_half == YES:
        if found.finds_winner == NO:
            return f"Use {name} to order networks, and train more than its top {TOP}"
        return f"Use {name} to pick the best"
    if found.ranks == HARDLY:
        return f"{name} is a weak guide: at most use it to drop the worst"
    return f"Use {name} to drop the worst half, not to pick the best"


def evidence(found: Verdict) -> str:
    """The numbers behind the verdict, and how counting does."""
    parts = [f"τ {interval(found.tau)} over all"]
    if found.ranks_better_half != NONE:
        parts.append(f"{interval(found.better)} in the better half")
    text = ", ".join(parts) + f", n = {found.n:,}"
    if found.counting is None:
        return text
    count = f"counting {score_label(found.counting.name)}"
    if found.beats_counting == YES:
        return f"{text}; it beats {count} by {interval(found.counting.difference)}"
    if found.counting.difference.high < 0:
        return f"{text}; {count} does better"
    return f"{text}; {count} {'may do' if found.beats_counting == UNCLEAR else 'does'} as well"


def interval(one: Estimate) -> str:
    """A value with its 95 % interval, where it has one."""
    return f"{number(one.value)}{bounds(one)}"


def bounds(one: Estimate) -> str:
    """The 95 % interval of a value in brackets; empty where there is none."""
    return "" if np.isnan(one.low) else f" [{number(one.low)}, {number(one.high)}]"


def number(value: float) -> str:
    """A correlation to two decimals, with a real minus sign."""
    return f"{value:.2f}".replace("-", "−")
