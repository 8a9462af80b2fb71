"""The table of runs: what a row says, that it costs no candidate, and which rows are sent again."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from dash.exceptions import PreventUpdate

from app.cockpit import Cockpit
from app.pages.runs import callbacks, rows
from app.pages.runs.layout import CHIPS
from app.pages.runs.rows import RunTable, news, queue, row, spark
from nas_core.spaces import Act
from nas_core.store import Store
from tests.runs import SCAN, make_run

ARCH = "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|"


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


@pytest.fixture
def run(cockpit):
    return make_run(cockpit.store, "nb201", {**SCAN, "budget": 500}, "first")


def score(cockpit: Cockpit, run: str, value: float) -> None:
    """Score a candidate and sum it up, as an engine does."""
    asked = cockpit.store.ask(run, [(ARCH, ARCH)], {})
    summary = {"best": value, "curve": [[1, value - 1], [8, value]]}
    cockpit.store.tell(run, [(row.position, {"zico": value}, {}) for row in asked], summary=summary)


def only(cockpit: Cockpit) -> rows.Row:
    (found,) = RunTable(cockpit).rows()
    return found


def test_a_row_tells_name_space_data_strategy_state_and_best(cockpit, run):
    score(cockpit, run, 2.5)
    cockpit.act(run, Act("prune", "*", ("none",)))
    cockpit.store.set_state(run, "running")
    found = only(cockpit)
    assert (found["name"], found["about"]) == ("first", "nb201 · digits · scan")
    assert (found["sign"], found["state"], found["said"]) == ("●", "Running", "1 of 500")
    assert (found["best"], found["metric"], found["acts"], found["steered"]) == (2.5, "zico", 1, True)
    assert found["spark"].startswith("M")
    json.dumps(found)  # as it goes to the browser


def test_the_table_reads_no_candidate(cockpit, run, monkeypatch):
    score(cockpit, run, 2.5)
    for reads in ("candidates", "candidates_of", "generation", "table"):
        monkeypatch.setattr(Store, reads, lambda *_, reads=reads: pytest.fail(f"{reads} was read"))
    assert only(cockpit)["best"] == 2.5


def test_a_run_that_nobody_summed_up_says_where_its_best_is_found(cockpit, run):
    asked = cockpit.store.ask(run, [(ARCH, ARCH)], {})
    cockpit.store.tell(run, [(row.position, {"zico": 1.0}, {}) for row in asked])
    found = only(cockpit)
    assert (found["best"], found["spark"]) == (None, "")
    assert "Compare reads the best" in found["unknown"]


def test_done_is_said_of_what_is_done(cockpit, run):
    states = {}
    for state in ("created", "queued", "running", "paused", "stopped", "finished", "failed"):
        cockpit.store.set_state(run, state)
        states[state] = only(cockpit)["state"]
    assert [state for state, word in states.items() if word == "Done"] == ["finished"]
    assert len(set(states.values())) == len(states)
    cockpit.store.set_state(run, "finished", "nothing new is left under the steering after 60 candidates")
    assert only(cockpit)["said"] == "0 of 500: nothing new is left under the steering after 60 candidates"


def test_a_waiting_run_says_behind_how_many_it_waits_and_why(cockpit, run):
    others = [make_run(cockpit.store, "nb201", SCAN, name) for name in ("second", "third")]
    cockpit.store.set_state(run, "running")
    for other in others:
        cockpit.store.set_state(other, "queued")
    assert queue(cockpit.store.runs()) == {others[0]: 1, others[1]: 2}
    told = {found["name"]: (found["said"], found["why"]) for found in RunTable(cockpit).rows()}
    assert told["second"][0] == "behind 1 run"
    assert told["third"][0] == "behind 2 runs"
    assert "oldest first" in told["third"][1]
    lame = Cockpit(cockpit.store, lambda: "the engine ended; start it again")
    assert RunTable(lame).rows()[0]["said"] == "the engine ended; start it again"


def test_a_paused_run_says_since_when_it_was_paused_by_hand(cockpit, run):
    cockpit.store.command(run, "start")
    assert only(cockpit)["since"] is None
    cockpit.store.command(run, "pause")
    pressed = cockpit.store.log(run, kind="command")[-1].time
    assert only(cockpit)["since"] == pressed
    cockpit.store.set_state(run, "failed", "out of memory")
    assert (only(cockpit)["since"], only(cockpit)["said"]) == (None, "out of memory")


def test_runs_of_one_name_are_told_apart_by_their_identifier(cockpit, run):
    assert run not in only(cockpit)["about"]
    other = make_run(cockpit.store, "nb201", SCAN, "first")
    found = RunTable(cockpit).rows()
    assert [entry["about"].split(" · ")[0] for entry in found] == [other, run]


def test_only_rows_that_changed_are_sent_again(cockpit, run):
    table = RunTable(cockpit)
    make_run(cockpit.store, "nb201", SCAN, "second")
    first = news(table.rows(), {})
    known = json.loads(json.dumps(first.known))  # as the browser gives it back
    assert len(first.rows) == 2
    assert not news(table.rows(), known)
    score(cockpit, run, 2.5)
    changed = news(table.rows(), known)
    assert [entry["id"] for entry in changed.rows] == [run]
    cockpit.store.delete_run(run)
    gone = news(table.rows(), changed.known)
    assert (gone.rows, gone.gone) == ([], [run])
    assert list(gone.known) == [entry["id"] for entry in table.rows()]


def test_a_beat_without_news_costs_the_browser_nothing(cockpit, run):
    table = RunTable(cockpit)
    sent, *_, counts, _hidden, _empty, _some = callbacks.changes(table, None)
    known = news(sent, {}).known
    assert dict(zip(CHIPS, counts, strict=True))["All"] == "1"
    with pytest.raises(PreventUpdate):
        callbacks.changes(table, known)


def test_an_empty_store_says_what_to_press(cockpit):
    *_, empty, hidden = callbacks.changes(RunTable(cockpit), None)
    assert empty == "No run yet. Press New run to make one."
    assert not hidden


@pytest.mark.parametrize("steps", [1, 2, 300])
def test_a_sparkline_stays_within_its_cell_and_rises(steps):
    path = spark([(float(k + 1), k**0.5) for k in range(steps)], 400)
    xs = [float(x) for x in re.findall(r"[MH](\d+)", path)]
    ys = [float(y) for y in re.findall(r"(?:M\d+ |V)(\d+)", path)]
    assert xs == sorted(xs) and xs[0] >= 0 and xs[-1] <= rows.SPARK_WIDTH
    assert ys == sorted(ys, reverse=True) and ys[-1] >= 0 and ys[0] <= rows.SPARK_HEIGHT
    assert len(path) < 500


def test_a_thousand_rows_are_few_bytes(cockpit, run):
    score(cockpit, run, 2.5)
    held = cockpit.store.run(run)
    many = [row(dataclasses.replace(held, id=f"{k:012}", name=f"run {k}")) for k in range(1000)]
    assert len(json.dumps(many)) < 700_000


def test_a_task_without_candidates_has_no_best(cockpit, run):
    held = cockpit.store.run(run)
    other = dataclasses.replace(held, config=dataclasses.replace(held.config, task="countdown"), message="3 left")
    found = row(other)
    assert (found["metric"], found["said"], found["about"]) == ("", "not started yet", "countdown · seed 0")
