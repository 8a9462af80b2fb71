"""Suggestions say what the candidates show, with the evidence, and nothing where they show nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.cockpit import Cockpit, View
from app.masks import packed
from app.pages.navigator.coverage import areas
from app.pages.navigator.named_regions import NamedRegion
from app.pages.navigator.regions import PLAIN_AXES
from app.pages.navigator.suggestions import LEAST_SUPPORT, MOST, suggestions
from nas_core.spaces import Act
from nas_core.store import Store
from tests.unit.test_app_loop import NETWORKS, TABLE, drawn, run_of, with_conv


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


def convolutions(indices: np.ndarray) -> np.ndarray:
    """A score by which 3x3 convolutions are good, and `none` is bad."""
    archs = TABLE.archs[indices]
    return (archs == 3).sum(axis=1) - (archs == 0).sum(axis=1) + np.linspace(0, 0.5, len(indices))


def told(view: View, kind: str) -> list:
    return [suggestion for suggestion in suggestions(view) if suggestion.press[0] == kind]


def test_nothing_is_suggested_where_nothing_is_scored_or_all_is_noise(cockpit):
    assert suggestions(cockpit.view(cockpit.ensure_run())) == []
    picked = drawn(40)
    noise = cockpit.view(run_of(cockpit, picked, np.random.default_rng(5).normal(size=40)))
    assert not told(noise, "pin")


def test_a_block_clearly_below_the_others_is_to_be_pruned_with_its_interval_and_preview(cockpit):
    picked = drawn(400)
    view = cockpit.view(run_of(cockpit, picked, convolutions(picked)))
    first = told(view, "prune")[0]
    _, d, c = first.press
    blocks = view.blocks[view.blocks["decision"] == int(d)]
    block, others = blocks[blocks["choice"] == int(c)].iloc[0], blocks[blocks["choice"] != int(c)]
    assert block.high < others["fitness"].median()
    assert block.n >= LEAST_SUPPORT
    assert f"n = {int(block.n)}," in first.evidence and f"[{block.low:.2f}, {block.high:.2f}]" in first.evidence
    assert re.search(r"removes [\d,]+ architectures \(20%\), \d+ of the current top 20", first.evidence)


def test_an_act_that_would_lose_the_best_is_not_suggested(cockpit):
    picked = drawn(400)
    values = convolutions(picked)
    values[np.argmax(TABLE.archs[picked, 0] == 0)] = 100  # the best candidate has a bad block
    view = cockpit.view(run_of(cockpit, picked, values))
    assert all(suggestion.press[1:] != ("0", "0") for suggestion in told(view, "prune"))


def test_what_is_suggested_can_be_done_and_is_not_suggested_again(cockpit):
    picked = drawn(400)
    run = run_of(cockpit, picked, convolutions(picked))
    done = set()
    for _ in range(5):
        found = told(cockpit.view(run), "prune")
        if not found:
            break
        assert found[0].press not in done
        done.add(found[0].press)
        decision = TABLE.space.decisions[int(found[0].press[1])]
        cockpit.act(run, Act("prune", decision.name, (decision.choices[int(found[0].press[2])],)))
    assert len(done) >= 3


def test_at_most_three_of_different_kinds_first(cockpit):
    picked = drawn(400)
    found = suggestions(cockpit.view(run_of(cockpit, picked, convolutions(picked))))
    assert len(found) <= MOST
    assert len({suggestion.press[0] for suggestion in found}) >= 2


def test_a_region_that_ranks_high_is_to_be_focused_on_and_a_poor_one_not(cockpit):
    picked = drawn(400)
    view = cockpit.view(run_of(cockpit, picked, convolutions(picked)))
    good = NamedRegion(7, "A", packed(with_conv(0) & with_conv(1)), PLAIN_AXES)
    poor = NamedRegion(8, "B", packed(TABLE.archs[:, 0] == 0), PLAIN_AXES)
    everything = NamedRegion(9, "C", packed(np.ones(len(TABLE.archs), dtype=bool)), PLAIN_AXES)
    focused = [s for s in suggestions(view, [poor, everything, good]) if s.press[0] == "focus"]
    assert [suggestion.press for suggestion in focused] == [("focus", "7")]
    n = int((with_conv(0) & with_conv(1))[view.indices].sum())
    assert f"n = {n}" in focused[0].evidence


def test_an_area_passed_by_is_to_be_looked_into(cockpit):
    elsewhere = NETWORKS[~np.isin(NETWORKS, TABLE.canonical[areas(TABLE.projection) == 5])][::20]
    view = cockpit.view(run_of(cockpit, elsewhere, np.random.default_rng(0).normal(size=len(elsewhere))))
    found = told(view, "explore")
    assert len(found) == 1
    assert re.search(r"Scored there: 0 of [\d,]+ networks \(0 %\); overall [1-9]\.\d %", found[0].evidence)


def test_budget_is_to_be_spent_where_a_finished_run_still_rises(cockpit):
    picked = drawn(60)
    rising, settled = run_of(cockpit, picked, np.arange(60)), run_of(cockpit, picked, -np.arange(60))
    assert not told(cockpit.view(rising), "extend")  # not through yet
    for run in (rising, settled):
        cockpit.store.set_state(run, "finished")
    found = told(cockpit.view(rising), "extend")
    assert found[0].press == ("extend", rising)
    assert "number 60 of 60" in found[0].evidence
    assert not told(cockpit.view(settled), "extend")
