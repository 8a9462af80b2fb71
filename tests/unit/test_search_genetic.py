"""Strategies that breed: what steering, constraints and small asks must not break, and that they beat chance."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from nas_core import bench, search, spaces
from nas_core.spaces import Act, Region, Steering

SPACE = spaces.get("nb201")
FREE = Steering.free(SPACE)
BREEDING = ["genetic", "pareto"]


@pytest.fixture(scope="module")
def truth():
    """Validation accuracy on CIFAR-10 by architecture, in percent."""
    return dict(zip(SPACE.architectures(), bench.truth("nb201")["cifar10"], strict=True))


def drive(strategy, space, value, budget, *, steering=None, batch=8):
    """Ask and tell until `budget` architectures are asked; all of them, in order."""
    steering = steering or Steering.free(space)
    asked = []
    while len(asked) < budget:
        asks = strategy.ask(min(batch, budget - len(asked)), steering)
        proposed = [ask.arch for ask in asks]
        flops = space.closed_forms(proposed)["flops"]
        strategy.tell(
            [search.Result(a, value=value(a.arch), costs=(float(f),)) for a, f in zip(asks, flops, strict=True)]
        )
        asked += proposed
    return asked


def proposals(strategy, n, steering):
    return [ask.arch for ask in strategy.ask(n, steering)]


def convolutions(arch):
    return float(sum(choice in (2, 3) for choice in arch))


@pytest.mark.parametrize("name", BREEDING)
def test_an_act_is_obeyed_from_the_next_ask_on(name):
    acts = [Act("prune", "*", ("nor_conv_3x3",)), Act("pin", "edge 0→3", ("skip_connect",))]
    strategy = search.get(name, SPACE, 1)
    drive(strategy, SPACE, convolutions, 130)  # parents are full of what is pruned now
    steering = Steering.fold(SPACE, acts)
    proposed = proposals(strategy, 20, steering)
    assert len(proposed) == 20
    assert steering.mask(proposed).all()
    assert not steering.mask(proposals(strategy, 20, FREE)).all()


@pytest.mark.parametrize("name", BREEDING)
def test_children_stay_inside_the_ranges_of_a_region(name):
    strategy = search.get(name, SPACE, 2)
    drive(strategy, SPACE, convolutions, 60)
    focus = Act("focus", region=Region(ranges=(("params", 0.0, 300_000.0),)))
    steering = Steering.fold(SPACE, [focus])
    proposed = proposals(strategy, 16, steering)
    assert len(proposed) == 16
    assert SPACE.closed_forms(proposed)["params"].max() <= 300_000


@pytest.mark.parametrize("name", BREEDING)
@pytest.mark.parametrize("space", ["nb101", "transnas_micro"])
def test_in_any_space_every_proposal_is_valid_and_a_new_network(name, space):
    known = spaces.get(space)
    asked = drive(search.get(name, known, 0), known, lambda arch: float(sum(arch)), 150, batch=7)
    assert all(known.valid(arch) for arch in asked)
    assert len({known.canonical(arch) for arch in asked}) == 150


@pytest.mark.parametrize("name", BREEDING)
def test_no_network_is_proposed_twice_until_every_one_was(name):
    space = spaces.get("transnas_micro")
    strategy = search.get(name, space, 0)
    asked = []
    while proposed := strategy.ask(500, Steering.free(space)):
        strategy.tell([search.Result(ask, value=float(sum(ask.arch)), costs=(1.0,)) for ask in proposed])
        asked += [ask.arch for ask in proposed]
    forms = [space.canonical(arch) for arch in asked]
    assert len(forms) == len(set(forms))
    assert set(forms) == {space.canonical(arch) for arch in space.architectures()}


@pytest.mark.parametrize("name", BREEDING)
def test_a_resumed_search_asks_the_same_under_a_steering_and_in_a_constrained_space(name):
    space = spaces.get("nb101")
    steering = Steering.fold(space, [Act("prune", "*", ("maxpool3x3",))])
    strategy = search.get(name, space, 5)
    drive(strategy, space, lambda arch: float(sum(arch)), 107, steering=steering, batch=3)
    resumed = search.get(name, space, 5, json.loads(json.dumps(strategy.state(), allow_nan=False)))
    for _ in range(4):
        proposed = strategy.ask(9, steering)
        assert resumed.ask(9, steering) == proposed
        for each in (strategy, resumed):
            each.tell([search.Result(ask, value=float(sum(ask.arch)), costs=(1.0,)) for ask in proposed])


@pytest.mark.parametrize("name", BREEDING)
def test_undefined_results_are_never_parents(name):
    strategy = search.get(name, SPACE, 0)
    asked = strategy.ask(120, FREE)
    bad = {ask.arch for k, ask in enumerate(asked) if k % 2}
    strategy.tell(
        [search.Result(a, value=math.nan if a.arch in bad else convolutions(a.arch), costs=(1.0,)) for a in asked]
    )
    state = strategy.state()
    parents = {tuple(member[0]) for key in ("best", "population") for member in state.get(key, ())}
    assert parents and not parents & bad


def test_a_generation_is_bred_from_the_ten_best_of_the_whole_search(truth):
    strategy = search.get("genetic", SPACE, 3)
    asked = drive(strategy, SPACE, truth.get, 100, batch=50)
    best = sorted(asked, key=truth.get)[-10:]
    children = proposals(strategy, 50, FREE)
    assert set(strategy.state()["parents"]) == set(best)
    near = [min(sum(a != b for a, b in zip(child, parent, strict=True)) for parent in best) for child in children]
    assert np.mean(near[:25]) < 2.5  # a mutation changes each of six decisions with probability 0.1
    for child in children[25:]:  # a crossover holds, at every decision, what one of the parents holds there
        assert all(child[d] in {parent[d] for parent in best} for d in range(6))


def test_the_generation_does_not_depend_on_how_it_is_asked_for(truth):
    asks = {}
    for batch in (10, 25):
        asks[batch] = drive(search.get("genetic", SPACE, 4), SPACE, truth.get, 150, batch=batch)
    assert asks[10] == asks[25]


def test_genetic_search_finds_truly_better_cells_than_random_search(truth):
    best = {
        name: [max(map(truth.get, drive(search.get(name, SPACE, seed), SPACE, truth.get, 300))) for seed in range(10)]
        for name in ("genetic", "random")
    }
    print(
        "\nbest true accuracy after 300, mean:", {name: round(float(np.mean(found)), 2) for name, found in best.items()}
    )
    assert all(a > b for a, b in zip(best["genetic"], best["random"], strict=True))
    assert np.mean(best["genetic"]) > np.mean(best["random"]) + 0.2, best
