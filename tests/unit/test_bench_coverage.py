"""Intervals hold what they say: by simulation, for few and many networks, with skew, ties, copies and seeds.

Here 200 sets in short; the same with 1,000 sets of every size is long, and prints coverage and width.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from nas_core import bench
from tests.populations import KINDS, other_outcomes, true_correlations

CORRELATIONS = ("tau", "rho", "tau_top_half")
OUTCOMES = ("pick", "regret_at_1", "regret", "ndcg")


def held(kind: str, n: int, sets: int) -> dict[str, tuple[float, float]]:
    """By statistic the share of sets whose interval holds it, and its mean width.

    Of tau and rho it is the value over very many networks, of picks, regrets and nDCG the mean over other sets; under
    `name of one set` stands how often the outcome of a single other set is held.
    """
    true, others = true_correlations(kind), other_outcomes(kind, n, 400)
    rng = np.random.default_rng(1)
    inside, widths = defaultdict(list), defaultdict(list)
    for _ in range(sets):
        made = KINDS[kind](rng, n)
        found = bench.rank_statistics(made.score, made.truth, networks=made.networks)
        for name in (*CORRELATIONS, *OUTCOMES):
            one = getattr(found, name)
            widths[name].append(one.high - one.low)
            aims = [true[name]] if name in true else [others[name].mean(), *others[name]]
            within = (one.low - 1e-9 <= np.array(aims)) & (np.array(aims) <= one.high + 1e-9)
            inside[name].append((within[0], within[1:].mean() if len(aims) > 1 else 1.0))
    shares = {name: np.mean(inside[name], axis=0) for name in inside}
    found = {name: (float(share[0]), float(np.mean(widths[name]))) for name, share in shares.items()}
    return found | {f"{name} of one set": (float(shares[name][1]), found[name][1]) for name in OUTCOMES}


def check(found: dict[str, tuple[float, float]], top_half: float = 0.9) -> None:
    for name in ("tau", "rho"):
        assert 0.90 <= found[name][0] <= 0.99, (name, found[name])
    assert found["tau_top_half"][0] >= top_half, found["tau_top_half"]
    for name in OUTCOMES:
        assert found[name][0] >= 0.90, (name, found[name])
    for name in OUTCOMES:
        assert found[f"{name} of one set"][0] >= 0.80, (name, found[f"{name} of one set"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [20, 50])
def test_intervals_over_networks_hold_nineteen_times_in_twenty(kind, n):
    check(held(kind, n, 200), top_half=0.88)  # 200 sets leave a share uncertain by .04


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [20, 50, 200, 600])
def test_intervals_over_networks_hold_whatever_the_size(kind, n):
    found = held(kind, n, 1000 if n <= 200 else 400)
    print(f"\n{kind}, {n} networks: " + ", ".join(f"{k} {c:.3f} (width {w:.3f})" for k, (c, w) in found.items()))
    check(found)


def clustered(n: int, sets: int) -> tuple[float, float, float]:
    """How often tau over architectures is held by intervals over networks, and by those that take rows for networks;
    and the width of the former."""
    true = true_correlations("copies", "architectures")["tau"]
    rng = np.random.default_rng(2)
    inside, blind, widths = [], [], []
    for _ in range(sets):
        made = KINDS["copies"](rng, n)
        one = bench.rank_statistics(made.score, made.truth, networks=made.networks, count="architectures", bootstrap=1)
        other = bench.rank_statistics(made.score, made.truth, bootstrap=1)
        inside.append(one.tau.low <= true <= one.tau.high)
        blind.append(other.tau.low <= true <= other.tau.high)
        widths.append(one.tau.high - one.tau.low)
    return float(np.mean(inside)), float(np.mean(blind)), float(np.mean(widths))


def test_intervals_over_rows_of_copies_hold_because_networks_are_what_is_drawn():
    inside, blind, _ = clustered(100, 200)
    assert 0.90 <= inside <= 0.99
    assert blind < 0.85


@pytest.mark.long
@pytest.mark.parametrize("n", [20, 50, 200, 600])
def test_intervals_over_rows_of_copies_hold_whatever_the_size(n):
    inside, blind, width = clustered(n, 1000)
    print(f"\n{n} networks with copies: tau over rows {inside:.3f} (width {width:.3f}); rows for networks {blind:.3f}")
    assert 0.90 <= inside <= 0.99


def seeded(rng: np.random.Generator, n: int, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores (seeds, n) and a truth (n,): a seed has a quality of its own, as batches are common to all networks."""
    truth = rng.normal(size=n)
    noise = 0.8 * np.exp(0.4 * rng.normal(size=(seeds, 1)))
    return truth + noise * rng.normal(size=(seeds, n)), truth


@pytest.mark.parametrize("seeds", [2, *(pytest.param(k, marks=pytest.mark.long) for k in (3, 5))])
def test_intervals_hold_what_other_seeds_would_give(seeds):
    rng = np.random.default_rng(3)
    aim = np.mean(
        [
            bench.rank_statistics(scores.mean(axis=0), truth, bootstrap=0).tau.value
            for scores, truth in (seeded(rng, 3000, seeds) for _ in range(300))
        ]
    )
    with_seeds, without = [], []
    for _ in range(300):
        scores, truth = seeded(rng, 400, seeds)
        for by_seed, into in ((scores, with_seeds), ((), without)):
            found = bench.rank_statistics(scores.mean(axis=0), truth, by_seed=by_seed, bootstrap=1).tau
            into.append(found.low <= aim <= found.high)
    assert np.mean(with_seeds) >= 0.90
    assert np.mean(without) < 0.85


def test_the_mean_over_seeds_is_held_nineteen_times_in_twenty():
    rng = np.random.default_rng(4)
    found = [bench.mean_over_seeds(rng.exponential(size=5) - 1) for _ in range(400)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.88  # five skewed numbers
    found = [bench.mean_over_seeds(rng.normal(size=4)) for _ in range(400)]
    assert 0.92 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.98
    assert np.isnan(bench.mean_over_seeds([1.0]).low)


def test_what_one_draw_gives_is_held_nineteen_times_in_twenty():
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(300):
        middle = rng.normal()
        drawn = middle + 0.3 * rng.normal(size=20)
        draws = [bench.Estimate(value, value - 0.8, value + 0.8) for value in drawn + 0.4 * rng.normal()]
        found = bench.one_of_many(draws)
        inside.append(found.low <= middle + 0.3 * rng.normal() <= found.high)
    assert np.mean(inside) >= 0.92


@pytest.mark.parametrize("gain", [0.0, 0.5])
def test_the_gain_of_a_steered_run_over_its_twin_is_held(gain):
    def run(shift: float) -> np.ndarray:
        return shift + rng.normal(size=120)

    rng = np.random.default_rng(6)
    found = [bench.compare_twins(run(gain), run(0.0), bootstrap=300, seed=k).difference for k in range(300)]
    assert np.mean([one.low <= gain <= one.high for one in found]) >= 0.90


@pytest.mark.parametrize(("n", "draw"), [(40, "normal"), (80, "tied"), (300, "skewed")])
def test_the_difference_of_two_scores_is_held(n, draw):
    def make(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        made = KINDS[draw](rng, count)
        return made.score, made.score + np.std(made.score) * rng.normal(size=count), made.truth

    rng = np.random.default_rng(7)
    aim = bench.tau_difference(*make(20_000)).value
    found = [bench.tau_difference(*make(n)) for _ in range(300)]
    assert 0.90 <= np.mean([one.low <= aim <= one.high for one in found]) <= 0.99
