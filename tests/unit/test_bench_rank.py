"""Rank statistics against brute force, and what they do with NaN, ties and too few pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from nas_core.bench import partial_correlation, rank_statistics

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
    discounts = [1 / np.log2(k) for k in (2, 3, 4, 5)]
    assert found.regret.value == 2.0
    assert found.ndcg.value == pytest.approx(
        np.dot([0.5, 0, 1, 0.25], discounts) / np.dot([1, 0.5, 0.25, 0], discounts)
    )


def test_a_perfect_score_has_no_regret_and_a_reversed_one_ranks_backwards():
    truth = np.arange(30.0)
    perfect, backwards = rank_statistics(truth, truth), rank_statistics(-truth, truth)
    assert (perfect.tau.value, perfect.regret.value, perfect.ndcg.value) == (1, 0, 1)
    assert (backwards.tau.value, backwards.regret.value) == (-1, 20)


def test_intervals_hold_the_value_and_repeat_with_the_seed():
    found = rank_statistics(SCORE, TRUTH, bootstrap=100, seed=1)
    assert found.tau.low < found.tau.value < found.tau.high
    assert found == rank_statistics(SCORE, TRUTH, bootstrap=100, seed=1)
    assert found != rank_statistics(SCORE, TRUTH, bootstrap=100, seed=2)


def test_without_resamples_no_interval_is_claimed():
    found = rank_statistics(SCORE, TRUTH, bootstrap=0)
    assert np.isnan([found.tau.low, found.tau.high]).all()


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


@pytest.mark.parametrize("n", [3, 50, 200, 201])
def test_tau_of_a_few_is_that_of_the_library_with_ties_and_infinities(n):
    rng = np.random.default_rng(n)
    score, truth = rng.integers(n // 2 + 1, size=n).astype(float), rng.integers(n, size=n).astype(float)
    score[0] = -np.inf
    found = rank_statistics(score, truth, bootstrap=0)
    assert found.tau.value == pytest.approx(kendalltau(score, truth).statistic, abs=1e-9, nan_ok=True)
    top = truth >= np.median(truth)
    expected = kendalltau(score[top], truth[top]).statistic
    assert found.tau_top_half.value == pytest.approx(expected, abs=1e-9, nan_ok=True)
