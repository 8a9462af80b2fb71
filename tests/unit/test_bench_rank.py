"""Rank statistics against brute force, and what they do with NaN, ties and too few pairs."""

from __future__ import annotations

from dataclasses import astuple
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata, spearmanr

from nas_core.bench import BOUNDS, distinct, partial_correlation, random_best, rank_statistics
from tests.populations import KINDS

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 12, size=40).astype(float)
SCORE = TRUTH + RNG.integers(-6, 7, size=40)


def _tau_b(x: np.ndarray, y: np.ndarray) -> float:
    signs = np.array([(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i, j in combinations(range(len(x)), 2)])
    untied = (signs != 0).sum(axis=0)
    return float((signs[:, 0] * signs[:, 1]).sum() / np.sqrt(untied[0] * untied[1]))


def test_tau_and_rho_equal_brute_force_with_ties():
    found = rank_statistics(SCORE, TRUTH, bootstrap=0)
    top = np.median(TRUTH) <= TRUTH
    assert found.tau.value == pytest.approx(_tau_b(SCORE, TRUTH))
    assert found.tau_top_half.value == pytest.approx(_tau_b(SCORE[top], TRUTH[top]))
    assert found.rho.value == pytest.approx(spearmanr(SCORE, TRUTH).statistic)


def test_regret_and_ndcg_on_a_case_worked_by_hand():
    found = rank_statistics([4, 3, 2, 1], [2.0, 0.0, 4.0, 1.0], bootstrap=0, top_k=2)
    assert (found.pick.value, found.regret_at_1.value, found.regret.value) == (2.0, 2.0, 2.0)
    discounts = [1 / np.log2(k) for k in (2, 3, 4, 5)]
    gains = [2 ** (10 * share) - 1 for share in (5 / 8, 1 / 8, 7 / 8, 3 / 8)]  # (rank - 1/2) / 4 of the truth
    assert found.ndcg.value == pytest.approx(np.dot(gains, discounts) / np.dot(sorted(gains)[::-1], discounts))


@pytest.mark.parametrize("top_k", [1, 2, 3, 5])
def test_ties_are_broken_in_every_way_that_there_is(top_k):
    score, truth = np.array([2.0, 1, 1, 1, 2, 0]), np.array([1.0, 7, 3, 3, 2, 9])
    orders = [np.array(order) for order in permutations(range(6)) if (np.diff(score[list(order)]) <= 0).all()]
    worth = 2 ** (10 * (rankdata(truth) - 0.5) / 6) - 1
    discounts = 1 / np.log2(np.arange(2, 8))
    found = rank_statistics(score, truth, bootstrap=0, top_k=top_k)
    assert found.regret.value == pytest.approx(np.mean([9 - truth[order[:top_k]].max() for order in orders]))
    assert found.pick.value == pytest.approx(np.mean([truth[order[0]] for order in orders]))
    ideal = np.sort(worth)[::-1] @ discounts
    assert found.ndcg.value == pytest.approx(np.mean([worth[order] @ discounts for order in orders]) / ideal)


@pytest.mark.parametrize("score", [SCORE, np.ones(40)], ids=["ties", "constant"])
def test_the_order_of_rows_changes_nothing(score):
    order = np.random.default_rng(0).permutation(40)
    networks = np.arange(40) // 2
    for same in (None, networks):
        one = rank_statistics(score, TRUTH, networks=same)
        other = rank_statistics(score[order], TRUTH[order], networks=None if same is None else same[order])
        for name in BOUNDS:  # means over copies may differ in the last bit
            np.testing.assert_allclose(astuple(getattr(one, name)), astuple(getattr(other, name)), rtol=1e-12)


def test_a_constant_score_picks_as_chance_does():
    truth = np.arange(40.0)
    found = rank_statistics(np.ones(40), truth, bootstrap=0, top_k=3)
    assert found.regret.value == pytest.approx(random_best(truth, draws=3, regret=0).regret)
    assert found.pick.value == pytest.approx(truth.mean())
    assert np.isnan(found.tau.value)


def test_a_perfect_score_has_no_regret_and_a_reversed_one_ranks_backwards():
    truth = np.arange(30.0)
    perfect, backwards = rank_statistics(truth, truth), rank_statistics(-truth, truth)
    assert (perfect.tau.value, perfect.regret.value, perfect.ndcg.value) == (1, 0, 1)
    assert (backwards.tau.value, backwards.regret.value) == (-1, 20)
    assert perfect.tau.high == 1 and 0.9 < perfect.tau.low < 1  # thirty networks prove no perfection


def test_no_regret_is_other_than_zero_by_rounding():
    truth = np.full(30, 91.3) / 3 + np.repeat([0.0, 0.1], 15)
    for seed in range(20):
        score = np.random.default_rng(seed).integers(3, size=30)
        found = rank_statistics(score, truth, bootstrap=20)
        for one in (found.regret_at_1, found.regret):
            assert min(one.value, one.low) >= 0
            assert one.value == 0 or one.value > 1e-9


def test_ndcg_tells_scores_apart_that_find_the_best_from_those_that_do_not():
    rng = np.random.default_rng(1)
    truth = 90 + rng.normal(size=3000)
    lots, some, good = (truth * part + rng.normal(size=3000) for part in (0, 1, 3))
    values = [rank_statistics(score, truth, bootstrap=0).ndcg.value for score in (lots, some, good, truth)]
    assert values[0] == pytest.approx(0.15, abs=0.03)
    assert values[1] > values[0] + 0.3 and values[2] > values[1] + 0.1 and values[3] == 1


def test_intervals_hold_the_value_and_repeat_with_the_seed():
    found = rank_statistics(SCORE, TRUTH, bootstrap=100, seed=1)
    for name in BOUNDS:
        one = getattr(found, name)
        assert one.low <= one.value <= one.high and one.low < one.high
        assert BOUNDS[name][0] <= one.low and one.high <= BOUNDS[name][1]
    assert found == rank_statistics(SCORE, TRUTH, bootstrap=100, seed=1)
    assert found != rank_statistics(SCORE, TRUTH, bootstrap=100, seed=2)


def test_without_resamples_no_interval_is_claimed():
    found = rank_statistics(SCORE, TRUTH, bootstrap=0)
    assert all(np.isnan([getattr(found, name).low, getattr(found, name).high]).all() for name in BOUNDS)


def test_isomorphic_copies_are_one_observation_with_their_mean_truth():
    networks = np.repeat(np.arange(40), np.arange(40) % 5 + 1)
    noise = np.random.default_rng(2).normal(scale=1e-3, size=len(networks))
    found = rank_statistics(SCORE[networks], TRUTH[networks] + noise, networks=[f"net {k}" for k in networks])
    means = [TRUTH[k] + noise[networks == k].mean() for k in range(40)]
    alone = rank_statistics(SCORE, means)
    assert (found.n, found.rows, alone.rows) == (40, len(networks), 40)
    for name in BOUNDS:
        np.testing.assert_allclose(astuple(getattr(found, name)), astuple(getattr(alone, name)), atol=1e-9)


def test_a_mean_over_copies_breaks_no_tie_by_rounding():
    values = np.array([0.1] * 3 + [0.1] * 7 + [0.3, 0.2])
    networks = [0] * 3 + [1] * 7 + [2, 3]
    (means,) = distinct(networks, values)
    assert means[0] == means[1]


def test_architectures_can_count_as_publications_count_them_with_intervals_of_networks():
    made = KINDS["copies"](np.random.default_rng(3), 300)
    found = rank_statistics(made.score, made.truth, networks=made.networks, count="architectures")
    assert found.tau.value == pytest.approx(kendalltau(made.score, made.truth).statistic)
    assert found.rho.value == pytest.approx(spearmanr(made.score, made.truth).statistic)
    blind = rank_statistics(made.score, made.truth)  # takes every row for another network
    assert found.tau.high - found.tau.low > 1.5 * (blind.tau.high - blind.tau.low)
    assert found.n == 300 and found.rows == len(made.score)


def test_pairs_with_nan_are_dropped_and_counted():
    score, truth = SCORE.copy(), TRUTH.copy()
    score[0], truth[1] = np.nan, np.nan
    found = rank_statistics(score, truth, bootstrap=0)
    assert (found.n, found.dropped) == (38, 2)
    assert found.tau.value == pytest.approx(_tau_b(SCORE[2:], TRUTH[2:]))


@pytest.mark.parametrize(
    ("score", "truth", "reason"),
    [
        ([1, 2], [1, 2], "2 pairs"),
        ([np.nan] * 5, [1, 2, 3, 4, 5], "0 pairs"),
        ([1, 2, 3], [1, 2, 3, 4], "one length"),
    ],
)
def test_too_little_to_rank_is_refused(score, truth, reason):
    with pytest.raises(ValueError, match=reason):
        rank_statistics(score, truth)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"networks": [0, 0, 1, 1]}, "2 distinct networks with score and truth, without NaN; expected at least 3"),
        ({"networks": [0, 1]}, "expected a network for every row"),
        ({"count": "cells"}, "count is 'cells'; expected one of: networks, architectures"),
        ({"top_k": 0}, "top_k is 0; expected at least 1"),
    ],
)
def test_bad_options_are_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        rank_statistics([1, 2, 3, 4], [1, 2, 3, 4], **options)


