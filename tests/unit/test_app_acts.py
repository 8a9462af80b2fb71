"""Acts on the Navigator: what one would remove is predicted, one that changes nothing is refused, all are listed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from dash import no_update

from app import browser_files
from app.cockpit import Cockpit
from app.masks import unpacked
from app.pages.navigator.layout import layout
from app.pages.navigator.previews import idle_because, predicted
from app.pages.navigator.region import changes
from app.pages.navigator.views import acts
from app.presses import STEERING
from nas_core import spaces
from nas_core.spaces import Act, Region, SteeringConflict
from nas_core.spaces.template import PRESETS
from nas_core.store import Store
from tests.runs import make_run

CONV = "0:3"  # nor_conv_3x3 of edge 0→1
PIN = Act("pin", "edge 0→1", ("nor_conv_3x3",))
PRUNE = Act("prune", "edge 0→1", ("none",))


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


@pytest.fixture
def run(cockpit):
    return cockpit.ensure_run()


def after(cockpit: Cockpit, run: str, *made: Act):
    for act in made:
        cockpit.act(run, act)
    return cockpit.view(run)


# what a press would do -----------------------------------------------------------------------------------------------


def text_of(drawn) -> str:
    """Everything that parts of a page say."""
    if isinstance(drawn, list | tuple):
        return "".join(map(text_of, drawn))
    return drawn if isinstance(drawn, str) else text_of(getattr(drawn, "children", None) or "")


def test_the_brick_previews_its_pin_and_the_x_its_prune(cockpit, run):
    view = cockpit.view(run)
    pin, words = predicted(view, f"pin:{CONV}", None)
    assert unpacked(pin["mask"], len(view.table.archs)).sum() == 12_500
    said = text_of(words)
    assert said.startswith("Click pins conv3 on edge 0→1")
    assert "3,125 of 15,625 architectures stay (20%)" in said
    assert "On the × instead: prune. Removes 3,125 architectures." in said
    prune, words = predicted(view, f"prune:{CONV}", pin)
    assert unpacked(prune["mask"], len(view.table.archs)).sum() == 3_125
    assert text_of(words).startswith("Click on × prunes conv3 on edge 0→1")
    assert "3,125 of 15,625 architectures go (20%)" in text_of(words)


def test_what_is_previewed_is_what_the_press_does(cockpit, run):
    view = cockpit.view(run)
    for kind, act in (("pin", PIN), ("prune", Act("prune", "edge 0→1", ("nor_conv_3x3",)))):
        seen, _ = predicted(view, f"{kind}:{CONV}", None)
        left = view.steering.extended(view.table.space, act).mask(view.table.archs)
        assert np.array_equal(unpacked(seen["mask"], len(left)), view.kept & ~left)


def test_a_press_is_predicted_once_and_cleared_after_an_act(cockpit, run):
    view = cockpit.view(run)
    seen, _ = predicted(view, f"prune:{CONV}", None)
    assert predicted(view, f"prune:{CONV}", seen) == (no_update, no_update)  # scores alone change nothing
    pinned = after(cockpit, run, PIN)
    cleared, words = predicted(pinned, f"prune:{CONV}", seen)
    assert (cleared["mask"], words) == (None, "")
    assert predicted(pinned, f"prune:{CONV}", cleared) == (no_update, no_update)


def test_another_brick_is_predicted_under_the_acts_in_force(cockpit, run):
    pinned = after(cockpit, run, PIN)
    other, words = predicted(pinned, "prune:1:0", None)
    assert unpacked(other["mask"], len(pinned.table.archs)).sum() == 625
    assert "625 of 3,125 architectures go" in text_of(words)
    last, words = predicted(pinned, f"prune:{CONV}", other)
    assert last["mask"] is None
    assert "last choice left" in text_of(words)


def test_a_press_that_would_change_nothing_says_so_before_it_is_made(cockpit, run):
    seen, words = predicted(after(cockpit, run, PIN), f"pin:{CONV}", None)
    assert seen["mask"] is None
    assert "Already pinned: conv3 on edge 0→1." in text_of(words)


# acts that change nothing --------------------------------------------------------------------------------------------


def test_a_second_pin_or_prune_of_one_brick_changes_nothing_and_says_so(cockpit, run):
    assert idle_because(cockpit.view(run), PRUNE) == ""
    assert idle_because(after(cockpit, run, PRUNE), PRUNE) == "Already pruned: none on edge 0→1."
    assert idle_because(cockpit.view(run), PIN) == ""
    view = after(cockpit, run, PIN)
    assert idle_because(view, PIN) == "Already pinned: conv3 on edge 0→1."
    assert idle_because(view, Act("prune", "edge 0→1", ("skip_connect",))) != ""
    with pytest.raises(SteeringConflict, match="last choice"):
        idle_because(view, Act("prune", "edge 0→1", ("nor_conv_3x3",)))


def test_an_undo_is_idle_only_where_it_was_made_before(cockpit, run):
    undo = Act("undo", target=0)
    assert idle_because(after(cockpit, run, PRUNE, PIN), undo) == ""
    assert "already" in idle_because(after(cockpit, run, undo), undo)


def test_a_focus_is_idle_where_it_removes_nothing_that_is_left(cockpit, run):
    view = cockpit.view(run)
    flops = view.table.closed["flops"].to_numpy()
    whole = Region(ranges=(("flops", float(flops.min()), float(flops.max())),))
    half = Region(ranges=(("flops", float(flops.min()), float(np.median(flops))),))
    assert "narrows nothing" in idle_because(view, Act("focus", region=whole))
    assert idle_because(view, Act("focus", region=half)) == ""
    assert "narrows nothing" in idle_because(after(cockpit, run, Act("focus", region=half)), Act("focus", region=half))


def test_choices_and_ranges_tell_whether_a_focus_narrows_a_space_that_is_shown_as_a_sample(cockpit):
    document = PRESETS["3-conv-7-layer"]().to_dict()
    space = spaces.define(document)
    run = make_run(cockpit.store, space.name, {"proxies": ["zico"], "rank_by": "zico", "template": document})
    view = cockpit.view(run)
    metric, largest = space.metric_names[0], 1e12
    narrow = Act("focus", region=Region(ranges=((metric, 0.0, largest),)))
    assert view.table.sampled
    assert changes(view, narrow)
    assert not changes(after(cockpit, run, narrow), narrow)
    wider = Act("focus", region=Region(ranges=((metric, 0.0, 2 * largest),)))
    assert not changes(cockpit.view(run), wider)


# the list ------------------------------------------------------------------------------------------------------------


def test_acts_are_listed_newest_first_and_each_undoes_itself(cockpit, run):
    view = after(cockpit, run, PRUNE, Act("prune", "edge 0→2", ("none",)), Act("undo", target=0), PIN)
    shown = [
        (row.children[0].children[0], row.children[1].to_plotly_json()["props"]["data-press"]) for row in acts(view)
    ]
    assert shown == [
        ("pin conv3 on edge 0→1", "undo:3"),
        ("prune none on edge 0→2", "undo:1"),
    ]


def test_the_list_of_acts_can_be_scrolled_by_keyboard():
    (listed,) = (part for part in layout()._traverse() if getattr(part, "id", None) == "acts-list")
    assert listed.tabIndex == 0


def test_browser_and_server_agree_on_the_presses_that_steer():
    script = (browser_files.FOLDER / "presses.js").read_text()
    patterns = re.findall(r"(?:steers|undoes) = /\^([^/]*)\\b/", script)
    verbs = [verb for pattern in patterns for verb in STEERING if re.fullmatch(pattern, verb)]
    assert len(patterns) == 2 and sorted(verbs) == sorted(STEERING)
    told = {word for pattern in patterns for word in re.findall(r"[a-z]+(?:-[a-z]+)*", pattern)}
    assert told - {"undo", "-last", "last"} <= set(STEERING)
