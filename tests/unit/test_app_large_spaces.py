"""Spaces too large to draw: a sample that grows with the run; and networks trained alone beside it."""

from __future__ import annotations

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.live import pulse_of
from app.pages.layers.evidence import lack
from app.pages.navigator.block_figures import block_chart
from app.pages.navigator.loss import loss_curves
from app.space_table import SAMPLE, space_table
from nas_core import spaces
from nas_core.spaces import Act
from nas_core.spaces.template import PRESETS
from nas_core.store import Store
from tests.runs import make_run

DOCUMENT = PRESETS["3-conv-7-layer"]().to_dict()
SPACE = spaces.define(DOCUMENT)
ALL = SPACE.parse("|".join(["111"] * 7))


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


@pytest.fixture
def run(cockpit):
    config = {"proxies": ["one_shot"], "rank_by": "one_shot", "budget": 4, "template": DOCUMENT, "supernet": {}}
    return make_run(cockpit.store, SPACE.name, config)


def score(cockpit, run, values):
    """Candidates of the run with these values of the score, by notation."""
    cockpit.store.ask(run, [(text, text) for text in values], {})
    rows = {row.arch: row.position for row in cockpit.store.pending(run)}
    cockpit.store.tell(run, [(rows[text], {"one_shot": value}, {"one_shot": 0.1}) for text, value in values.items()])


def outside(count):
    """Architectures that the sample lacks."""
    table, rng, found = space_table(SPACE.name), np.random.default_rng(5), []
    while len(found) < count:
        text = SPACE.format(SPACE.sample(rng))
        if text not in table.index and text not in found:
            found.append(text)
    return found


def test_the_sample_has_no_architecture_twice_and_all_are_valid():
    table = space_table(SPACE.name)
    assert table.sampled
    assert len(set(table.texts)) == len(table.texts) == SAMPLE
    assert all(SPACE.valid(tuple(arch)) for arch in table.archs[:500].tolist())


def test_a_score_on_shared_weights_has_no_statistics_of_layers_and_says_so(cockpit, run):
    assert lack(cockpit.view(run)).finding == "one-shot is one number for a whole network"
    config = {"proxies": ["zico"], "rank_by": "zico", "budget": 4, "template": DOCUMENT}
    assert "with the first scored candidates" in lack(cockpit.view(make_run(cockpit.store, SPACE.name, config))).advice


def test_what_a_run_asks_for_joins_the_map_behind_the_sample(cockpit, run):
    before = cockpit.view(run)
    first, second, third = outside(3)
    score(cockpit, run, {first: -1.0, second: -2.0})
    view = cockpit.view(run)
    assert len(view.table.archs) == len(before.table.archs) + 2
    assert view.table.texts[: len(before.table.texts)] == before.table.texts
    assert view.over_space("one_shot")[view.table.index[first]] == -1.0
    assert set(view.rungs()[view.indices]) == {2}
    score(cockpit, run, {third: -0.5})
    later = cockpit.view(run)
    assert [later.table.texts[k] for k in later.indices] == [first, second, third]
    assert np.array_equal(later.table.projection[: len(view.table.texts)], view.table.projection)
    assert len(space_table(SPACE.name).texts) == SAMPLE


def test_a_preview_counts_the_whole_space_not_the_sample(cockpit, run):
    view = cockpit.view(run)
    after = view.steering.extended(SPACE, Act("prune", SPACE.decisions[0].name, ("on",)))
    seen = view.preview(after)
    assert seen.removed == 7**7 - 3 * 7**6
    assert seen.share == pytest.approx(4 / 7)


def test_a_network_trained_alone_is_told_to_the_run_it_was_made_for(cockpit, run):
    text = SPACE.format(ALL)
    score(cockpit, run, {text: -1.0})
    assert pulse_of(cockpit, run)["trained"] == 0
    cockpit.train(run, text, 10)
    (entry,) = cockpit.store.log(run, kind="training")
    child = cockpit.store.run(entry.body["run"])
    assert (child.state, child.config.parent, child.config.alone) == ("queued", run, text)
    cockpit.store.ask(child.id, [(text, text)], {})
    cockpit.store.tell(child.id, [(0, {"trained": 91.5}, {})])
    view = cockpit.view(run)
    assert view.trained == {text: 91.5}
    assert view.over_space("trained")[view.table.index[text]] == 91.5
    assert view.rungs()[view.table.index[text]] == 3
    assert "trained" in view.metrics
    assert pulse_of(cockpit, run)["trained"] == 1
    with pytest.raises(ValueError, match="epochs: got 0"):
        cockpit.train(run, text, 0)
    with pytest.raises(ValueError, match="expected 7 layers"):
        cockpit.train(run, "111", 5)


def test_the_block_chart_has_one_dot_a_block(cockpit, run):
    score(cockpit, run, {SPACE.format(ALL): -1.0})
    chart = block_chart(cockpit.view(run).blocks, SPACE.decisions, "dark")
    assert len(chart.data[0].x) == 21
    assert "L1 conv 1×1 8" in list(chart.data[0].text)


def test_loss_curves_tell_both_losses_and_say_what_to_do_while_there_are_none():
    points = [{"step": 10 * k, "epoch": k, "train": 2 / k, "validation": 2.5 / k, "accuracy": 0.1 * k} for k in (1, 2)]
    figure = loss_curves(points, [15], "light", trains=True)
    assert [trace.name for trace in figure.data] == ["train", "validation"]
    assert list(figure.data[1].y) == [2.5, 1.25]
    assert figure.layout.shapes[0].x0 == 1.5
    assert "first epoch" in loss_curves([], [], "dark", trains=True).layout.annotations[0].text
    assert "no weights" in loss_curves([], [], "dark", trains=False).layout.annotations[0].text
