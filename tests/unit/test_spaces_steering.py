"""Steering of the spaces beyond NAS-Bench-201, by property: draws obey, counts equal brute force, draws are uniform."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from nas_core import search, spaces
from nas_core.spaces import Act, Count, Region, Steering, SteeringConflict
from nas_core.spaces.nb101 import EDGES
from nas_core.spaces.template import PRESETS
from nas_core.supernet import sampler

NAMES = ["nats_sss", "nb101", "transnas_micro", "nb_macro"]
SMALL = 3_000


def belongs(name, arch):
    """Membership from the words of the papers: all combinations, but for NAS-Bench-101's edges and path."""
    if name != "nb101":
        return True
    on = {edge for edge, choice in zip(EDGES, arch, strict=False) if choice}
    reached = {0}
    for _ in range(6):
        reached |= {target for source, target in on if source in reached}
    return len(on) <= 9 and 6 in reached


def brute_force(space, steering):
    """Every architecture that the acts leave, from the acts alone."""
    left = []
    for decision in space.decisions:
        kept = list(decision.choices)
        for act in steering.acts:
            if act.decision in ("*", decision.name) and act.kind == "pin":
                kept = [choice for choice in kept if choice in act.choices]
            elif act.decision in ("*", decision.name) and act.kind == "prune":
                kept = [choice for choice in kept if choice not in act.choices]
        left.append([decision.choices.index(choice) for choice in kept])
    found = [arch for arch in itertools.product(*left) if belongs(space.name, arch)]
    forms = space.closed_forms(found)
    keep = np.ones(len(found), dtype=bool)
    for act in steering.acts:
        for metric, low, high in act.region.ranges if act.kind == "focus" else ():
            keep &= forms[metric].between(low, high).to_numpy()
    return {arch for arch, kept in zip(found, keep, strict=True) if kept}


@st.composite
def steerings(draw, small=False):
    """A space, a steering folded from random acts that leaves something there, and a seed."""
    space = spaces.get(draw(st.sampled_from(NAMES)))
    steering = Steering.free(space)
    for decision in draw(st.permutations(space.decisions)):
        crowded = small and math.prod(map(len, steering.allowed)) > SMALL
        if not crowded and not draw(st.booleans()):
            continue
        most = 2 if crowded else len(decision.choices) - 1
        named = tuple(draw(st.lists(st.sampled_from(decision.choices), min_size=1, max_size=min(most, 3), unique=True)))
        kind = "pin" if crowded else draw(st.sampled_from(["pin", "prune"]))
        if kind == "pin" and crowded and space.name == "nb101":
            named = named[:1]
        try:
            tighter = steering.extended(space, Act(kind, decision.name, named))
        except SteeringConflict:
            continue
        if space.count(tighter).value:
            steering = tighter
    if small and draw(st.booleans()):
        low, high = sorted(draw(st.tuples(st.integers(0, 60), st.integers(0, 60))))
        focused = steering.extended(space, Act("focus", region=Region(ranges=(("conv_layers", low, high),))))
        if space.count(focused).value:
            steering = focused
    return space, steering, draw(st.integers(0, 2**32 - 1))


def obeys(space, steering, arch):
    return space.valid(arch) and belongs(space.name, arch) and steering.allows(arch)


@given(steerings())
@settings(max_examples=60, deadline=None)
def test_sample_mutate_and_neighbours_obey(drawn):
    space, steering, seed = drawn
    rng = np.random.default_rng(seed)
    stranger = space.sample(rng)
    for _ in range(5):
        arch = space.sample(rng, steering)
        assert obeys(space, steering, arch)
        for start in (arch, stranger):
            assert obeys(space, steering, space.mutate(start, rng, steering))
        near = space.neighbours(arch, steering)
        assert all(obeys(space, steering, other) for other in near)
        assert all(sum(a != b for a, b in zip(arch, other, strict=True)) == 1 for other in near)
        assert len(set(near)) == len(near)