def test_partial_correlation_vanishes_where_the_control_explains_both():
    size = RNG.normal(size=2000)
    score, truth = size + RNG.normal(size=2000), size + RNG.normal(size=2000)
    assert spearmanr(score, truth).statistic > 0.4
    assert abs(partial_correlation(score, truth, [size])) < 0.1


def test_partial_correlation_equals_the_recursion_for_one_control():
    a, b, c = RNG.normal(size=(3, 50))
    ab, ac, bc = (spearmanr(*pair).statistic for pair in ((a, b), (a, c), (b, c)))
    expected = (ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2))
    assert partial_correlation(a, b, [c]) == pytest.approx(expected)


@pytest.mark.parametrize("n", [3, 50, 64, 65, 200, 201, 1500])
def test_tau_is_that_of_the_library_with_ties_and_infinities(n):
    rng = np.random.default_rng(n)
    score, truth = rng.integers(n // 2 + 1, size=n).astype(float), rng.integers(n, size=n).astype(float)
    score[0] = -np.inf
    found = rank_statistics(score, truth, bootstrap=0)
    assert found.tau.value == pytest.approx(kendalltau(score, truth).statistic, abs=1e-9, nan_ok=True)
    top = truth >= np.median(truth)
    expected = kendalltau(score[top], truth[top]).statistic
    assert found.tau_top_half.value == pytest.approx(expected, abs=1e-9, nan_ok=True)
