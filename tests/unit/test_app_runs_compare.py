"""Two runs compared: the verdict in words, what may not be compared, and a chart that writes names as they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.pages.runs import figures, panel
from app.pages.runs.compare import Course, comparison, incomparable, outcome, verdict
from nas_core import spaces
from nas_core.spaces import Act
from nas_core.store import Store, twin
from tests.runs import SCAN, make_run

SPACE = spaces.get("nb201")
RNG = np.random.default_rng(0)


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


def scored(cockpit: Cockpit, name: str, values: np.ndarray, run: str = "", first: int = 0) -> str:
    """A finished run whose candidates have these values, in this order."""
    run = run or make_run(cockpit.store, "nb201", {**SCAN, "budget": len(values)}, name)
    archs = sorted({SPACE.canonical(arch) for arch in SPACE.architectures()})[first : first + len(values)]
    texts = [SPACE.format(arch) for arch in archs]
    asked = cockpit.store.ask(run, [(text, text) for text in texts], {})
    cockpit.store.tell(run, [(row.position, {"zico": float(values[k])}, {}) for k, row in enumerate(asked)])
    cockpit.store.set_state(run, "finished")
    return run


def course(name: str, values: np.ndarray, **more: object) -> Course:
    return Course(name, name, name, "zico", values, np.full(len(values), np.nan), **more)


@pytest.mark.parametrize(
    ("shift", "of_twins", "of_others"),
    [
        (50.0, "Steering paid", "“a” is ahead"),
        (-50.0, "Steering cost", "“b” is ahead"),
        (0.0, "No clear gain", "No clear difference"),
    ],
)
def test_the_verdict_is_words_with_an_interval(shift, of_twins, of_others):
    values = RNG.normal(100, 10, 80)
    pair = course("a", values + shift), course("b", RNG.permutation(values))
    said = verdict(pair, twins=True)
    assert said.finding == of_twins
    assert verdict(pair, twins=False).finding == of_others
    assert said.evidence[0] in "+-" and "[" in said.evidence
    assert "mean of the 10 best after 80 candidates" in said.how
    assert "not over seeds" in said.how


def test_a_few_candidates_are_too_early_for_a_verdict():
    said = verdict((course("a", np.arange(4.0)), course("b", np.arange(4.0))), twins=True)
    assert said.finding == "Too early"
    assert "expected at least 10" in said.evidence


def test_the_steered_run_stands_first_whichever_was_chosen_first(cockpit):
    run = scored(cockpit, "steered", RNG.normal(100, 10, 40))
    cockpit.act(run, Act("prune", "*", ("none",)))
    other = scored(cockpit, "", RNG.normal(100, 10, 40), run=twin(cockpit.store, run))
    for pair in ([run, other], [other, run]):
        found = comparison(cockpit, pair, None)
        assert found.twins
        assert [one.run for one in found.courses] == [run, other]
        assert [one.label for one in found.courses] == ["steered", "twin"]
    assert found.courses[0].flags == ((40, "prune none everywhere"),)


def test_scores_that_mean_different_things_are_not_compared(cockpit):
    held = cockpit.store.run(make_run(cockpit.store, "nb201", SCAN, "a"))
    config = held.config
    assert incomparable(held, held) == ""
    quick = dataclasses.replace(config.settings, data="noise")
    assert "data digits and noise" in incomparable(
        held, dataclasses.replace(held, config=dataclasses.replace(config, settings=quick))
    )
    assert "searches" in incomparable(held, dataclasses.replace(held, space="nats_sss"))
    seeded = dataclasses.replace(config.settings, seed=7)
    assert incomparable(held, dataclasses.replace(held, config=dataclasses.replace(config, settings=seeded))) == ""


def test_what_a_run_found_is_told_with_its_place(cockpit):
    assert outcome(course("a", np.array([np.nan, np.nan]))) == ("–", "nothing scored yet")
    values = np.array([1.0, 9.25, 3.0])
    assert outcome(course("a", values)) == ("9.25", "found at 2 of 3, no act")
    one = dataclasses.replace(course("a", values, flags=((1, "pin"),), unit=" %"), truth=np.array([1.0, 93.0, 2.0]))
    assert outcome(one) == ("9.25", "found at 2 of 3, 1 act, truly 93 %")


def test_decisions_in_which_the_best_differ_are_marked(cockpit):
    one = scored(cockpit, "one", np.linspace(0, 1, 20))
    other = scored(cockpit, "other", np.linspace(0, 1, 20), first=30)
    found = comparison(cockpit, [one, other], None)
    first, second = found.strips
    assert len(first) == len(SPACE.decisions)
    for left, right in zip(first, second, strict=True):
        assert left.differs == right.differs == (left.choice != right.choice)
    assert any(part.differs for part in first)
    assert "decisions that differ" in str(panel.cells(found))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_names_are_written_as_they_are_and_acts_stand_as_flags(theme):
    name = "lr<b>1</b> & more"
    runs = (course(name, RNG.normal(size=30), flags=((12, "prune 0→1 = none"),)), course("other", RNG.normal(size=30)))
    figure = figures.courses(runs, theme)
    texts = [note.text for note in figure.layout.annotations]
    assert figure.data[0].name == "lr&lt;b&gt;1&lt;/b&gt; &amp; more"
    assert "lr&lt;b&gt;1&lt;/b&gt; &amp;…" in texts  # shortened before it is escaped
    assert any("prune 0→1" in text for text in texts)
    assert min(note.font.size for note in figure.layout.annotations) >= 12
    assert [shape.x0 for shape in figure.layout.shapes] == [12]


def test_a_run_without_scores_is_drawn_as_nothing():
    figure = figures.courses((course("a", np.zeros(0)), course("b", np.array([1.0, 2.0]))), "dark")
    assert len(figure.data) == 1


def test_truth_is_drawn_below_where_it_is_known(cockpit):
    one = scored(cockpit, "one", np.linspace(0, 1, 20))
    other = scored(cockpit, "other", np.linspace(0, 1, 20), first=30)
    found = comparison(cockpit, [one, other], None)
    figure = figures.courses(found.courses, "dark")
    assert len(figure.data) == 4
    assert "validation accuracy" in figure.layout.annotations[1].text