@given(steerings(small=True))
@settings(max_examples=60, deadline=None)
def test_counts_and_enumerations_equal_brute_force_on_small_steerings(drawn):
    space, steering, seed = drawn
    left = brute_force(space, steering)
    count = space.count(steering)
    assert (count.value, count.exact) == (len(left), True)
    listed = list(space.architectures(steering))
    assert listed == sorted(left)
    assert space.sample(np.random.default_rng(seed), steering) in left
    arch = listed[seed % len(listed)]
    near = {other for other in left if sum(a != b for a, b in zip(arch, other, strict=True)) == 1}
    assert set(space.neighbours(arch, steering)) == near


def test_the_free_count_of_nb101_is_that_of_all_edge_sets():
    """Counted anew by walking over the vertices: sets of at most nine edges that reach the output from the input."""
    # ways[reached vertices][edges used]: the edges into one vertex after the other.
    ways = {(frozenset({0}), 0): 1}
    for target in range(1, 7):
        longer: dict[tuple[frozenset[int], int], int] = {}
        for (reached, edges), number in ways.items():
            for size in range(target + 1):
                for sources in itertools.combinations(range(target), size):
                    state = (reached | {target} if reached & set(sources) else reached, edges + size)
                    longer[state] = longer.get(state, 0) + number
        ways = longer
    total = sum(number for (reached, edges), number in ways.items() if 6 in reached and edges <= 9)
    count = spaces.get("nb101").count()
    assert (count.value, count.exact) == (total * 3**5, True)


def test_nb101_draws_are_uniform_even_where_few_edge_sets_are_left():
    """Rejection from all edge sets would need two thousand draws here: eight edges are on, one more is free."""
    space = spaces.get("nb101")
    acts = [Act("pin", space.decisions[k].name, ("on",)) for k in range(8)]
    acts += [Act("pin", f"vertex {vertex}", ("maxpool3x3",)) for vertex in range(1, 6)]
    steering = Steering.fold(space, acts)
    left = list(space.architectures(steering))
    assert len(left) == space.count(steering).value > 0
    rng = np.random.default_rng(0)
    draws = 4_000
    drawn = [space.sample(rng, steering) for _ in range(draws)]
    seen = np.array([drawn.count(arch) for arch in left])
    assert seen.sum() == draws
    expected = draws / len(left)
    # Chi-square with len(left) - 1 degrees of freedom: five standard deviations above its mean.
    freedom = len(left) - 1
    assert ((seen - expected) ** 2 / expected).sum() < freedom + 5 * np.sqrt(2 * max(freedom, 1))


def test_nb101_counts_under_wide_ranges_are_estimated_and_say_so():
    space = spaces.get("nb101")
    wide = Steering.fold(space, [Act("focus", region=Region(ranges=(("conv_layers", 0, 36),)))])
    count = space.count(wide)
    assert not count.exact
    assert 0 < count.value < space.count().value
    rng = np.random.default_rng(0)
    assert all(wide.allows(space.sample(rng, wide)) for _ in range(50))


def test_a_steering_that_no_cell_can_obey_counts_zero_and_is_refused():
    space = spaces.get("nb101")
    cut = Steering.fold(space, [Act("prune", f"edge {source}→6", ("on",)) for source in range(6)])
    crowded = Steering.fold(space, [Act("pin", space.decisions[k].name, ("on",)) for k in range(10)])
    for steering in (cut, crowded):
        assert space.count(steering).value == 0
        with pytest.raises(SteeringConflict, match="no architecture obeys"):
            space.sample(np.random.default_rng(0), steering)


def test_nb101_refuses_to_enumerate_what_is_too_large():
    with pytest.raises(ValueError, match="too large to enumerate"):
        next(spaces.get("nb101").architectures())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("strategy", ["random", "evolution"])
