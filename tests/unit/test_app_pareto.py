"""The chart of the front: what it draws is the front of what a run scored, and a dot knows its architecture."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.pages.navigator.pareto import Priced, known_costs, pareto_chart, priced
from app.pages.navigator.scene import scene
from app.pages.navigator.space_map import moved
from app.pages.navigator.tradeoff import TRADE_OFF, axes_of, front_line, knee, sentence
from nas_core.store import Store
from tests.runs import SCAN, make_run

CELLS = [
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
]


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


def scored(cockpit, values, **config):
    """A run whose candidates are `CELLS` with these values."""
    run = make_run(cockpit.store, "nb201", {**SCAN, **config})
    asked = cockpit.store.ask(run, [(text, text) for text in CELLS], {})
    cockpit.store.tell(run, [(row.position, told, {}) for row, told in zip(asked, values, strict=True)])
    return cockpit.view(run)


def drawn(sent):
    return np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"]).tolist()


def test_the_front_is_drawn_over_what_is_dominated_and_its_dots_hold_their_architectures(cockpit):
    view = scored(cockpit, [{"zico": value} for value in (1.0, 5.0, 4.0, 6.0)])
    behind, front = pareto_chart(priced(view), "dark").data
    flops = view.table.closed["flops"]
    assert list(front.customdata) == [CELLS[0], CELLS[1], CELLS[3]]
    assert list(front.y) == [1.0, 5.0, 6.0]
    assert list(front.x) == [flops[view.table.index[text]] for text in front.customdata]
    assert front.text[1] == "none · none · none · conv1 · none · none"
    assert drawn(behind.y) == [4.0]
    assert drawn(behind.customdata) == [view.table.index[CELLS[2]]]


def test_the_cost_is_the_first_one_of_the_run(cockpit):
    told = [{"zico": float(k), "latency_ms": 9.0 - k} for k in range(4)]
    view = scored(cockpit, told, strategy="pareto", proxies=["zico", "latency_ms"], costs=["latency_ms", "flops"])
    points = priced(view)
    assert (points.cost, points.metric) == ("latency, ms", "zico")
    assert points.costs.tolist() == [9.0, 8.0, 7.0, 6.0]
    assert points.on_front.tolist() == [False, False, False, True]


def test_a_score_of_which_less_is_better_gets_a_minus_and_is_never_its_own_cost(cockpit):
    told = [{"latency_ms": value} for value in (1.0, 2.0, 3.0, 4.0)]
    points = priced(scored(cockpit, told, proxies=["latency_ms"], rank_by="latency_ms"))
    assert (points.cost, points.metric) == ("FLOPs", "−latency, ms")
    assert points.on_front.tolist() == [True, False, False, False]
    told = [{"flops": float(value)} for value in (1, 2, 3, 4)]
    assert priced(scored(cockpit, told, proxies=["flops"], rank_by="flops")).cost == "parameters"


def test_what_is_undefined_is_left_out(cockpit):
    points = priced(scored(cockpit, [{"zico": value} for value in (float("nan"), 5.0, float("nan"), 6.0)]))
    assert points.values.tolist() == [5.0, 6.0]


def test_costs_of_zero_have_no_place_on_a_logarithmic_axis_and_are_counted():
    mask = np.array([True, True])
    points = Priced(
        "zico", "live_params", np.arange(2), np.array([1.0, 2.0]), np.array([0.0, 3.0]), mask, {0: "a", 1: "b"}
    )
    assert "1 at 0 not drawn" in pareto_chart(points, "light").layout.xaxis.title.text


def test_ticks_of_the_logarithmic_axis_are_all_written_in_full(cockpit):
    view = scored(cockpit, [{"zico": value} for value in (1.0, 5.0, 4.0, 6.0)])
    axis = pareto_chart(priced(view), "dark").layout.xaxis
    costs = priced(view).costs
    assert axis.dtick is None and "20 M" in axis.ticktext
    assert axis.tickvals[0] <= costs.min() and axis.tickvals[-1] >= costs.max()


def test_an_empty_run_says_what_to_press(cockpit):
    run = make_run(cockpit.store, "nb201", SCAN)
    figure = pareto_chart(priced(cockpit.view(run)), "dark")
    assert [note.text for note in figure.layout.annotations] == ["nothing scored yet"]


# the trade-off view --------------------------------------------------------------------------------------------------


def bent(costs, values):
    """Points that all lie on the front."""
    n = len(costs)
    return Priced("zico", "FLOPs", np.arange(n), np.array(values), np.array(costs), np.ones(n, dtype=bool), {})


def test_the_knee_is_where_more_cost_begins_to_buy_little():
    found = knee(bent([1.0, 2.0, 3.0, 10.0], [0.0, 7.0, 9.0, 10.0]))
    assert (found.at, found.cost, found.most) == (2, 3.0, 10.0)
    assert found.share == pytest.approx(0.9)
    said = sentence(bent([1.0, 2.0, 3.0, 10.0], [0.0, 7.0, 9.0, 10.0]))
    assert said.startswith("FLOPs 3 buys 90% of what zico can gain; up to 10 adds the other 10%.")
    assert said.endswith("4 of 4 scored are on the front of zico over FLOPs.")


def test_the_knee_does_not_depend_on_units():
    costs, values = np.array([1.0, 2.0, 3.0, 10.0]), np.array([0.0, 7.0, 9.0, 10.0])
    assert knee(bent(costs * 1e6, values / 1e3 - 5)).at == knee(bent(costs, values)).at


def test_without_a_bend_or_with_too_few_networks_no_knee_is_named():
    straight, few = bent([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]), bent([1.0, 2.0], [1.0, 2.0])
    assert knee(straight) is None and "about as much" in sentence(straight)
    assert knee(few) is None and "too few to name a knee" in sentence(few)
    assert "No cost" in sentence(None)
    assert "Nothing is scored yet" in sentence(bent([], []))


def test_costs_to_choose_from_are_those_of_the_run_the_usual_counts_and_a_measured_latency(cockpit):
    told = [{"zico": float(k), "latency_ms": 9.0 - k} for k in range(4)]
    view = scored(cockpit, told, strategy="pareto", proxies=["zico", "latency_ms"], costs=["latency_ms"])
    assert known_costs(view)[:3] == ["latency_ms", "flops", "params"]
    plain = scored(cockpit, [{"zico": float(k)} for k in range(4)])
    assert known_costs(plain)[0] == "flops" and "latency_ms" not in known_costs(plain)
    assert all("accuracy" not in name for name in known_costs(plain))


def test_the_trade_off_is_drawn_by_cost_and_score_and_its_front_names_its_networks(cockpit):
    view = scored(cockpit, [{"zico": value} for value in (1.0, 5.0, 4.0, 6.0)])
    assert axes_of(view, TRADE_OFF, "projection 1", "projection 2", "params") == ("params", "zico")
    assert axes_of(view, "map", "projection 1", "projection 2", "params") == ("projection 1", "projection 2")
    line = front_line(view, "flops")
    assert [view.table.texts[k] for k in line["at"]] == [CELLS[0], CELLS[1], CELLS[3]]
    assert line["y"] == [1.0, 5.0, 6.0] and line["x"] == sorted(line["x"])


def test_at_an_earlier_moment_no_later_score_has_a_place_on_the_trade_off(cockpit):
    view = scored(cockpit, [{"zico": value} for value in (1.0, 5.0, 4.0, 6.0)])
    told = moved(scene(view, 2, None), TRADE_OFF, "projection 1", "projection 2", "flops")
    assert set(told) == {"y", "front"}
    heights = np.frombuffer(base64.b64decode(told["y"]), np.float32)
    known = {view.table.index[text]: heights[view.table.index[text]] for text in CELLS}
    assert [bool(np.isnan(height)) for height in known.values()] == [False, False, True, True]
    assert told["front"]["y"] == [1.0, 5.0]
    assert moved(view, "map", "projection 1", "params", "flops") == {}
