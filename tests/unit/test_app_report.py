"""The report of a session on a real store: its numbers are those of the run, and whatever a user typed is only text."""

from __future__ import annotations

import json
import re
from html import escape, unescape

import numpy as np
import pytest

from app import page
from app.cockpit import Cockpit
from app.page import Shown
from app.report import report
from nas_core import bench, spaces
from nas_core.proxies import ScoreSettings
from nas_core.spaces import Act
from nas_core.store import Store, StoreError, replay, twin
from tests.runs import make_run

HOSTILE = "<script>alert('run')</script>\"&"
SCORED = 60
SPACE = spaces.get("nb201")
CONFIG = {
    "strategy": "random",
    "proxies": ["sum_log_layer_size", "conv_layers"],
    "rank_by": "sum_log_layer_size",
    "budget": SCORED,
    "seed": 3,
    "settings": ScoreSettings.laptop().to_dict(),
}


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


def score(store: Store, run: str, start: int, stop: int) -> None:
    """Ask for distinct networks and write their closed forms as scores."""
    archs = sorted({SPACE.canonical(arch) for arch in SPACE.architectures()})[start * 50 : stop * 50 : 50]
    texts = [SPACE.format(arch) for arch in archs]
    closed = SPACE.closed_forms(archs)
    asked = store.ask(run, [(text, text) for text in texts], {})
    scores = closed[CONFIG["proxies"]].to_dict("records")
    store.tell(run, [(row.position, scores[k], {}) for k, row in enumerate(asked)])


@pytest.fixture
def run(cockpit):
    """A run with acts, notes and a name that are hostile."""
    run = make_run(cockpit.store, "nb201", CONFIG, HOSTILE)
    score(cockpit.store, run, 0, 40)
    cockpit.act(run, Act("prune", "*", ("none",), note=f"they are bad {HOSTILE}", author="<b>me</b>"))
    score(cockpit.store, run, 40, SCORED)
    cockpit.act(run, Act("undo", target=0))
    cockpit.store.set_state(run, "finished")
    return run


