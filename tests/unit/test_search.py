"""Strategies: deterministic by seed, resumable to the same proposals, no repeats, and an end."""

import json
from pathlib import Path

import numpy as np
import pytest

from nas_core import search, spaces
from nas_core.spaces import Act, Steering

SPACE = spaces.get("nb201")
FREE = Steering.free(SPACE)
STORED = Path(__file__).parents[1] / "fixtures" / "strategy_states.json"
"""What strategies wrote before asks had a fidelity, what they were told then, and what they asked next."""
STRATEGIES = ["scan", "random", "evolution", "genetic", "pareto"]


def value(arch):
    """A landscape evolution can climb: the more 3x3 convolutions, the better."""
    return float(sum(choice == 3 for choice in arch))


def archs_of(asks):
    return [ask.arch for ask in asks]


def drive(strategy, generations, steering=FREE, n=8):
    asked = []
    for _ in range(generations):
        proposed = strategy.ask(n, steering)
        strategy.tell([search.Result(ask, value=value(ask.arch)) for ask in proposed])
        asked += [ask.arch for ask in proposed]
    return asked


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_resumed_from_json_goes_on_as_if_never_stopped(name):
    whole = drive(search.get(name, SPACE, 7), 20)
    first = search.get(name, SPACE, 7)
    begun = drive(first, 11)
    resumed = search.get(name, SPACE, 7, json.loads(json.dumps(first.state())))
    assert begun + drive(resumed, 9) == whole
    assert drive(search.get(name, SPACE, 8), 20) != whole


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_state_taken_between_ask_and_tell_is_enough(name):
    strategy = search.get(name, SPACE, 3)
    drive(strategy, 8)
    proposed = strategy.ask(8, FREE)
    state = json.loads(json.dumps(strategy.state()))
    results = [search.Result(ask, value=value(ask.arch)) for ask in proposed]
    resumed = search.get(name, SPACE, 3, state)
    for each in (strategy, resumed):
        each.tell(results)
    assert drive(resumed, 4) == drive(strategy, 4)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_steered_space_is_exhausted_and_opens_again(name):
    acts = [Act("pin", d.name, ("nor_conv_3x3", "nor_conv_1x1")) for d in SPACE.decisions]
    narrow = Steering.fold(SPACE, acts)
    strategy = search.get(name, SPACE, 0)
    asked = drive(strategy, 20, narrow)
    assert {SPACE.canonical(arch) for arch in asked} == {SPACE.canonical(arch) for arch in SPACE.architectures(narrow)}
    assert strategy.ask(8, narrow) == []
    assert len(strategy.ask(8, FREE)) == 8


def test_a_scan_visits_every_network_once():
    asked = archs_of(search.get("scan", SPACE, 0).ask(20_000, FREE))
    assert len(asked) == len({SPACE.canonical(arch) for arch in asked}) == 6_466


def test_the_beginning_of_a_scan_spans_the_sizes_of_the_space():
    sizes = SPACE.closed_forms(archs_of(search.get("scan", SPACE, 0).ask(20_000, FREE)))["live_params"].to_numpy()
    quartiles = np.quantile(sizes, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(np.quantile(sizes[:200], [0.1, 0.5, 0.9]), quartiles, rtol=0.5)


def test_evolution_finds_better_candidates_than_random_search():
    means = {name: np.mean([value(a) for a in drive(search.get(name, SPACE, 0), 30)]) for name in STRATEGIES}
    assert means["evolution"] > means["random"] + 0.5


def test_undefined_values_never_become_parents_and_survive_json():
    strategy = search.get("evolution", SPACE, 0)
    asked = strategy.ask(60, FREE)
    strategy.tell([search.Result(ask, value=float("nan") if k % 2 else value(ask.arch)) for k, ask in enumerate(asked)])
    state = json.dumps(strategy.state(), allow_nan=False)
    assert search.get("evolution", SPACE, 0, json.loads(state)).ask(8, FREE) == strategy.ask(8, FREE)


def test_an_unknown_strategy_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown strategy 'annealing'; expected one of: .*evolution"):
        search.get("annealing", SPACE, 0)


@pytest.mark.parametrize("name", ["evolution", "genetic", "pareto"])
def test_what_is_told_again_replaces_what_was_told_before(name):
    """Weights that were trained on give earlier proposals new values: as if these had been told at once."""
    rng = np.random.default_rng(3)
    costs = (1.0,) if name == "pareto" else ()
    for told in (24, 120):
        revised, fresh = (search.get(name, SPACE, 1) for _ in range(2))
        asks = []
        for _ in range(told // 8):
            new = revised.ask(8, FREE)
            asks += new
            revised.tell([search.Result(ask, value=float(rng.random()), costs=costs) for ask in new])
        late = [search.Result(ask, value=float(rng.random()), costs=costs) for ask in asks]
        revised.tell(late)
        fresh.tell(late)
        best = {"genetic": "best", "evolution": "population", "pareto": "population"}[name]
        assert revised.state()[best] == fresh.state()[best]
        assert revised.state().get("children") == fresh.state().get("children")


@pytest.mark.parametrize("case", json.loads(STORED.read_text())["cases"], ids=lambda case: case["strategy"])
def test_a_state_stored_before_asks_had_a_fidelity_resumes_to_the_same_asks(case):
    steering = Steering.fold(SPACE, [Act.from_dict(act) for act in case["acts"]])
    strategy = search.get(case["strategy"], SPACE, case["seed"], case["state"])
    results = iter(
        search.Result(search.Ask(tuple(arch)), value=float("nan") if told is None else told, costs=tuple(costs))
        for arch, told, costs in case["told"]
    )
    strategy.tell([next(results) for _ in range(case["pending"])])
    for expected in case["asked_next"]:
        asked = strategy.ask(len(expected), steering)
        assert [list(arch) for arch in archs_of(asked)] == expected
        assert all((ask.fidelity, ask.seed, ask.budget) == ("", 0, None) for ask in asked)
        strategy.tell([next(results) for _ in expected])


@pytest.mark.parametrize("name", ["evolution", "genetic", "pareto"])
def test_a_failed_candidate_is_never_a_parent_and_never_asked_again(name):
    strategy = search.get(name, SPACE, 0)
    failed = set()
    for _ in range(20):
        asked = strategy.ask(8, FREE)
        assert not failed & {ask.arch for ask in asked}
        results = [
            search.Result(ask, value=99.0, failed="out of memory") if k % 3 == 0 else search.Result(ask, value=1.0)
            for k, ask in enumerate(asked)
        ]
        failed |= {result.arch for result in results if result.failed}
        strategy.tell(results)
    state = strategy.state()
    kept = {tuple(member[0]) for key in ("best", "population", "children") for member in state.get(key, ())}
    assert kept and not kept & failed


def test_evolution_draws_at_random_while_every_value_is_undefined():
    strategy = search.get("evolution", SPACE, 0)
    seen = set()
    for _ in range(10):
        asked = strategy.ask(10, FREE)
        assert len(asked) == 10 and not seen & set(archs_of(asked))
        if len(seen) >= 50:
            near = [any(sum(map(int.__ne__, a, b)) == 1 for b in seen) for a in archs_of(asked)]
            assert not all(near)
        seen |= set(archs_of(asked))
        strategy.tell([search.Result(ask) for ask in asked])
