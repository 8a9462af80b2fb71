"""The comparison of a steered run with its twin, on cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.bench import compare_twins


def test_the_best_means_and_when_they_were_reached():
    steered = [1.0, 9.0, 8.0, 2.0, 10.0]
    unsteered = [3.0, 4.0, 7.0, 9.0, np.nan]
    found = compare_twins(steered, unsteered, best=2, bootstrap=50)
    assert (found.n, found.steered, found.unsteered) == (5, 9.5, 8.0)
    assert found.difference.value == 1.5
    assert found.reached == 3  # 9 and 8 after three evaluations
    assert found.difference.low <= 1.5 <= found.difference.high


def test_a_run_that_never_gets_there_says_so():
    found = compare_twins([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], best=1, bootstrap=0)
    assert found.reached is None
    assert np.isnan(found.difference.low)


def test_the_longer_run_is_cut_to_the_shorter():
    found = compare_twins([1.0, 2.0, 99.0], [1.0, 2.0], best=1)
    assert (found.n, found.steered, found.reached) == (2, 2.0, 2)


def test_too_few_values_are_refused():
    with pytest.raises(ValueError, match="3 values in one of the runs; expected at least 10"):
        compare_twins([1.0, 2.0, 3.0], range(20))
