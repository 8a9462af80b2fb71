"""The verdict of Correlation: four checks, what follows from them, and truths of one's own where no table has any."""

from __future__ import annotations

from contextvars import copy_context

import numpy as np
import pytest
from dash._callback_context import context_value
from dash._utils import AttributeDict
from flask import Flask
from flask_caching import Cache

from app.cockpit import Cockpit
from app.page import Shown
from app.pages.correlation import board, checks, verdict
from app.pages.correlation.callbacks import check, dots, draw, look_at, train
from app.pages.correlation.derived import Derived
from app.pages.correlation.headline import headline
from app.pages.correlation.labelling import labels, to_train
from app.presses import press
from app.truth import TRAINED_HERE
from nas_core import bench, spaces
from nas_core.ladder import TRAINED
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces.template import PRESETS
from nas_core.store import Store
from tests.runs import make_run

SPACE = spaces.get("nb201")
TEMPLATE = PRESETS["Residual"]().to_dict()
OWN = ScoreSettings.laptop()


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


@pytest.fixture
def derived(cockpit):
    return Derived(cockpit, Cache(Flask("test"), config={"CACHE_TYPE": "SimpleCache"}))


def table_run(cockpit, scores, count=120):
    """A run over cells with known results; `scores` by name make values (n,) of the truth (n,)."""
    archs = sorted({SPACE.canonical(a) for a in SPACE.architectures()})[::50][:count]
    texts = [SPACE.format(arch) for arch in archs]
    truth = bench.truth("nb201")["cifar10"].loc[texts].to_numpy()
    names = list(scores)
    config = {"proxies": names, "rank_by": names[0], "settings": OWN.to_dict(), "budget": 500}
    run = make_run(cockpit.store, "nb201", config)
    values = {name: make(truth) for name, make in scores.items()}
    tell(cockpit, run, texts, values)
    return run


def tell(cockpit, run, texts, values):
    asked = cockpit.store.ask(run, [(text, text) for text in texts], {})
    told = [(row.position, {name: float(v[k]) for name, v in values.items()}, {}) for k, row in enumerate(asked)]
    cockpit.store.tell(run, told)


def template_run(cockpit, count=30):
    """A run of a template, which no table knows, with scored candidates."""
    space = spaces.define(TEMPLATE)
    config = {"proxies": ["zico"], "rank_by": "zico", "settings": OWN.to_dict(), "budget": 500, "template": TEMPLATE}
    run = make_run(cockpit.store, space.name, config)
    rng = np.random.default_rng(0)
    texts = list(dict.fromkeys(space.format(space.canonical(space.sample(rng))) for _ in range(4 * count)))[:count]
    tell(cockpit, run, texts, {"zico": np.arange(float(len(texts)))})
    return run


def finish_trainings(cockpit, run, value):
    """Give every training of the run a result: `value` of the score of its candidate."""
    view = cockpit.view(run)
    scores = dict(zip([view.table.texts[k] for k in view.indices], view.ranked, strict=True))
    for text, other in view.training.items():
        tell(cockpit, other, [text], {TRAINED: [value(scores[text])]})
        cockpit.store.set_state(other, "finished")


def in_a_callback(act):
    """Carry out what tells the page something, as within a callback."""

    def carry_out():
        context_value.set(AttributeDict(triggered_inputs=[], updated_props={}))
        return act()

    return copy_context().run(carry_out)


def found_of(cockpit, run):
    view = cockpit.view(run)
    truth = verdict.truth_for(cockpit, view, None)
    known = truth.oriented(truth.over(view.table)[view.indices])
    return verdict.judge(view, view.ranked, known, np.arange(len(view.indices)), metric=view.rank_by)


def sentence(cockpit, run):
    view = cockpit.view(run)
    return headline(Shown(cockpit, view, cockpit.truth(view.run.space, None)))


def seeded(noise, seed=0):
    rng = np.random.default_rng(seed)
    return lambda truth: truth + rng.normal(scale=noise, size=len(truth))


def only_worse_half(truth):
    """A score that tells the worse half apart and draws lots in the better one."""
    half = truth >= np.median(truth)
    return np.where(half, np.median(truth) + np.random.default_rng(3).random(len(truth)), truth)


def lots(truth):
    return np.random.default_rng(5).random(len(truth))


@pytest.mark.parametrize(
    ("score", "marks", "words"),
    [
        (seeded(0.3), ("yes", "yes", "yes", "yes"), "Use zico to pick the best"),
        (only_worse_half, ("yes", "no", None, None), "Use zico to drop the worst half, not to pick the best"),
        (lots, ("no", "no", "no", None), "Do not rank by zico here"),
    ],
    ids=["good", "worse half", "lots"],
)
def test_what_a_score_is_good_for_follows_from_the_four_checks(cockpit, score, marks, words):
    run = table_run(cockpit, {"zico": score})
    found = found_of(cockpit, run)
    told = (found.ranks, found.ranks_better_half, found.beats_counting, found.finds_winner)
    assert all(mark in (None, seen) for mark, seen in zip(marks, told, strict=True)), told
    assert verdict.finding("zico", found) == words
    assert sentence(cockpit, run).finding == words
    assert f"n = {found.n}" in sentence(cockpit, run).evidence


def test_tiles_hold_question_sign_number_interval_and_meaning(cockpit, derived):
    run = table_run(cockpit, {"zico": seeded(0.3)})
    tiles = check(cockpit, derived, None, None, "all", "zico", None, None, run)
    assert len(tiles) == 4
    text = str(tiles[0])
    found = found_of(cockpit, run)
    assert "Does zico rank networks?" in text and "'✓'" in text and "Yes" in text
    assert f"n = {found.n}" in text and verdict.number(found.tau.low) in text
    assert f"{50 * (1 + found.tau.value):.0f} of 100 pairs right" in text
    assert "alone: τ" in str(tiles[2])
    assert "points short [" in str(tiles[3]) or "it is the best" in str(tiles[3])
    assert "Its first alone" in str(tiles[3])


