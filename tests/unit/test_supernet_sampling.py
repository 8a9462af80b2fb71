"""Which paths are drawn: strict fairness, depth classes, and nothing that a steering removed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from nas_core import spaces
from nas_core.spaces import Act, Region, Steering, SteeringConflict, template
from nas_core.spaces.nb101 import NasBench101
from nas_core.spaces.nb201 import PATHS
from nas_core.supernet import SAMPLINGS, depth_classes, longest_chains, sampler

SPACE = spaces.get("nb201")
FREE = Steering.free(SPACE)
NO_DEAD_ENDS = Steering.fold(SPACE, [Act("prune", "*", ("none",))])


def test_longest_chain_equals_the_definition_over_all_cells():
    archs = list(SPACE.architectures())
    expected = []
    for arch in archs:
        whole = [[arch[edge] for edge in path] for path in PATHS if all(arch[edge] for edge in path)]
        expected.append(max((sum(choice in (2, 3) for choice in path) for path in whole), default=-1))
    assert longest_chains(SPACE, archs).tolist() == expected


def test_a_space_without_cells_has_no_depth_classes():
    class Unknown(NasBench101):
        name, longest_chains = "unknown", None

    with pytest.raises(ValueError, match="unknown"):
        longest_chains(Unknown(), [(0,) * len(NasBench101.decisions)])


def test_longest_chain_of_vertices_equals_the_longest_path_of_the_graph():
    space = spaces.get("nb101")
    rng = np.random.default_rng(2)
    archs = [space.sample(rng) for _ in range(300)]
    expected = []
    for arch in archs:
        graph = space.graph(arch)
        ahead = {0: [0]}  # convolutions on each path from the input to a vertex
        for vertex in range(1, 7):
            arriving = [n for e in graph.edges if e.live and e.target == vertex for n in ahead.get(e.source, [])]
            ahead[vertex] = [n + ("conv" in graph.nodes[vertex]) for n in arriving]
        expected.append(max(ahead[6]))
    assert longest_chains(space, archs).tolist() == expected
    assert len(set(expected)) > 3


def test_sizes_are_one_depth_class():
    space = spaces.get("nats_sss")
    assert set(depth_classes(space, [space.sample(np.random.default_rng(k)) for k in range(20)]).tolist()) == {9}


@pytest.mark.parametrize("steering", [FREE, NO_DEAD_ENDS])
def test_fair_sampling_draws_every_choice_equally_often_after_every_update(steering):
    paths = sampler("fair", SPACE, steering, seed=3)
    drawn = [Counter() for _ in SPACE.decisions]
    for update in range(1, 6):
        round_ = paths.draw()
        assert len(round_) == len(steering.allowed[0])
        for arch in round_:
            for counts, choice in zip(drawn, arch, strict=True):
                counts[choice] += 1
        assert drawn == [dict.fromkeys(choices, update) for choices in steering.allowed]
        assert paths.counts == drawn


def test_fair_sampling_of_uneven_decisions_differs_by_one_draw_at_most_and_meets_again():
    steering = Steering.fold(SPACE, [Act("prune", "edge 0→1", ("none",)), Act("pin", "edge 0→2", ("nor_conv_3x3",))])
    paths = sampler("fair", SPACE, steering)
    for update in range(1, 9):
        assert len(paths.draw()) == 5
        spread = [max(counts.values()) - min(counts.values()) for counts in paths.counts]
        assert max(spread) <= 1
        if update % 4 == 0:  # 20 paths: a multiple of 4 choices and of 5
            assert spread == [0] * 6


def test_fair_sampling_refuses_what_it_cannot_deal_decision_by_decision():
    ranged = Steering.fold(SPACE, [Act("focus", region=Region(ranges=(("params", 0.0, 1e6),)))])
    with pytest.raises(SteeringConflict, match="metric ranges"):
        sampler("fair", SPACE, ranged)
    bound = spaces.get("nb101")
    with pytest.raises(SteeringConflict, match="constraints of nb101 forbid"):
        sampler("fair", bound, Steering.free(bound))


def test_fair_sampling_of_a_template_keeps_every_block_of_a_layer_equally_often():
    space = spaces.define(template.PRESETS["3-conv-7-layer"]().to_dict())
    (_, first), (_, second), *_ = space.groups
    must, never = space.decisions[second[0]].name, space.decisions[second[1]].name
    acts = [Act("pin", must, ("on",)), Act("prune", never, ("on",))]
    for steering in (Steering.free(space), Steering.fold(space, acts)):
        paths = sampler("fair", space, steering, seed=4)
        sizes = set()
        for _ in range(40):
            drawn = paths.draw()
            assert all(space.valid(arch) and steering.allows(arch) for arch in drawn)
            table = np.array(drawn)
            for _, members in space.groups:
                free = [d for d in members if len(steering.allowed[d]) > 1]
                if len(free) == len(drawn):
                    assert len(set(table[:, free].sum(axis=0).tolist())) == 1
            sizes |= set(table[:, list(first)].sum(axis=1).tolist())
        assert sizes == {1, 2, 3}


def test_balanced_sampling_draws_depth_classes_equally_often_and_no_dead_cell():
    paths = sampler("balanced", SPACE, FREE, seed=1)
    drawn = [paths.draw()[0] for _ in range(3000)]
    classes = Counter(depth_classes(SPACE, drawn).tolist())
    assert set(classes) == {1, 2, 3}
    deviation = np.sqrt(3000 * (1 / 3) * (2 / 3))
    assert all(abs(count - 1000) < 4 * deviation for count in classes.values())
    uniform = Counter(depth_classes(SPACE, [sampler("uniform", SPACE, FREE, seed=k).draw()[0] for k in range(500)]))
    assert uniform[3] < 500 / 6  # what balance is for


def test_balanced_sampling_keeps_to_the_classes_that_are_left():
    shallow = Steering.fold(SPACE, [Act("prune", "edge 1→2", ("nor_conv_1x1", "nor_conv_3x3"))])
    paths = sampler("balanced", SPACE, shallow)
    classes = Counter(depth_classes(SPACE, [paths.draw()[0] for _ in range(600)]).tolist())
    assert set(classes) == {1, 2}
    assert abs(classes[1] - 300) < 60


@pytest.mark.parametrize("name", ["uniform", "balanced"])
def test_nothing_alive_left_is_one_clear_conflict(name):
    dead = Steering.fold(SPACE, [Act("pin", "*", ("none",))])
    if name == "uniform":
        assert sampler(name, SPACE, dead).draw() == [(0,) * 6]
    else:
        with pytest.raises(SteeringConflict, match="live path"):
            sampler(name, SPACE, dead)


@pytest.mark.parametrize("name", sorted(SAMPLINGS))
def test_a_removed_choice_is_never_drawn_and_an_undo_brings_it_back(name):
    acts = [Act("prune", "*", ("nor_conv_3x3",)), Act("pin", "edge 0→3", ("skip_connect", "avg_pool_3x3"))]
    paths = sampler(name, SPACE, FREE)
    paths.draw()
    paths.steer(Steering.fold(SPACE, acts))
    drawn = np.array([arch for _ in range(200) for arch in paths.draw()])
    assert not (drawn == 3).any()
    assert set(drawn[:, 3]) == {1, 4}
    paths.steer(Steering.fold(SPACE, [*acts, Act("undo", target=0)]))
    assert (np.array([arch for _ in range(200) for arch in paths.draw()]) == 3).any()


@pytest.mark.parametrize("name", sorted(SAMPLINGS))
def test_equal_seeds_draw_equally_and_a_restored_state_goes_on_exactly(name):
    steering = Steering.fold(SPACE, [Act("prune", "edge 0→1", ("none",))])
    first, second = (sampler(name, SPACE, steering, seed=5) for _ in range(2))
    assert [first.draw() for _ in range(7)] == [second.draw() for _ in range(7)]
    third = sampler(name, SPACE, steering, seed=99)
    third.restore(first.state())
    assert [third.draw() for _ in range(7)] == [first.draw() for _ in range(7)]
    assert [sampler(name, SPACE, steering, seed=6).draw()] != [second.draw()]
