"""The Correlation page's numbers on a real store: weights of the aggregate, what to label next, other settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.cockpit import Cockpit, View
from app.laboratory import (
    aggregate,
    equal_weights,
    leader_board,
    measured,
    stability,
    usable_weights,
    weighable,
)
from app.pages.correlation.label_next import plan
from app.truth import truth_of
from nas_core import bench, spaces
from nas_core.proxies import ScoreSettings
from nas_core.store import Store
from tests.runs import make_run

SPACE = spaces.get("nb201")
OWN = ScoreSettings.laptop()


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@pytest.fixture
def view(store):
    """A finished run of 200 networks with two scores: a noisy accuracy, and noise alone."""
    archs = sorted({SPACE.canonical(a) for a in SPACE.architectures()})[::32][:200]
    texts = [SPACE.format(arch) for arch in archs]
    truth = bench.truth("nb201")["cifar10"].loc[texts].to_numpy()
    noise = np.random.default_rng(0).normal(size=(2, len(texts)))
    run = make_run(store, "nb201", {"proxies": ["zico", "jacov"], "rank_by": "zico", "settings": OWN.to_dict()})
    asked = store.ask(run, [(text, text) for text in texts], {})
    scores = [{"zico": truth[k] + noise[0, k], "jacov": noise[1, k]} for k in range(len(texts))]
    store.tell(run, [(row.position, scores[k], {}) for k, row in enumerate(asked)])
    return Cockpit(store).view(run)


def everything(view: View) -> np.ndarray:
    return np.arange(len(view.indices))


def known(view: View, column: str) -> np.ndarray:
    truth = truth_of("nb201", f"published/{column}")
    assert truth is not None
    return truth.over(view.table)[view.indices]


def remember(store: Store, settings: ScoreSettings, values: dict[str, float]) -> None:
    scores = [(text, {"zico": value}, {}, {}) for text, value in values.items()]
    store.remember_all("nb201", settings.key(), scores)


def test_stability_correlates_settings_over_the_networks_they_share(store):
    run = make_run(store, "nb201", {"proxies": ["zico"], "rank_by": "zico", "settings": OWN.to_dict()})
    texts = [SPACE.format(arch) for arch in sorted({SPACE.canonical(a) for a in SPACE.architectures()})[:40]]
    remember(store, OWN, {text: float(k) for k, text in enumerate(texts)})
    remember(store, replace(OWN, seed=1), {text: float(-k) for k, text in enumerate(texts[:30])})
    remember(store, replace(OWN, data="noise", batch_size=8), {text: float(k) for k, text in enumerate(texts[35:])})
    store.remember("nb201", texts[0], "v1;old", {"zico": 1.0}, {})
    cockpit = Cockpit(store)
    names, found = stability(cockpit, cockpit.view(run), "zico")
    assert names == ["these settings", "seed 1", "data noise, batch_size 8"]
    assert found[0, 1] == pytest.approx(-1)
    assert np.isnan(found[0, 2]) and np.isnan(found[1, 2])  # five networks are too few
    assert np.allclose(np.diag(found)[:2], 1)


def test_a_score_under_one_setting_only_stands_alone(store):
    run = make_run(store, "nb201", {"proxies": ["zico"], "rank_by": "zico", "settings": OWN.to_dict()})
    cockpit = Cockpit(store)
    assert stability(cockpit, cockpit.view(run), "zico")[0] == ["these settings"]


def test_equal_weights_leave_out_a_score_that_disagrees_with_the_others(view):
    assert weighable(view) == ["zico", "jacov", "live_params"]
    assert equal_weights(view) == {"zico": 1.0, "jacov": 0.0, "live_params": 0.0}  # the last is no score of the run
    assert usable_weights(view, {}) == equal_weights(view)


def test_weights_of_the_user_rank_the_aggregate_alone(view):
    alone = aggregate(view, {"jacov": 2})
    assert (np.argsort(alone) == np.argsort(view.oriented("jacov"))).all()
    assert not np.allclose(aggregate(view), aggregate(view, {"zico": 1, "jacov": 1, "live_params": 1}))


def test_weights_that_cannot_be_used_are_equal_ones(view):
    unusable = ({"zico": 0}, {"zico": -1, "jacov": "many"}, {"zico": float("inf")}, {"another": 3})
    assert all(usable_weights(view, weights) == equal_weights(view) for weights in unusable)


def test_the_row_of_the_aggregate_says_whose_weights_it_has(view):
    truth = known(view, "cifar10")
    for weights, kind in ((None, "no label"), ({"jacov": 1}, "your weights")):
        rows = leader_board(view, truth, everything(view), aggregate(view, weights), weighted=weights is not None)
        assert f"aggregate ({kind})" in [row["score"] for row in rows]
    by_score = {row["score"]: row for row in rows}
    assert by_score["aggregate (your weights)"]["tau"].split()[0] == by_score["jacov"]["tau"].split()[0]


def test_truth_is_that_of_the_scored_candidates_in_their_order(view):
    recorded = bench.truth("nb201")["cifar100"]
    assert known(view, "cifar100")[7] == recorded[view.table.texts[view.indices[7]]]


def test_what_is_left_once_a_size_is_taken_out_is_the_partial_correlation(view):
    truth, score = known(view, "cifar10"), view.oriented("zico")
    chosen = everything(view)[10:150]
    bars = measured(view, score, truth, chosen)
    size = view.over_space("live_params")[view.indices][chosen]
    expected = bench.partial_correlation(score[chosen], truth[chosen], [size])
    assert bars["with the truth, live parameters taken out"] == pytest.approx(expected)


def test_labels_read_from_the_truth_predict_the_others_and_say_that_they_are_simulated(view):
    truth, prior = known(view, "cifar10"), aggregate(view)
    found = plan(view, prior, truth, everything(view), labels=12, number=4)
    assert (found.labels, found.simulated, found.pool, found.held_out) == (12, True, 200, 188)
    assert len({one.arch for one in found.next}) == 4
    assert all(one.low <= one.predicted <= one.high for one in found.next)
    assert [one.truth for one in found.next] == [truth[list(view.indices).index(one.index)] for one in found.next]
    assert found.tau > 0.5


def test_trained_candidates_are_the_labels_where_there_are_three(view):
    texts = [view.table.texts[k] for k in view.indices]
    trained = replace(view, trained={texts[3]: 60.0, texts[90]: 80.0, texts[160]: 75.0})
    found = plan(trained, aggregate(view), None, everything(view), labels=12, number=3)
    assert (found.labels, found.simulated, found.held_out) == (3, False, 0)
    assert not {one.arch for one in found.next} & set(trained.trained)
    assert all(one.low < one.predicted < one.high and one.high > 80 for one in found.next)  # three labels know little
    with pytest.raises(ValueError, match="1 trained here and no truth is known"):
        plan(replace(view, trained={texts[3]: 60.0}), aggregate(view), None, everything(view), labels=12, number=3)
