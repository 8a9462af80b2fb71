"""The chart of the front: what it draws is the front of what a run scored, and a dot knows its architecture."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.pages.navigator.pareto import Priced, pareto_chart, priced
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


def test_an_empty_run_says_what_to_press(cockpit):
    run = make_run(cockpit.store, "nb201", SCAN)
    figure = pareto_chart(priced(cockpit.view(run)), "dark")
    assert [note.text for note in figure.layout.annotations] == ["nothing scored yet"]
