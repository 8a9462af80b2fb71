"""The editing of templates: what presses and properties make of a document, and how it is shown."""

from __future__ import annotations

import base64
import json

import pytest
from dash import dcc

from app.pages.arena import layout as arena
from app.pages.correlation import layout as correlation
from app.pages.layers import layout as layers
from app.pages.navigator import layout as navigator
from app.pages.runs import layout as runs
from app.pages.template import editing, lego
from app.pages.template import layout as template_page
from app.pages.template.callbacks import check_form, run_config, uploaded
from app.palette import GRAPH
from nas_core import spaces
from nas_core.spaces.template import MOST_BLOCKS, PRESETS, PROPERTIES, read, shapes
from nas_core.store import Store
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
    for words in (
        ("add", 0, "max_pool"),
        ("layer", 0),
        ("merge", 1, "concat"),
        ("move", 1, -1),
        ("drop", 0, 1),
        ("remove", 1),
    ):
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
    trainer = Trainer(SupernetSettings.from_dict({**config.supernet, "space": space.name}))
    trainer.step()
    assert trainer.settings.epochs == 5
    assert (config.template is not None) == (fixed is None)
    assert config.rank_by == "one_shot"


@pytest.fixture
def store(tmp_path):
    return Store(f"sqlite:///{tmp_path / 'store.db'}")


def save(store, state):
    """The state after Save, as the page does it."""
    return editing.saved(state, store.save_template(state["now"], replaces=editing.replaced(state)))


def named(state, name):
    return editing.renamed(state, name, (1, 8, 8))


def test_saving_again_replaces_what_was_saved_and_nothing_else(store, state):
    state = save(store, named(state, "mine"))
    state = save(store, press(state, "layer", 0))
    assert {name: len(document["layers"]) for name, document in store.templates().items()} == {"mine": 2}
    state = save(store, press(state, "undo"))
    assert {name: len(document["layers"]) for name, document in store.templates().items()} == {"mine": 1}


def test_another_template_under_a_taken_name_is_kept_beside_it(store, state):
    first = save(store, named(press(state, "layer", 0), "mine"))
    empty = named(editing.opened(first, PRESETS["Empty"]().to_dict()), "mine")
    other = save(store, press(empty, "add", 0, "identity"))
    assert other["now"]["name"] == "mine 2"
    other = save(store, press(press(other, "undo"), "add", 0, "max_pool"))  # named "mine" again, and still the second
    found = store.templates()
    assert {name: len(document["layers"]) for name, document in found.items()} == {"mine": 2, "mine 2": 1}
    assert all(document["name"] == name for name, document in found.items())
    opened = editing.opened(other, found["mine"], "mine")
    save(store, press(opened, "layer", 0))
    assert len(store.templates()["mine"]["layers"]) == 3


def test_undoing_an_opening_does_not_save_over_what_was_opened(store, state):
    save(store, named(press(state, "layer", 0), "mine"))
    opened = editing.opened(named(state, "mine"), store.templates()["mine"], "mine")
    assert save(store, press(opened, "undo"))["now"]["name"] == "mine 2"
    assert editing.replaced(press(press(opened, "undo"), "redo")) == "mine"


def test_a_name_taken_by_the_very_same_template_is_saved_once(store, state):
    save(store, named(state, "mine"))
    assert save(store, named(state, "mine"))["now"]["name"] == "mine"
    assert list(store.templates()) == ["mine"]


def test_a_state_of_an_older_browser_keeps_its_document(state):
    older = {name: state[name] for name in ("now", "past", "future", "selected", "turn")}
    assert editing.resumed(older) == state
    assert editing.resumed(named(state, "mine"))["past"]


def test_fields_show_what_is_in_force_once_a_value_is_refused(state):
    told = {"kind": "edit", "key": [0, 0, 0], "values": ["conv", -3, "3", "1", "batch", "relu"]}
    with pytest.raises(ValueError, match="filters is -3; expected a whole number from 1 to 1024"):
        editing.acted(state, told)
    assert editing.in_force(state, told) == {"filters": 8}
    with pytest.raises(ValueError, match="filters is None"):
        editing.acted(state, told | {"values": ["conv", None, "3", "1", "batch", "relu"]})
    taken = told | {"values": ["conv", 24, "3", "2", "batch", "relu"]}
    assert editing.in_force(editing.acted(state, taken), taken) == {}
    image = {"kind": "rename", "name": "My template ", "image": [1, 4096, 8]}
    assert editing.in_force(state, image) == {"name": "My template", "height": 8}


