"""Runs as the app shows them: what a new one is checked for, what its card and its status say, and what is drawn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app import top_bar
from app.cockpit import Cockpit
from app.live import pulse_of
from app.pages.navigator import candidate
from app.pages.runs.callbacks import lost
from app.pages.runs.wanted import Wanted, missing_path
from app.server import create_app
from nas_core import spaces
from nas_core.search.objectives import Objective, ObjectiveKind
from nas_core.spaces import Act
from nas_core.store import Store
from tests.callbacks import ask
from tests.runs import SCAN, make_run

SPACE = spaces.get("nb201")
ARCH = "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|"
FORM = {
    "strategy": "evolution",
    "budget": 500,
    "seed": 0,
    "data": "digits",
    "space": "nb201",
    "scores": ["zico"],
    "preset": "laptop",
    "cost": "flops",
}


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def cockpit(url):
    store = Store(url)
    yield Cockpit(store)
    store.close()


@pytest.fixture
def run(cockpit):
    return make_run(cockpit.store, "nb201", SCAN, "first")


def score(cockpit: Cockpit, run: str, value: float) -> None:
    asked = cockpit.store.ask(run, [(ARCH, SPACE.format(SPACE.canonical(SPACE.parse(ARCH))))], {})
    cockpit.store.tell(run, [(row.position, {"zico": value}, {}) for row in asked])


# a new run


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("data", "foo", "data: got 'foo', expected one of: digits, noise, cifar10:PATH"),
        ("data", "npz:", "data: got 'npz:'"),
        ("data", "npz:PATHS/../npz", None),
        ("seed", -7, "seed: got -7, expected a whole number from 0"),
        ("seed", "", "seed: got ''"),
        ("budget", 0, "budget: got 0"),
        ("budget", 1.5, "budget: got 1.5"),
        ("scores", [], "no score chosen"),
        ("scores", ["aggregate", "zico"], "at least two"),
    ],
)
def test_what_no_run_can_be_made_of_is_refused_by_the_name_of_its_field(field, value, message):
    wanted = Wanted(**{**FORM, field: value})
    if message is None:
        assert wanted.config().settings.data == value
        return
    with pytest.raises(ValueError) as refused:
        wanted.config()
    assert message in str(refused.value)


def test_a_run_is_made_of_what_the_form_says():
    config = Wanted(**{**FORM, "strategy": "pareto", "data": " noise ", "seed": 4, "cost": "latency_ms"}).config()
    assert (config.settings.data, config.settings.seed, config.seed) == ("noise", 4, 4)
    assert (config.scores, config.rank_by) == (("zico", "latency_ms"), "zico")
    assert config.objective == Objective(ObjectiveKind.PARETO, "zico", ("latency_ms",))
    assert Wanted(**{**FORM, "data": ""}).config().settings.data == "digits"


def test_a_path_that_is_not_here_is_said(tmp_path):
    assert missing_path(f"folder:{tmp_path}") == ""
    assert missing_path("digits") == ""
    assert missing_path("npz:/nowhere.npz") == "/nowhere.npz"


# the status


def test_the_status_of_a_failed_run_begins_with_the_cause(cockpit, run):
    cockpit.store.set_state(run, "failed", f"unknown data set 'foo' (scoring {ARCH})")
    told = top_bar.told(cockpit, pulse_of(cockpit, run))
    assert told.startswith("unknown data set 'foo'")
    assert told.endswith("0 of 6,466 scored")


def test_the_status_of_a_run_that_is_gone_says_what_to_do(cockpit, run):
    cockpit.store.delete_run(run)
    assert top_bar.told(cockpit, pulse_of(cockpit, run)) == top_bar.GONE


def test_a_view_of_a_run_that_is_gone_is_no_error_of_the_server(url, run):
    app = create_app(url)
    app._setup_server()
    answer = ask(app, "..carried.data...map-tip.children..", {"run": "gone"}, "arch.data")
    assert answer.status_code == 204


# one network trained alone


def test_a_training_on_its_way_is_shown_and_not_asked_for_twice(cockpit, run):
    def said() -> tuple[str, str]:
        return candidate.course(cockpit, cockpit.view(run), ARCH)

    assert said()[0].startswith("Not trained yet")
    cockpit.train(run, ARCH, 100)
    (alone,) = (row.id for row in cockpit.store.runs() if row.id != run)
    assert said() == ("Training alone: waits for the engine.", alone)
    assert "Not trained" not in str(candidate.buttons(cockpit.view(run), ARCH))

    cockpit.store.set_state(alone, "running", "trained 12 of 100 epochs")
    assert said() == ("Training alone: 12 of 100 epochs.", alone)
    with pytest.raises(ValueError, match="being trained for 100 epochs already: see the run “100 epochs alone"):
        cockpit.train(run, ARCH, 100)
    assert len(cockpit.store.runs()) == 2

    cockpit.store.set_state(alone, "failed", "out of memory")
    assert said() == ("Training alone: failed (out of memory).", alone)
    cockpit.train(run, ARCH, 100)
    assert len(cockpit.store.runs()) == 3


def test_of_two_quick_presses_one_trains(cockpit, run):
    def press(_: int) -> bool:
        try:
            cockpit.train(run, ARCH, 10)
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(4) as presses:
        assert sum(presses.map(press, range(4))) == 1
    assert len(cockpit.store.runs()) == 2


def test_a_training_that_ended_is_told_by_its_accuracy_and_one_that_is_gone_as_gone(cockpit, run):
    cockpit.train(run, ARCH, 10)
    (alone,) = (row.id for row in cockpit.store.runs() if row.id != run)
    asked = cockpit.store.ask(alone, [(ARCH, ARCH)], {})
    cockpit.store.tell(alone, [(row.position, {"trained": 91.5}, {}) for row in asked])
    cockpit.store.set_state(alone, "finished")
    words, linked = candidate.course(cockpit, cockpit.view(run), ARCH)
    assert words.startswith("Trained alone: 91.5 %")
    assert not linked
    cockpit.store.delete_run(alone)
    assert candidate.course(cockpit, cockpit.view(run), ARCH) == ("Training alone: its run was deleted.", "")


def test_a_training_beside_a_run_is_told_to_go_on_beside_it(cockpit, run):
    cockpit.store.set_state(run, "running")
    assert cockpit.train(run, ARCH, 10) == "Training for 10 epochs beside this run."
    cockpit.store.set_state(run, "finished")
    assert cockpit.train(run, ARCH, 100) == "Training for 100 epochs."


# a run that is deleted


def test_who_deletes_a_run_is_told_what_goes_with_it(cockpit, run):
    score(cockpit, run, 1.0)
    cockpit.act(run, Act("prune", "*", ("none",)))
    told = lost(cockpit, [cockpit.store.run(run)])
    assert told[0] == f"Run {run} is deleted with its scored candidates (1) and acts (1). Cached scores stay."
    assert told[-1] == "This cannot be undone."
    cockpit.train(run, ARCH, 10)
    (alone,) = (row for row in cockpit.store.runs() if row.id != run)
    assert "acts (0) and trained weights" in lost(cockpit, [alone])[0]
    both = lost(cockpit, [cockpit.store.run(run), alone])
    assert both[0].startswith("2 runs are deleted with their scored candidates (1), acts (1) and trained weights")
    assert both[1] == "1 are stopped first."


def test_a_run_without_a_budget_is_shown_and_says_how_many_it_scored(cockpit):
    run = make_run(cockpit.store, "nb201", {**SCAN, "budget": None}, "all of it")
    score(cockpit, run, 3.0)
    assert top_bar.told(cockpit, pulse_of(cockpit, run)).startswith("1 scored")
