"""The arena: opponents, regret, what a player may ask for, and what stays hidden until the end."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

from nas_core import bench, spaces
from nas_core.bench import OPPONENTS, Arena, simple_regret

SEEDS = 20
DATA_SETS = ("cifar10", "cifar100", "imagenet16-120")


@cache
def arena(data_set: str = "cifar10") -> Arena:
    return Arena(spaces.get("nb201"), bench.truth("nb201")[data_set])


def test_simple_regret_never_rises_and_ends_at_what_is_missing():
    assert simple_regret(np.array([3.0, 1.0, 5.0, 4.0]), 6.0).tolist() == [3.0, 3.0, 1.0, 1.0]


def test_equal_seeds_give_equal_opponents_and_others_others():
    one, same, other = (arena().opponents(15, seed, arena().ranking(seed)) for seed in (4, 4, 5))
    assert [course.name for course in one] == list(OPPONENTS)
    assert [course.archs for course in one] == [course.archs for course in same]
    assert all(a.archs != b.archs for a, b in zip(one, other, strict=True))
    assert len({course.archs[0] for course in one}) == 3, "no two searchers begin alike"


def test_opponents_spend_the_budget_and_evaluate_nothing_twice():
    for course in arena().opponents(60, 0, arena().ranking(0)):
        assert len(set(course.archs)) == len(course.values) == 60
        truth = bench.truth("nb201")["cifar10"]
        assert course.values.tolist() == [truth[arena().space.format(arch)] for arch in course.archs]


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_evolution_and_aggregate_are_no_worse_than_random_search_after_50_evaluations(data_set):
    ground = arena(data_set)
    last = [
        [ground.regret(course)[-1] for course in ground.opponents(50, seed, ground.ranking(seed))]
        for seed in range(SEEDS)
    ]
    random, evolution, aggregate = np.median(last, axis=0)
    assert evolution <= random
    assert aggregate <= random


def test_evolution_learns_within_the_budget_of_a_lesson():
    evolution = arena().opponents(20, 0, arena().ranking(0))[1]
    parents = [set(arena().space.neighbours(arch)) for arch in evolution.archs]
    children = [any(evolution.archs[k] in parents[j] for j in range(k)) for k in range(10, 20)]
    assert all(children)


def test_the_ranking_reads_no_truth_and_names_every_network_once():
    space = spaces.get("nb201")
    ground = arena()
    turned = Arena(space, -bench.truth("nb201")["cifar10"])
    ranking = ground.ranking(3)
    assert ranking == turned.ranking(3)
    forms = [space.canonical(ground.archs[k]) for k in ranking]
    assert len(forms) == len(set(forms)) == 6466


def test_a_measured_score_joins_the_ranking_where_it_agrees():
    ground = arena()
    values = bench.truth("nb201")["cifar10"].to_numpy()
    plain = ground.course("plain", [ground.archs[k] for k in ground.ranking(0)[:30]])
    joined = [ground.archs[k] for k in ground.ranking(0, pd.DataFrame({"cost": -values}), ("cost",))[:30]]
    assert ground.course("joined", joined).values.mean() > plain.values.mean()
    noise = pd.DataFrame({"noise": np.random.default_rng(0).normal(size=len(values))})
    assert ground.ranking(0, noise) == ground.ranking(0)


def test_what_a_player_is_given_was_not_evaluated_before():
    ground = arena()
    ranking = ground.ranking(0)
    seen = [ground.archs[ranking[0]], ground.archs[7]]
    assert ground.suggested(ranking, seen) == ground.archs[ranking[1]]
    assert ground.drawn(0, seen) == ground.drawn(0, seen) not in seen
    child = ground.mutated(seen[0], 0, seen)
    assert sum(a != b for a, b in zip(child, seen[0], strict=True)) == 1
    assert ground.mutated(seen[0], 0, [*seen, *ground.space.neighbours(seen[0])]) is None


def test_an_architecture_without_a_value_cannot_be_evaluated_and_costs_nothing():
    few = Arena(spaces.get("nb201"), bench.truth("nb201")["cifar10"][::500])
    assert math.isnan(few.value((0, 0, 0, 0, 0, 1)))
    courses = few.opponents(5, 0, few.ranking(0))
    assert all(np.isfinite(course.values).all() for course in courses)
    assert few.drawn(0, []) in few.archs


def test_the_chance_of_a_random_search_is_exact():
    few = Arena(spaces.get("nb201"), bench.truth("nb201")["cifar10"][::1562])
    ordered = np.sort(few.values)
    assert len(ordered) == 11
    assert few.chance_of_random(ordered[-1], 3) == pytest.approx(3 / 11)
    assert few.chance_of_random(ordered[0], 1) == 1
    assert few.chance_of_random(ordered[-1], 11) == 1
    assert few.chance_of_random(ordered[-1] + 1, 11) == 0


def test_blocks_tell_what_was_true_all_along():
    blocks = arena().blocks()
    assert blocks["n"].sum() == 6 * len(arena().archs)
    best = arena().archs[arena().best]
    held = blocks[[best[d] == c for d, c in zip(blocks["decision"], blocks["choice"], strict=True)]]
    assert held["loss"].tolist() == [0.0] * 6
    fitness = {(row.decision, row.choice): row.fitness for row in blocks.itertuples()}
    assert fitness[3, 3] > 0.6 > 0.4 > fitness[3, 0]  # edge 0→3: a 3 x 3 convolution against none


def test_a_column_without_a_value_is_refused():
    with pytest.raises(ValueError, match="no value of 'cifar10'"):
        Arena(spaces.get("nb201"), bench.truth("nb201")["cifar10"] * math.nan)
