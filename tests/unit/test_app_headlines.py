"""Headlines of pages whose state lives in the browser: Template and Arena; no sentence without its numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from app import headline as frame
from app import page
from app.pages.arena.game import Referee, Refusal
from app.pages.arena.headline import headline as arena_headline
from app.pages.template import editing
from app.pages.template.headline import distinct, sizes
from app.pages.template.headline import headline as template_headline
from nas_core import spaces
from nas_core.spaces.template import PRESETS, Block, Layer, Template, read
from nas_core.store import Store


@pytest.fixture
def referee(tmp_path):
    return Referee(Store(f"sqlite:///{tmp_path / 'store.db'}"))


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "3-conv-7-layer"])
def test_a_template_is_counted_and_measured_as_listing_all_its_networks_does(name):
    document = PRESETS[name]().to_dict()
    space = spaces.define(document)
    archs = [arch for arch in product((0, 1), repeat=len(space.decisions)) if space.valid(arch)]
    assert distinct(read(document).layers) == len({space.canonical(arch) for arch in archs})
    params = space.closed_forms(archs)["params"].to_numpy()
    assert sizes(space) == (params.min(), params.max())


def test_the_headline_of_a_template_counts_measures_and_names_blocks_that_never_matter():
    found = template_headline(PRESETS["VGG-like"]().to_dict())
    assert found.finding == "729 different networks" and "parameters" in found.evidence
    assert "never matters: dense 64 is alone in layer 7" in found.evidence
    assert (found.action, found.press) == ("Make the run", ("template", "run"))
    assert "every block matters" in template_headline(PRESETS["3-conv-7-layer"]().to_dict()).evidence


def test_blocks_that_are_just_alike_are_one_choice_where_they_are_summed():
    twice = Layer((Block("conv", 8, 3), Block("conv", 8, 3), Block("conv", 8, 1)))
    summed = Template("twice", (twice,)).to_dict()
    found = template_headline(summed)
    assert found.finding == "5 different networks (7 ways to choose)"
    assert "conv 3×3 8 stands 2 times in layer 1" in found.evidence
    joined = Template("twice", (replace(twice, merge="concat"),)).to_dict()
    assert template_headline(joined).finding == "7 different networks"


def test_a_template_that_does_not_fit_or_leaves_no_choice_offers_no_run():
    odd = Template("odd", (Layer((Block("conv", 8), Block("conv", 9))),)).to_dict()
    found = template_headline(odd)
    assert found.finding == "1 block does not fit" and not found.press
    assert "layer 1, block 2 gives 9×8×8" in found.evidence
    only = template_headline(editing.begun(PRESETS["Empty"]().to_dict())["now"])
    assert only.finding == "Only one network can be built" and not only.press
    assert template_headline({}, "nb201").finding == "NAS-Bench-201 holds 15,625 architectures"


def test_before_the_end_the_arena_tells_of_the_player_alone(referee):
    assert arena_headline(referee, None).press == ("arena", "new")
    game = referee.open("nb201", "published/cifar10", 5, 0)
    assert "0 of 5 evaluations made" in arena_headline(referee, game).evidence
    game = referee.move(game, "random")
    found = arena_headline(referee, game)
    assert found.finding == "Too early" and "points short of the best" in found.evidence
    assert not any(name in found.evidence for name in ("evolution", "aggregate", "random search"))


def test_at_the_end_the_arena_names_the_winner_its_distance_and_who_was_beaten(referee):
    game = referee.open("nb201", "published/cifar10", 3, 0)
    game = referee.move(game, "random")
    game = replace(referee.move(game, "score"), over=True)
    found = arena_headline(referee, game)
    regrets = {course.name: referee.arena(game).regret(course)[-1] for course in referee.opponents(game)}
    own = referee.arena(game).regret(referee.course(game))[-1]
    beaten = sum(regret > own + 1e-9 for regret in regrets.values())
    assert f"you beat {beaten} of 3 machines" in found.evidence
    lowest = min([own, *regrets.values()])
    assert f"{lowest:.2f} points short of the best" in found.finding
    assert found.finding.startswith("You win") == bool(own <= lowest + 1e-9)
    assert (found.action, found.press) == ("Next round", ("arena", "next"))


def test_whoever_finds_the_best_wins_with_the_best_there_is(referee):
    game = referee.open("nb201", "published/cifar10", 1, 0)
    ground = referee.arena(game)
    game = referee.move(game, "bricks", ground.archs[ground.best])
    assert arena_headline(referee, game).finding == "You win with 91.61 %, the best there is"
    assert "you beat 3 of 3 machines (random search, evolution and aggregate)" in arena_headline(referee, game).evidence


def test_the_next_round_has_the_same_rules_and_the_next_seed(referee):
    game = referee.move(referee.open("nb201", "published/cifar10", 2, 7), "random")
    with pytest.raises(Refusal, match="press End and reveal first"):
        referee.next_round(game)
    after = referee.next_round(replace(game, over=True))
    assert (after.space, after.data_set, after.budget, after.seed, after.picks) == ("nb201", "cifar10", 2, 8, ())


def test_every_page_has_a_headline_or_writes_its_own():
    assert all(one.headline is not page.no_headline for one in page.pages())
    own = [one.title for one in page.pages() if one.headline is page.own_headline]
    assert own == ["Template", "Arena"]


def test_a_headline_is_drawn_with_its_button_and_how_it_was_computed():
    found = page.Headline("Found", "n = 3", "Do it", ("template", "run"), why="by counting")
    words, acts, why = frame.drawn(found)
    assert [part.children for part in words] == ["Found:", " n = 3"]
    assert [part.children for part in acts] == ["Why?", "Do it"] and why == "by counting"
    assert frame.drawn(None) == ([], [], "")
    assert np.all([output.allow_duplicate for output in frame.outputs()])
