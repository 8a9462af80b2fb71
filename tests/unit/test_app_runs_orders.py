"""What can be done with the chosen runs: what would do nothing is at rest and says why; presses carry their runs."""

from __future__ import annotations

import pytest

from app.cockpit import Cockpit
from app.pages.runs import callbacks
from app.pages.runs.orders import ORDERS, carry_out, label, obstacle, words
from nas_core.spaces import Act
from nas_core.store import Store
from tests.runs import SCAN, make_run

ARCH = "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|"
STATES = ("created", "queued", "running", "paused", "stopped", "finished", "failed")


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


@pytest.fixture
def run(cockpit):
    return make_run(cockpit.store, "nb201", SCAN, "first")


def free(cockpit: Cockpit, *runs: str) -> set[str]:
    chosen = [cockpit.store.run(run) for run in runs]
    return {order for order in ORDERS if not obstacle(order, chosen)}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("created", {"start"}),
        ("queued", {"pause", "stop"}),
        ("running", {"pause", "stop"}),
        ("paused", {"start", "stop"}),
        ("stopped", {"start"}),
        ("finished", {"extend"}),
        ("failed", {"start"}),
    ],
)
def test_what_can_be_done_follows_the_state(cockpit, run, state, expected):
    cockpit.store.set_state(run, state)
    assert free(cockpit, run) == expected | {"open", "report", "script", "delete"}


def test_without_a_run_everything_is_at_rest_and_says_so():
    assert all(obstacle(order, []) for order in ORDERS)


@pytest.mark.parametrize("state", STATES)
def test_every_order_at_rest_has_a_reason(cockpit, run, state):
    cockpit.store.set_state(run, state)
    chosen = [cockpit.store.run(run)]
    assert all(obstacle(order, chosen).endswith(".") for order in set(ORDERS) - free(cockpit, run))


def test_a_network_trained_alone_is_not_extended(cockpit, run):
    cockpit.train(run, ARCH, 10)
    alone = next(row.id for row in cockpit.store.runs() if row.id != run)
    for identifier in (run, alone):
        cockpit.store.set_state(identifier, "finished")
    assert "extend" in free(cockpit, run)
    assert not {"extend", "train"} & free(cockpit, alone)


def test_a_twin_is_offered_for_a_run_that_was_steered_and_ended_and_else_says_why(cockpit, run):
    def why() -> str:
        return obstacle("twin", [cockpit.store.run(run)])

    assert "was not steered" in why()
    cockpit.act(run, Act("prune", "*", ("none",)))
    cockpit.store.set_state(run, "running")
    assert why() == "It is running: pause it, or wait for its end."
    cockpit.store.set_state(run, "finished")
    assert why() == ""
    cockpit.twin(run)
    twin = next(row for row in cockpit.store.runs() if row.config.twin_of)
    assert obstacle("twin", [twin]) == "It is a twin itself."


def test_two_are_compared_and_one_is_opened(cockpit, run):
    other = make_run(cockpit.store, "nb201", SCAN, "second")
    assert "compare" in free(cockpit, run, other)
    assert not {"open", "report", "script", "twin"} & free(cockpit, run, other)
    assert "compare" not in free(cockpit, run)


def test_a_press_carries_the_runs_that_it_is_for(cockpit, run):
    other = make_run(cockpit.store, "nb201", SCAN, "second")
    one, two = cockpit.store.run(run), cockpit.store.run(other)
    assert words("start", [one]) == f"start:{run}"
    assert words("start", [one, two]) == f"each:start:{run}:{other}"
    assert words("delete", [one, two]) == f"delete:{run}:{other}"
    assert words("compare", [one, two]) == f"compare:{run}:{other}"
    assert words("twin", [one]) == f"twin-of:{run}"


def test_start_reads_as_what_it_does(cockpit, run):
    said = {}
    for state in STATES:
        cockpit.store.set_state(run, state)
        said[state] = label("start", [cockpit.store.run(run)])
    assert (said["created"], said["paused"], said["stopped"]) == ("Start", "Resume", "Start again")


def test_one_order_for_several_reaches_those_that_it_does_something_for(cockpit, run):
    other = make_run(cockpit.store, "nb201", SCAN, "second")
    cockpit.store.set_state(other, "finished")
    assert "start" in free(cockpit, run, other)
    told = callbacks.order_each(cockpit, {"what": f"each:start:{run}:{other}"})
    assert told[0]["message"].startswith("Start: 1 of 2 runs. “second”: It is done.")
    assert told[0]["title"] != "Done"
    assert [cockpit.store.run(name).state for name in (run, other)] == ["queued", "finished"]
    with pytest.raises(ValueError, match="It is done"):
        carry_out(cockpit, "start", cockpit.store.run(other))


def test_a_paused_run_is_resumed_and_a_budget_is_raised(cockpit, run):
    cockpit.store.set_state(run, "paused")
    carry_out(cockpit, "start", cockpit.store.run(run))
    assert cockpit.store.log(run, kind="command")[-1].body["name"] == "resume"
    cockpit.store.set_state(run, "finished")
    carry_out(cockpit, "extend", cockpit.store.run(run))
    assert cockpit.store.run(run).config.budget == SCAN["budget"] + 500


def test_a_twin_is_made_chosen_and_compared(cockpit, run):
    cockpit.act(run, Act("prune", "*", ("none",)))
    cockpit.store.set_state(run, "finished")
    chosen, compared, told = callbacks.make_twin(cockpit, {"what": f"twin-of:{run}"})
    twin = next(row for row in cockpit.store.runs() if row.config.twin_of == run)
    assert chosen == compared == [run, twin.id]
    assert told[0]["title"] == "Twin"
    assert twin.state == "queued"


def test_several_runs_are_deleted_and_one_that_is_gone_is_no_error(cockpit, run):
    other = make_run(cockpit.store, "nb201", SCAN, "second")
    left = make_run(cockpit.store, "nb201", SCAN, "third")
    search, opened = callbacks.delete(cockpit, 1, [run, other, "gone"], run)
    assert [row.id for row in cockpit.store.runs()] == [left]
    assert (left in search, opened) == (True, False)