def test_strategies_search_the_space_under_a_steering(name, strategy):
    space = spaces.get(name)
    first = space.decisions[0]
    steering = Steering.fold(space, [Act("prune", first.name, first.choices[:1])])
    searcher = search.get(strategy, space, 0)
    asked = []
    for _ in range(8):
        batch = searcher.ask(10, steering)
        assert len(batch) == 10
        searcher.tell([search.Result(ask, value=float(sum(ask.arch))) for ask in batch])
        asked += batch
    assert len(set(asked)) == len(asked)
    assert all(obeys(space, steering, ask.arch) for ask in asked)


@pytest.fixture(scope="module")
def rare():
    """A space of 823,543 networks and a focus, by ranges alone, that few of them obey."""
    space = spaces.define(PRESETS["3-conv-7-layer"]().to_dict())
    rng = np.random.default_rng(1)
    forms = space.closed_forms([space.sample(rng) for _ in range(2_000)])
    middle = forms.iloc[(forms["flops"] - forms["flops"].median()).abs().argsort().iloc[0]]
    ranges = tuple((name, middle[name] - width, middle[name] + width) for name, width in (("flops", 99), ("params", 9)))
    return space, Steering.fold(space, [Act("focus", region=Region(ranges=ranges))])


def test_what_few_networks_of_a_large_space_obey_is_counted_and_drawn_uniformly(rare):
    space, steering = rare
    choices = np.array(list(itertools.product((0, 1), repeat=3)))[1:]
    every = choices[np.stack(np.meshgrid(*[np.arange(7)] * 7, indexing="ij"), axis=-1).reshape(-1, 7)].reshape(-1, 21)
    forms = space.closed_forms(every)
    inside = np.logical_and.reduce([forms[name].between(low, high) for name, low, high in steering.ranges])
    members = set(map(tuple, every[inside].tolist()))
    assert 1 < len(members) < 200
    assert space.count(steering) == Count(len(members))
    assert list(space.architectures(steering)) == sorted(members)
    drawn = [space.sample(np.random.default_rng(seed), steering) for seed in range(40 * len(members))]
    counts = np.unique(np.array(drawn), axis=0, return_counts=True)[1]
    assert set(drawn) == members
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("strategy", ["random", "evolution", "genetic"])
def test_strategies_exhaust_a_focus_that_few_networks_obey(rare, strategy):
    space, steering = rare
    found = search.get(strategy, space, seed=3)
    free = Steering.free(space)
    for number in range(8):
        asked = found.ask(8, free)
        found.tell([search.Result(ask, value=float(number)) for ask in asked])
    members = {space.canonical(arch) for arch in space.architectures(steering)}
    left: list = []
    while asked := found.ask(8, steering):
        found.tell([search.Result(ask, value=0.0) for ask in asked])
        left += [ask.arch for ask in asked]
    assert {space.canonical(arch) for arch in left} == members
    assert all(steering.allows(arch) for arch in left)


@pytest.mark.parametrize("sampling", ["uniform", "balanced"])
def test_paths_obey_a_focus_that_few_networks_obey(rare, sampling):
    space, steering = rare
    paths = sampler(sampling, space, steering, seed=1)
    drawn = {path for _ in range(100) for path in paths.draw()}
    assert len(drawn) > 1 and all(steering.allows(path) and space.valid(path) for path in drawn)


def test_nothing_obeys_an_empty_focus_of_a_large_space(rare):
    space, _ = rare
    steering = Steering.fold(space, [Act("focus", region=Region(ranges=(("flops", 1.0, 2.0),)))])
    assert space.count(steering) == Count(0)
    with pytest.raises(SteeringConflict, match="no architecture obeys the steering"):
        space.sample(np.random.default_rng(0), steering)
    evolution = search.get("evolution", space, seed=3)
    for _ in range(8):
        evolution.tell([search.Result(ask, value=1.0) for ask in evolution.ask(8, Steering.free(space))])
    assert evolution.ask(8, steering) == []