def test_tiles_and_leader_board_say_the_same_numbers(cockpit, derived):
    run = table_run(cockpit, {"zico": seeded(2.0)})
    rows = draw(cockpit, derived, None, None, "all", "zico", None, "scores", "dark", None, None, None, None, run)[0]
    row = next(row for row in rows if row["score"] == "zico")
    found = found_of(cockpit, run)
    assert (row["tau"], row["tau_low"], row["tau_top_half"]) == (found.tau.value, found.tau.low, found.better.value)
    assert (row["regret"], row["regret_high"]) == (found.regret.value, found.regret.high)
    assert (row["regret_at_1"], row["regret_at_1_low"]) == (found.first.value, found.first.low)


def test_candidates_that_are_the_same_network_count_once(cockpit, derived):
    run = table_run(cockpit, {"zico": seeded(1.0)})
    view = cockpit.view(run)
    seen = [view.table.texts[k] for k in view.indices]
    forms = {SPACE.format(SPACE.canonical(SPACE.parse(text))): text for text in seen}
    scores = dict(zip(seen, view.ranked, strict=True))
    twins = [
        (text, form)
        for text in view.table.texts
        if text not in scores and (form := SPACE.format(SPACE.canonical(SPACE.parse(text)))) in forms
    ][:200]
    assert len(twins) > 50
    asked = cockpit.store.ask(run, twins, {})
    cockpit.store.tell(run, [(row.position, {"zico": scores[row.canonical]}, {}) for row in asked])
    again = found_of(cockpit, run)
    assert again.n == len(seen) and cockpit.view(run).run.scored > len(seen) + 50
    rows = draw(cockpit, derived, None, None, "all", "zico", None, "scores", "dark", None, None, None, None, run)[0]
    assert {row["n"] for row in rows} == {len(seen)}


def test_the_best_alternative_is_looked_at_with_one_press(cockpit):
    run = table_run(cockpit, {"zico": lots, "snip": seeded(0.3)})
    found = sentence(cockpit, run)
    assert (found.action, found.press) == ("Look at snip instead", ("look-at", "snip"))
    told = {"what": press(*found.press)["data-press"], "run": run}
    assert look_at(cockpit, told, run) == "snip"
    assert look_at(cockpit, told, "another") is not None and look_at(cockpit, told, "another") != "snip"


def test_columns_fit_beside_each_other_and_say_their_names_on_hover():
    columns = [one for one in board.columns(" %") if not one.get("hide")]
    assert sum(one.get("width", one.get("minWidth", 0)) for one in columns) <= 690
    heads = {one["field"]: one["headerName"] for one in columns}
    assert heads["regret"] == "short, %" and heads["tau"] == "τ"
    assert all(one.get("headerTooltip") for one in columns)
    assert all(one["useValueFormatterForExport"] is False for one in board.columns(" %"))


def test_a_template_says_what_to_press_and_the_press_trains_candidates_over_all_ranks(cockpit, derived):
    run = template_run(cockpit)
    found = sentence(cockpit, run)
    assert found.finding == "No known results yet" and found.action == "Train 10 for 10 epochs"
    told = {"what": press(*found.press)["data-press"], "run": run}
    in_a_callback(lambda: train(cockpit, told, "another"))  # that run was left meanwhile
    assert not cockpit.view(run).training
    picked = to_train(cockpit.view(run), 10)
    ranks = sorted(cockpit.view(run).table.index[text] for text in picked)
    assert len(set(ranks)) == 10
    in_a_callback(lambda: train(cockpit, told, run))
    assert set(cockpit.view(run).training) == set(picked)
    assert "10 under way" in sentence(cockpit, run).evidence and sentence(cockpit, run).action == ""
    assert not set(to_train(cockpit.view(run), 10)) & set(picked)
    finish_trainings(cockpit, run, lambda score: 50 + score)
    held = labels(cockpit.view(run))
    assert (held.known, held.under_way, held.lacking) == (10, 0, 0)
    assert verdict.truth_for(cockpit, cockpit.view(run), None).choice == TRAINED_HERE
    told = draw(cockpit, derived, None, None, "all", "zico", None, "scores", "dark", None, None, None, None, run)
    assert "30 of 30 scored candidates" in told[4] and "trained alone validation accuracy, % (10 known)" in told[4]
    scores = {row["score"]: row for row in told[0]}
    assert scores["zico"]["n"] == 10 and scores["zico"]["tau"] == pytest.approx(1)
    assert not any("trained" in name for name in scores)  # what the truth was made of is no score
    assert "Does zico rank" in str(check(cockpit, derived, None, None, "all", "zico", None, None, run)[0])
    assert len(dots(cockpit, derived, None, None, "zico", "dark", None, None, run).data[0].x) == 10
    assert sentence(cockpit, run).finding == "zico ranks these networks"


def test_too_few_scored_are_told_with_the_press_that_goes_on(cockpit, derived):
    run = table_run(cockpit, {"zico": seeded(1.0)}, count=4)
    found = sentence(cockpit, run)
    assert (found.finding, found.action) == ("Too early", "Start the search")
    assert "4 of 10" in found.evidence
    assert check(cockpit, derived, None, None, "all", "zico", None, None, run) == []
    empty = template_run(cockpit, count=3)
    assert sentence(cockpit, empty).press == ("start", empty)


def test_marks_are_told_by_sign_and_word():
    assert all(sign and word for sign, word, _ in checks._PILLS.values())
