"""Steering, by property: whatever acts are in force, nothing that violates them is ever proposed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core import search, spaces
from nas_core.spaces import Act, Region, Steering, SteeringConflict

SPACE = spaces.get("nb201")
ALL = list(SPACE.architectures())
TABLE = np.array(ALL)
FORMS = SPACE.closed_forms(ALL)

decisions = st.sampled_from(["*", *(decision.name for decision in SPACE.decisions)])
choices = st.lists(st.sampled_from(SPACE.decisions[0].choices), min_size=1, max_size=4, unique=True).map(tuple)
ranges = st.tuples(st.integers(1, 3), st.integers(3, 6)).map(
    lambda ends: ("conv_layers", float(15 * (ends[0] - 1)), float(15 * ends[1]))
)
acts = st.lists(
    st.one_of(
        st.builds(Act, st.sampled_from(["pin", "prune"]), decisions, choices),
        st.builds(lambda metric: Act("focus", region=Region(ranges=(metric,))), ranges),
    ),
    max_size=5,
)


@st.composite
def steerings(draw):
    """A steering that leaves something, with the acts that made it: conflicting draws are left out."""
    steering = Steering.free(SPACE)
    for act in draw(acts):
        try:
            tighter = steering.extended(SPACE, act)
        except SteeringConflict:
            continue
        if tighter.mask(TABLE).any():
            steering = tighter
    return steering


def brute_force(steering):
    """Which of all architectures obey, from the words of the acts alone."""
    keep = np.ones(len(ALL), dtype=bool)
    for act in steering.acts:
        if act.kind == "focus":
            for metric, low, high in act.region.ranges:
                keep &= FORMS[metric].between(low, high).to_numpy()
            continue
        for column, decision in enumerate(SPACE.decisions):
            if act.decision in ("*", decision.name):
                named = np.isin(TABLE[:, column], [decision.choices.index(choice) for choice in act.choices])
                keep &= named if act.kind == "pin" else ~named
    return {arch for arch, kept in zip(ALL, keep, strict=True) if kept}


@given(steerings(), st.integers(0, 2**32 - 1), st.sampled_from(ALL))
@settings(max_examples=60, deadline=None)
def test_sample_mutate_and_neighbours_obey_and_the_count_is_exact(steering, seed, arch):
    left = brute_force(steering)
    count = SPACE.count(steering)
    assert (count.value, count.exact) == (len(left), True)
    assert set(SPACE.architectures(steering)) == left
    rng = np.random.default_rng(seed)
    for _ in range(5):
        assert SPACE.sample(rng, steering) in left
        assert SPACE.mutate(arch, rng, steering) in left
    near = SPACE.neighbours(arch, steering)
    assert set(near) == {other for other in left if sum(a != b for a, b in zip(arch, other, strict=True)) == 1}


@given(steerings(), steerings(), st.integers(0, 1000), st.sampled_from(["scan", "random", "evolution"]))
@settings(max_examples=30, deadline=None)
def test_no_strategy_proposes_what_the_steering_of_the_moment_forbids(first, second, seed, name):
    strategy = search.get(name, SPACE, seed)
    asked = []
    for steering in (first, second, first):
        left = brute_force(steering)
        for _ in range(3):
            proposed = strategy.ask(25, steering)
            assert {ask.arch for ask in proposed} <= left
            strategy.tell([search.Result(ask, value=float(sum(ask.arch))) for ask in proposed])
            asked += proposed
    assert len(asked) == len(set(asked))


@given(st.lists(st.builds(Act, st.sampled_from(["pin", "prune"]), decisions, choices), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_undo_restores_what_an_act_took(log):
    kept = []
    for act in log:
        try:
            Steering.fold(SPACE, [*kept, act])
        except SteeringConflict:
            continue
        kept.append(act)
    for target in range(len(kept)):
        undone = Steering.fold(SPACE, [*kept, Act("undo", target=target)])
        assert undone.allowed == Steering.fold(SPACE, kept[:target] + kept[target + 1 :]).allowed


def test_pruning_the_last_choice_is_refused_with_the_reason():
    steering = Steering.fold(SPACE, [Act("pin", "edge 0→3", ("skip_connect",))])
    with pytest.raises(SteeringConflict, match="skip_connect from edge 0→3: it is the last choice left"):
        steering.extended(SPACE, Act("prune", "edge 0→3", ("skip_connect",)))


def test_a_pin_to_what_was_pruned_is_refused_with_the_reason():
    steering = Steering.fold(SPACE, [Act("prune", "*", ("none",))])
    with pytest.raises(SteeringConflict, match="cannot pin edge 1→3 to none: an earlier act removed it"):
        steering.extended(SPACE, Act("pin", "edge 1→3", ("none",)))


def test_undo_of_what_was_never_done_is_refused():
    with pytest.raises(SteeringConflict, match="nothing to undo at act 3"):
        Steering.fold(SPACE, [Act("undo", target=3)])
