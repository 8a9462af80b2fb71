"""What pages show stands in the address: each part under a key of its own; what an address names in vain is told."""

from __future__ import annotations

import pytest

from app import page, selection, top_bar, view
from app.selection import Viewed
from app.server import create_app
from nas_core.store import Store
from tests.callbacks import ask
from tests.runs import SCAN, make_run

CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def select(store, search, current=None, arch="|none before|"):
    """What opening an address gives: run, architecture, and what is told on the page and in a notification."""
    app = create_app(store.url)
    app._setup_server()
    output = next(name for name in app.callback_map if name.startswith("..run.data...arch.data..."))
    answer = ask(app, output, {"url": search, "run": current, "arch": arch}, "url.search")
    assert answer.status_code == 200, answer.text
    told = answer.json.get("sideUpdate", {}).get("notifications", {}).get("sendNotifications", [])
    found = answer.json["response"]
    return (
        found.get("run", {}).get("data"),
        found.get("arch", {}).get("data"),
        found["address-told"]["children"],
        [one["message"] for one in told],
    )


def test_a_known_candidate_is_selected_and_nothing_is_told(store):
    run = make_run(store, "nb201", SCAN, "first")
    assert select(store, selection.write(run, CELL)) == (run, CELL, "", [])


def test_what_is_open_already_is_not_sent_again(store):
    run = make_run(store, "nb201", SCAN, "first")
    assert select(store, selection.write(run, CELL), run, CELL) == (None, None, "", [])


def test_an_unknown_candidate_is_told_on_the_page_and_in_a_notification(store):
    run = make_run(store, "nb201", SCAN, "first")
    opened, arch, told, notes = select(store, selection.write(run, "|garbage~0|"))
    assert (opened, arch) == (run, None)
    assert "“|garbage~0|”" in told and notes == [told]


def test_an_unknown_run_is_told_on_the_page_and_in_a_notification_and_opens_no_other(store):
    make_run(store, "nb201", SCAN, "first")
    opened, _, told, notes = select(store, selection.write("nope", None))
    assert opened == selection.NO_RUN
    assert "(nope) was deleted, or is in another store" in told and notes == [told]


@pytest.mark.parametrize("arch", ["", "garbage" * 10_000, "|<script>~0|", "1.1.1"])
def test_why_a_candidate_is_unknown_is_one_short_sentence(store, arch):
    run = store.run(make_run(store, "nb201", SCAN, "first"))
    told = top_bar.unknown_candidate(run, arch)
    assert told.startswith("No candidate is selected") and len(told) < 1000 and "\n" not in told


def test_no_two_parts_of_all_pages_share_a_key_or_a_component():
    parts = [part for shown in page.pages() for part in shown.viewed]
    assert len(selection.listed(parts)) == len(parts) > 5
    with pytest.raises(ValueError, match="one component a key"):
        selection.listed([Viewed("one", "value", "x"), Viewed("other", "value", "x")])


@pytest.mark.parametrize("key", ["run", "arch", "truth", "", "a b", "a=b"])
def test_a_key_that_would_break_the_address_is_refused(key):
    with pytest.raises(ValueError, match="expected letters and digits"):
        Viewed("one", "value", key)


def test_the_browser_is_told_of_every_part(tmp_path):
    app = create_app(f"sqlite:///{tmp_path / 'store.db'}")
    app._setup_server()
    bound = {
        (one["id"], one["property"])
        for callback in app._callback_list
        if (callback["clientside_function"] or {}).get("namespace") == "view"
        for one in callback["inputs"]
    }
    assert {(part.component, part.property) for shown in page.pages() for part in shown.viewed} <= bound
    assert set(view.components().data) == {shown.path for shown in page.pages() if shown.viewed}


def test_what_a_page_shows_is_not_carried_to_another():
    assert selection.carried("?run=r1&x=flops&truth=published%2Fcifar10") == "?run=r1&truth=published%2Fcifar10"
    assert selection.carried(None) == ""