def data_url(content: bytes) -> str:
    return f"data:application/json;base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"{}"),
        ("big.json", b" " * 1_000_001),
        ("bad.json", b"{oops"),
        ("deep.json", b"[" * 900_000),
        ("other.json", b"{}"),
        ("binary.json", bytes(range(128, 256))),
    ],
)
def test_a_file_that_is_no_template_is_refused_by_its_name(name, content):
    with pytest.raises(ValueError, match=rf"^{name} is not loaded: .*Expected a \.json file of at most 1 MB"):
        uploaded(name, data_url(content))


def test_a_template_in_a_file_is_loaded(state):
    assert uploaded("Mine.JSON", data_url(json.dumps(state["now"]).encode())) == state["now"]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (("digits", 20, 200, 1.5), "Seed is 1.5; expected a whole number, at least 0"),
        (("digits", 20, 200, -1), "Seed is -1"),
        (("digits", 20, 200, ""), "Seed is empty"),
        (("digits", 2.5, 200, 0), "Warm-up is 2.5"),
        (("digits", 20, None, 0), "Candidates is empty"),
        (("", 20, 200, 0), "Images is empty"),
    ],
)
def test_a_form_that_makes_no_run_names_the_field(form, message):
    with pytest.raises(ValueError, match=message):
        check_form(*form)
    check_form("digits", 20, 200, 0)


def test_numbers_out_of_range_are_not_shown_as_others():
    numbers = [part for part in parts(template_page.layout()) if type(part).__name__ == "NumberInput"]
    assert len(numbers) == 7
    assert all(part.clampBehavior == "none" for part in numbers)


def parts(page):
    return page._traverse()


@pytest.mark.parametrize("page", [arena, correlation, layers, navigator, runs])
def test_no_graph_offers_to_send_its_data_away(page):
    graphs = [part for part in parts(page.layout()) if isinstance(part, dcc.Graph)]
    assert graphs
    assert GRAPH["showSendToCloud"] is False
    assert all(part.config.items() >= GRAPH.items() for part in graphs)


def test_a_block_tells_its_whole_label(state):
    template = read(state["now"])
    drawn = lego.layers(template, shapes(template), state["selected"])
    titles = [getattr(part, "title", "") for column in drawn for part in parts(column)]
    assert "conv 3×3 8" in titles


def test_how_blocks_are_merged_is_chosen_in_words_and_cannot_be_taken_for_adding(state):
    state = press(state, "add", 0, "identity")
    state = press(state, "merge", 0, "concat")
    assert state["now"]["layers"][0]["merge"] == "concat"
    assert press(state, "merge", 0, "concat")["now"] == state["now"]  # a choice, not a switch
    with pytest.raises(ValueError, match="merge is 'both'; expected one of: sum, concat"):
        press(state, "merge", 0, "both")
    template = read(state["now"])
    column = lego.layers(template, shapes(template), [0, 0])[1]
    group = next(part for part in parts(column) if getattr(part, "className", "") == "lego-merge")
    told = [(button.children, getattr(button, "aria-pressed"), button.disabled) for button in group.children]
    assert told == [("Sum", "false", False), ("Concatenate", "true", False)]


def test_one_menu_adds_a_block_of_any_kind(state):
    template = read(state["now"])
    drawn = lego.layers(template, shapes(template), [0, 0])
    menus = [part for column in drawn for part in parts(column) if type(part).__name__ == "Menu"]
    assert len(menus) == 1
    items = [part for part in parts(menus[0]) if type(part).__name__ == "MenuItem"]
    assert [getattr(item, "data-press") for item in items] == [f"template:add:0:{kind}" for kind in PROPERTIES]


def test_one_block_has_nothing_to_merge(state):
    template = read(state["now"])
    column = lego.layers(template, shapes(template), [0, 0])[1]
    group = next(part for part in parts(column) if getattr(part, "className", "") == "lego-merge")
    assert all(button.disabled and "nothing to merge" in button.title for button in group.children)


def test_columns_carry_the_marks_that_lines_are_drawn_from(state):
    state = press(press(state, "add", 0, "conv"), "layer", 0)
    template = read(state["now"])
    drawn = lego.layers(template, shapes(template), [0, 0])
    assert [getattr(column, "data-flow") for column in drawn] == ["in", "sum", "sum", "out"]
    blocks = [part for part in parts(drawn[1]) if getattr(part, "data-flow", "") == "block"]
    assert len(blocks) == 2
