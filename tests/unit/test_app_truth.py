"""Pages hold scores against the column of truth that was chosen, and name scores and columns in plain words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app import selection
from app.cockpit import Cockpit
from app.labels import explanation, ranking_label, score_label
from app.laboratory import leader_board
from app.pages.navigator.pareto import pareto_chart, priced
from app.pages.navigator.trust import trust, verdict
from app.report import report
from app.truth import options, truth_of, truths_of
from nas_core import bench, proxies, spaces
from nas_core.proxies import ScoreSettings
from nas_core.store import Store
from tests.runs import make_run

SPACE = spaces.get("nb201")
CELLS = sorted({SPACE.canonical(arch) for arch in SPACE.architectures()})[::60]
TEXTS = [SPACE.format(arch) for arch in CELLS]


@pytest.fixture(autouse=True)
def devices(tmp_path, monkeypatch):
    """A table of two latencies, an energy and an accuracy; of the last cell nothing is known."""
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path / "home"))
    n = len(TEXTS) - 1
    frame = pd.DataFrame({"arch": TEXTS[:n], "raspi4_latency": 200.0 - np.arange(n), "pixel3_latency": 1.0})
    frame = frame.assign(edgegpu_energy=np.arange(n) + 1.0, test_accuracy=50.0)
    frame.to_csv(tmp_path / "t.csv", index=False)
    bench.import_results(tmp_path / "t.csv", "nb201", name="hw")


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


@pytest.fixture
def view(cockpit):
    """A run whose score grows from cell to cell, while the latency falls."""
    config = {"proxies": ["zico"], "rank_by": "zico", "settings": ScoreSettings.laptop().to_dict()}
    run = make_run(cockpit.store, "nb201", config)
    rows = cockpit.store.ask(run, [(text, text) for text in TEXTS], {})
    cockpit.store.tell(run, [(row.position, {"zico": float(k)}, {}) for k, row in enumerate(rows)])
    return cockpit.view(run)


def test_the_picker_offers_every_column_with_kind_and_unit_the_default_first():
    assert options("nb201")[0] == {
        "value": "published/cifar10",
        "label": "published/cifar10 · validation accuracy, %",
    }
    assert {"value": "hw/raspi4_latency", "label": "hw/raspi4_latency · latency, ms"} in options("nb201")
    assert options("nb_macro") == [] and truth_of("nb_macro") is None and truths_of("nb_macro") == []


def test_a_choice_that_a_space_has_not_is_its_default():
    for choice in (None, "nowhere/cifar10", "hw/gone"):
        found = truth_of("nb201", choice)
        assert found is not None and found.choice == "published/cifar10"


def test_beside_the_chosen_column_stand_those_of_its_table_that_measure_the_same():
    assert [one.choice for one in truths_of("nb201", "hw/pixel3_latency")] == ["hw/pixel3_latency", "hw/raspi4_latency"]
    assert [one.name for one in truths_of("nb201")] == ["cifar10", "cifar100", "imagenet16-120"]


def test_a_score_that_orders_latencies_the_right_way_is_trusted(view):
    truth = truth_of("nb201", "hw/raspi4_latency")
    assert truth.axis == "hw/raspi4_latency, ms, lower is better"
    known = truth.over(view.table)[view.indices]
    assert known[0] == 200 and np.isnan(known[-1])
    said = verdict(trust(view, truth))
    assert said.startswith("Trust: zico against hw/raspi4_latency (tabular truth): τ 1.00")
    rows = {row["score"]: row for row in leader_board(view, truth.oriented(known), np.arange(len(known)), view.ranked)}
    assert rows["zico"]["tau"].startswith("1.000")
    energy = verdict(trust(view, truth_of("nb201", "hw/edgegpu_energy")))
    assert energy.startswith("⚠ The ranking is upside down here") and "τ -1.00" in energy


def test_a_column_of_which_less_is_better_is_a_cost_on_the_chart(view):
    points = priced(view, truth_of("nb201", "hw/raspi4_latency"))
    assert points.cost == "hw/raspi4_latency, ms"
    assert points.costs.tolist() == [200.0 - k for k in range(len(TEXTS) - 1)]
    assert int(points.on_front.sum()) == 1  # the last is the best and the fastest
    assert "hw/raspi4_latency, ms" in pareto_chart(points, "dark").layout.xaxis.title.text
    assert priced(view, truth_of("nb201")).cost == "FLOPs"


def test_the_cost_of_a_run_may_be_a_column_of_a_table(cockpit):
    config = {"strategy": "pareto", "proxies": ["zico"], "rank_by": "zico", "costs": ["hw/edgegpu_energy"]}
    run = make_run(cockpit.store, "nb201", config)
    rows = cockpit.store.ask(run, [(text, text) for text in TEXTS[:5]], {})
    cockpit.store.tell(run, [(row.position, {"zico": 1.0}, {}) for row in rows])
    assert priced(cockpit.view(run), truth_of("nb201", "hw/raspi4_latency")).costs.tolist() == [1, 2, 3, 4, 5]


def test_the_report_holds_the_scores_against_what_was_chosen(cockpit, view):
    document = report(cockpit, view.run.id, "hw/raspi4_latency")
    assert "hw/raspi4_latency, ms, lower is better (truth)" in document
    assert "hw/pixel3_latency, ms, lower is better (truth)" in document
    assert "cifar10 validation accuracy" not in document
    assert "cifar10 validation accuracy, % (truth)" in report(cockpit, view.run.id)


def test_a_table_imported_anew_is_another_version_of_the_truth(tmp_path):
    before = truth_of("nb201", "hw/raspi4_latency").version
    assert truth_of("nb201", "hw/raspi4_latency").version == before
    pd.DataFrame({"arch": TEXTS, "raspi4_latency": 3.0}).to_csv(tmp_path / "t.csv", index=False)
    bench.import_results(tmp_path / "t.csv", "nb201", name="hw")
    assert truth_of("nb201", "hw/raspi4_latency").version != before


def test_an_address_holds_the_truth_and_two_addresses_may_differ():
    one, other = (selection.write("r1", "a|b", truth) for truth in ("hw/raspi4_latency", None))
    assert selection.read_truth(one) == "hw/raspi4_latency" and selection.read_truth(other) is None
    assert selection.read(one) == selection.read(other) == ("r1", "a|b")


def test_no_score_is_called_by_an_internal_name():
    names = [*proxies.names(), "one_shot", "hits", "trained", "aggregate", *SPACE.metric_names]
    assert not [score_label(name) for name in names if "_" in score_label(name)]
    assert all(explanation(name) for name in names)
    assert score_label("sum_log_layer_size") == "sum of log layer sizes"
    assert (ranking_label("ntk_condition"), ranking_label("zico")) == ("−NTK condition", "zico")
    assert score_label("hw/raspi4_latency") == "hw/raspi4_latency"