def table(document: str, caption: str) -> list[list[str]]:
    """Rows of the first table whose caption has these words."""
    found = next(
        t for t in re.findall(r"<table>.*?</table>", document) if caption in unescape(t.split("</caption>")[0])
    )
    rows = re.findall(r"<tr>(.*?)</tr>", found.split("<tbody>")[1])
    return [[unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows]


def test_what_a_user_typed_is_text_and_nothing_else(cockpit, run):
    document = report(cockpit, run)
    assert "<script" not in document and "<b>" not in document
    assert unescape(re.search("<h1>(.*?)</h1>", document).group(1)) == HOSTILE
    assert f"<b>me</b> / they are bad {HOSTILE}" in [row[5] for row in table(document, "Steering acts")]


def test_nothing_is_fetched(cockpit, run):
    addresses = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^")\s>]*)', report(cockpit, run))
    assert addresses and all(address.startswith("data:") for address in addresses)


def test_acts_are_told_with_what_they_removed_and_whether_they_hold(cockpit, run):
    rows = table(report(cockpit, run), "Steering acts")
    assert [(row[0], row[2], row[3], row[6]) for row in rows] == [
        ("1", "40", "prune none everywhere", "undone"),
        ("2", "60", "undo act 1", ""),
    ]
    assert rows[0][4].startswith("removes 11,529 architectures (74%)") and rows[0][4].endswith("; 4,096 left")
    assert rows[1][4] == "15,625 left"


def test_the_best_are_those_of_the_run_with_rung_counts_and_truth(cockpit, run):
    document = report(cockpit, run)
    view = cockpit.view(run)
    best = view.table.texts[view.indices[int(np.argmax(view.ranked))]]
    rows = table(document, "10 best of 60 candidates")
    assert len(rows) == 10 and rows[0][1] == best
    assert f"{bench.truth('nb201')['cifar10'][best]:.3g}" in rows[0]
    assert "sum of log layer sizes (closed form)" in document and "live parameters (count)" in document


def test_trust_is_given_with_interval_and_number(cockpit, run):
    rows = {row[0]: row for row in table(report(cockpit, run), "truth of cifar10 validation accuracy, %; 95 %")}
    n, tau = rows["sum of log layer sizes"][1:3]
    assert re.fullmatch(r"-?0\.\d{3} \[-?0\.\d{3}, -?0\.\d{3}\]", tau)
    view = cockpit.view(run)
    known = bench.truth("nb201")["cifar10"].to_numpy()[view.indices]
    expected = bench.rank_statistics(view.ranked, known, networks=view.table.canonical[view.indices], bootstrap=0)
    assert tau.startswith(f"{expected.tau.value:.3f} ") and int(n) == expected.n


def test_the_script_in_it_repeats_the_session(cockpit, run):
    script = json.loads(unescape(re.search(r'<pre id="session">(.*?)</pre>', report(cockpit, run), re.S).group(1)))
    again = cockpit.store.run(replay(cockpit.store, script))
    assert (again.config.seed, again.config.budget) == (3, SCORED)
    assert [entry["act"]["kind"] for entry in again.config.script["acts"]] == ["prune", "undo"]


def test_a_run_and_its_twin_are_compared_in_the_report_of_either(cockpit, run):
    assert "Did steering help?" not in report(cockpit, run)
    other = twin(cockpit.store, run)
    score(cockpit.store, other, 20, 60)
    expected = bench.compare_twins(cockpit.view(run).ranked, cockpit.view(other).ranked)
    for identifier in (run, other):
        rows = {row[0]: row[1] for row in table(report(cockpit, identifier), "10 best after 40 evaluations")}
        assert rows["difference"].startswith(f"{expected.difference.value:+.3g} [")


def test_a_training_is_told_by_its_loss(cockpit, run):
    assert "<h2>Training</h2>" not in report(cockpit, run)
    for epoch in (1, 2):
        body = {
            "step": 10 * epoch,
            "epoch": epoch,
            "seconds": 3.0 * epoch,
            "train": 2 / epoch,
            "validation": 1.5 / epoch,
        }
        cockpit.store.append(run, "loss", {**body, "accuracy": 0.25 * epoch if epoch == 2 else None})
    document = report(cockpit, run)
    assert "2 points; after 2 epochs and 6 s the validation loss is 0.75, hits on held-out images 50.0%" in document


def test_a_run_without_a_score_says_so_and_an_unknown_one_is_refused(cockpit):
    empty = make_run(cockpit.store, "nb201", CONFIG, "empty")
    document = report(cockpit, empty)
    assert "Nothing is scored yet." in document and "the search was not steered" in document
    with pytest.raises(StoreError, match="unknown run"):
        report(cockpit, "nobody")


def test_a_space_without_truth_says_that_nothing_is_known(cockpit):
    space = spaces.get("nb_macro")
    run = make_run(cockpit.store, "nb_macro", {**CONFIG, "proxies": ["params"], "rank_by": "params"}, "macro")
    texts = [space.format(arch) for arch in list(space.architectures())[:20]]
    asked = cockpit.store.ask(run, [(text, text) for text in texts], {})
    cockpit.store.tell(run, [(row.position, {"params": float(k)}, {}) for k, row in enumerate(asked)])
    assert "No truth is known for this space" in report(cockpit, run)


def test_the_sentences_above_the_pages_stand_on_top_of_the_report(cockpit, run):
    document = report(cockpit, run)
    top = document.split("<h2>")[0]
    view = cockpit.view(run)
    shown = Shown(cockpit, view, cockpit.truth(view.run.space, None))
    told = [one.headline(shown) for one in page.pages() if one.about_run]
    answers = [answer for answer in told if answer is not None]
    assert len(answers) >= 3
    for answer in answers:
        assert f"<strong>{escape(answer.finding)}</strong>" in top and escape(answer.evidence) in top
