"""Fronts of value and cost against their definitions, and a search that finds more of the true front than chance."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core import bench, search, spaces
from nas_core.predict import crowding, front, front_ranks
from nas_core.spaces import Steering

SPACE = spaces.get("nb201")
FREE = Steering.free(SPACE)

NUMBERS = st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan")])
POINTS = st.integers(1, 3).flatmap(lambda costs: st.lists(st.tuples(*[NUMBERS] * (costs + 1)), max_size=25))


def by_definition(points):
    """Which points (value, *costs) no other dominates."""

    def dominates(a, b):
        pairs = [(-a[0], -b[0]), *zip(a[1:], b[1:], strict=True)]
        return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)

    return [not np.isnan(b).any() and not any(dominates(a, b) for a in points) for b in points]


@settings(max_examples=300, deadline=None)
@given(POINTS)
def test_the_front_is_what_no_other_point_dominates(points):
    table = np.array(points, dtype=float).reshape(len(points), -1 if points else 2)
    assert front(table[:, 0], table[:, 1:]).tolist() == by_definition(points)


@settings(max_examples=100, deadline=None)
@given(POINTS)
def test_ranks_peel_one_front_after_another(points):
    table = np.array(points, dtype=float).reshape(len(points), -1 if points else 2)
    ranks = front_ranks(table[:, 0], table[:, 1:])
    left = list(range(len(points)))
    for number in range(ranks.max(initial=-1) + 1):
        first = [k for k, on in zip(left, by_definition([points[k] for k in left]), strict=True) if on]
        assert np.flatnonzero(ranks == number).tolist() == first
        left = [k for k in left if k not in first]
    assert all(np.isnan(points[k]).any() and ranks[k] == -1 for k in left)


def test_the_front_of_a_large_table_equals_the_definition():
    rng = np.random.default_rng(0)
    values, costs = rng.normal(size=600), rng.normal(size=(600, 2)).round(1)
    found = front(values, costs)
    assert found.tolist() == by_definition(np.column_stack([values, costs]))
    assert 0 < found.sum() < 600


def test_crowding_is_the_sum_of_the_normalised_gaps_and_infinite_at_the_ends():
    values, costs = np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 10.0, 70.0, 100.0])
    np.testing.assert_allclose(crowding(values, costs), [np.inf, 2 / 4 + 70 / 100, 3 / 4 + 90 / 100, np.inf])


def test_costs_of_another_length_are_refused():
    with pytest.raises(ValueError, match="a row for each of 3 values"):
        front(np.zeros(3), np.zeros(2))
    strategy = search.get("pareto", SPACE, 0)
    strategy.tell([search.Result(search.Ask((0,) * 6), value=1.0, costs=(1.0, 2.0))])
    with pytest.raises(ValueError, match="costs: got 1, expected 2 as told before"):
        strategy.tell([search.Result(search.Ask((1,) * 6), value=1.0, costs=(1.0,))])


def test_survivors_are_whole_fronts_and_of_the_last_one_the_least_crowded():
    strategy = search.get("pareto", SPACE, 0)
    asked = strategy.ask(120, FREE)
    rng = np.random.default_rng(1)
    strategy.tell(_results(asked, rng))
    rng = np.random.default_rng(1)
    values, costs = (np.array(column) for column in zip(*_told(rng, 120), strict=True))
    ranks = front_ranks(values, costs)
    kept = {tuple(arch) for arch, _, _ in strategy.state()["population"]}
    inside = np.array([ask.arch in kept for ask in asked])
    last = ranks[inside].max()
    assert inside.sum() == 50
    assert inside[ranks < last].all()
    crowds = crowding(values[ranks == last], costs[ranks == last])
    assert crowds[inside[ranks == last]].min() >= crowds[~inside[ranks == last]].max(initial=-np.inf)


def _results(asked, rng):
    told = zip(asked, _told(rng, len(asked)), strict=True)
    return [search.Result(ask, value=value, costs=costs) for ask, (value, costs) in told]


def _told(rng, count):
    return [(float(value), (float(cost),)) for value, cost in rng.normal(size=(count, 2))]


def test_a_resumed_pareto_search_asks_the_same():
    strategy = search.get("pareto", SPACE, 2)
    rng = np.random.default_rng(0)
    for _ in range(17):
        asked = strategy.ask(8, FREE)
        strategy.tell(_results(asked, rng))
    resumed = search.get("pareto", SPACE, 2, json.loads(json.dumps(strategy.state(), allow_nan=False)))
    assert resumed.ask(30, FREE) == strategy.ask(30, FREE)


def test_pareto_search_covers_more_of_the_true_front_than_random_search():
    archs = list(SPACE.architectures())
    accuracy = bench.truth("nb201")["cifar10"].to_numpy()
    flops = SPACE.closed_forms(archs)["flops"].to_numpy(dtype=float)
    place = {arch: k for k, arch in enumerate(archs)}
    true = front(accuracy, flops)
    # The usual measure: value and cost by the range of the true front, 0 the best, reference point 1.1.
    loss, cost = ((c - c[true].min()) / np.ptp(c[true]) for c in (-accuracy, flops))

    def volume(places):
        area, edge = 0.0, 1.1
        for k in sorted(places, key=lambda k: (cost[k], loss[k])):
            if cost[k] < 1.1 and loss[k] < edge:
                area += (1.1 - cost[k]) * (edge - loss[k])
                edge = loss[k]
        return area

    shares = {"pareto": [], "random": []}
    for name, found in shares.items():
        for seed in range(5):
            strategy, asked = search.get(name, SPACE, seed), []
            while len(asked) < 300:
                asks = strategy.ask(min(8, 300 - len(asked)), FREE)
                proposed = [place[ask.arch] for ask in asks]
                strategy.tell(
                    [
                        search.Result(ask, value=float(accuracy[k]), costs=(flops[k],))
                        for ask, k in zip(asks, proposed, strict=True)
                    ]
                )
                asked += proposed
            found.append(volume(asked) / volume(range(len(archs))))
    print(
        "\nshare of the true front's hypervolume:",
        {name: np.round(found, 3).tolist() for name, found in shares.items()},
    )
    assert np.mean(shares["pareto"]) > np.mean(shares["random"]) + 0.01, shares
    assert min(shares["pareto"]) > np.mean(shares["random"]), shares
