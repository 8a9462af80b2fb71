"""What differences of rankings are worth: intervals that hold what they say, and draws counted exactly."""

from __future__ import annotations

from dataclasses import astuple
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau

from nas_core.bench import random_best, tau_difference


def noisy(rng, truth, noise):
    return truth + rng.normal(scale=noise, size=len(truth))


def test_the_difference_is_that_of_the_two_taus():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=60)
    one, other = noisy(rng, truth, 0.5), np.round(noisy(rng, truth, 1.0))
    found = tau_difference(one, other, truth)
    assert found.value == pytest.approx(kendalltau(one, truth).statistic - kendalltau(other, truth).statistic)
    assert found.low < found.value < found.high
    assert tau_difference(other, one, truth).value == pytest.approx(-found.value)
    with_gap = tau_difference(np.append(one, np.nan), np.append(other, 1.0), np.append(truth, 9.0))
    assert with_gap == found


def test_equal_rankings_differ_by_nothing():
    truth = np.random.default_rng(1).normal(size=50)
    found = tau_difference(truth**3, truth, truth)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_the_interval_holds_the_true_difference_nineteen_times_in_twenty():
    rng = np.random.default_rng(2)
    many = rng.normal(size=200_000)
    exact = kendalltau(noisy(rng, many, 0.7), many).statistic - kendalltau(noisy(rng, many, 1.2), many).statistic
    held = 0
    for _ in range(300):
        truth = rng.normal(size=80)
        found = tau_difference(noisy(rng, truth, 0.7), noisy(rng, truth, 1.2), truth)
        held += found.low <= exact <= found.high
    assert 0.91 <= held / 300 <= 0.98


def test_the_error_of_many_is_small():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=6000)
    found = tau_difference(noisy(rng, truth, 0.5), noisy(rng, truth, 0.6), truth)
    assert 0.005 < found.high - found.low < 0.05


def test_copies_of_a_network_make_a_difference_no_surer():
    rng = np.random.default_rng(4)
    truth = rng.normal(size=60)
    one, other = noisy(rng, truth, 0.5), noisy(rng, truth, 1.0)
    many = np.repeat(np.arange(60), 9)
    alone = tau_difference(one, other, truth)
    found = tau_difference(one[many], other[many], truth[many], networks=many)
    assert astuple(found) == pytest.approx(astuple(alone))


def test_random_draws_are_counted_as_listing_all_of_them_does():
    truth = [3.0, 9.0, 1.0, 7.0, 7.0, 5.0]
    best = np.array([max(draw) for draw in combinations(truth, 3)])
    found = random_best(truth, draws=3, regret=2.0)
    assert found.regret == pytest.approx((9 - best).mean())
    assert found.chance == pytest.approx((9 - best <= 2).mean())
    assert random_best(truth, draws=6, regret=0.0).chance == 1.0


@pytest.mark.parametrize("draws", [0, 7])
def test_impossible_draws_are_refused(draws):
    with pytest.raises(ValueError, match=f"draws is {draws}; expected 1 to 6"):
        random_best([1, 2, 3, 4, 5, 6], draws=draws, regret=0.0)
    with pytest.raises(ValueError, match="expected at least 3"):
        tau_difference([1, 2], [1, 2], [1, 2])
