"""The editing of templates: what presses and properties make of a document, and how it is shown."""

from __future__ import annotations

import pytest

from app.pages.template import editing, lego
from app.pages.template.callbacks import run_config
from nas_core import spaces
from nas_core.spaces.template import MOST_BLOCKS, PRESETS, read, shapes
from nas_core.supernet import SupernetSettings, Trainer


def press(state, what, *arguments):
    return editing.pressed(state, ["template", what, *map(str, arguments)])


@pytest.fixture
def state():
    return editing.begun(PRESETS["Empty"]().to_dict())


def blocks(state, layer=0):
    return state["now"]["layers"][layer]["blocks"]


def test_every_edit_is_undone_and_redone(state):
    steps = [state]
    for words in (("add", 0, "max_pool"), ("layer", 0), ("merge", 1), ("move", 1, -1), ("drop", 0, 1), ("remove", 1)):
        steps.append(press(steps[-1], *words))
    assert len({str(step["now"]) for step in steps}) >= 5
    now = steps[-1]
    for step in reversed(steps[:-1]):
        now = press(now, "undo")
        assert now["now"] == step["now"]
    assert press(now, "undo") == now
    for step in steps[1:]:
        now = press(now, "redo")
        assert now["now"] == step["now"]


def test_an_added_block_fits_beside_those_there(state):
    state = editing.with_properties(state, {"kind": "conv", "filters": 24, "kernel": 5, "stride": 2})
    state = press(state, "add", 0, "separable_conv")
    assert blocks(state)[1]["filters"] == 24
    assert blocks(state)[1]["stride"] == 2
    assert shapes(read(state["now"])).problems == {}
    assert state["selected"] == [0, 1]


def test_a_copied_layer_keeps_the_image_as_large_as_it_is(state):
    state = press(editing.with_properties(state, {"kind": "conv", "stride": 2, "filters": 8, "kernel": 3}), "layer", 0)
    assert shapes(read(state["now"])).entering == ((1, 8, 8), (8, 4, 4), (8, 4, 4))


def test_another_kind_keeps_what_both_have_and_takes_its_own_window(state):
    state = editing.with_properties(state, {"kind": "conv", "filters": 8, "kernel": 7, "stride": 2})
    pooled = editing.with_properties(state, {"kind": "max_pool", "kernel": 7, "stride": 2})
    assert blocks(pooled)[0] == {"kind": "max_pool", "kernel": 3, "stride": 2}
    assert pooled["turn"] > state["turn"]


def test_limits_are_told_and_nothing_is_lost(state):
    for _ in range(MOST_BLOCKS - 1):
        state = press(state, "add", 0, "conv")
    with pytest.raises(ValueError, match="layer 1 has 8 blocks already"):
        press(state, "add", 0, "conv")
    with pytest.raises(ValueError, match="a template needs a layer"):
        press(state, "remove", 0)
    with pytest.raises(ValueError, match="filters is 0"):
        editing.with_properties(state, {"kind": "conv", "filters": 0})
    with pytest.raises(ValueError, match="image height is None"):
        editing.renamed(state, "x", (1, None, 8))


def test_the_last_block_of_a_layer_takes_the_layer_with_it(state):
    state = press(press(state, "layer", 0), "drop", 1, 0)
    assert len(state["now"]["layers"]) == 1
    assert state["selected"] == [0, 0]


def test_a_problem_stands_on_its_block(state):
    state = press(state, "add", 0, "conv")
    state = editing.with_properties(state, {"kind": "conv", "filters": 9})
    template = read(state["now"])
    drawn = str(lego.layers(template, shapes(template), state["selected"]))
    assert "lego-problem" in drawn
    assert "gives 9×8×8, the other blocks 8×8×8" in drawn


@pytest.mark.parametrize("fixed", [None, *spaces.names()])
def test_the_run_of_a_template_or_a_given_space_trains_with_settings_that_hold(state, fixed):
    space = spaces.get(fixed) if fixed else spaces.define(state["now"])
    config = run_config(space, "digits", 5, "evolution", 20, 3)
    trainer = Trainer(SupernetSettings.from_dict({**config["supernet"], "space": space.name}))
    trainer.step()
    assert trainer.settings.epochs == 5
    assert ("template" in config) == (fixed is None)
    assert config["rank_by"] == "one_shot"
