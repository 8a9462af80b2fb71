"""Servers that stand still, end or come again, a locked store, two hands at once: each is told, and nothing is lost."""

from __future__ import annotations

import re
import signal
import sqlite3
import threading
import time

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.space_table import space_table
from nas_core.store import Store
from tests import commands
from tests.browser.conftest import serve
from tests.browser.filled import fill
from tests.runs import SCAN, make_run

LOADED = 60_000
"""Milliseconds that a busy machine may take to draw a page."""
PILED = 8
"""Requests that may wait for a server that stands still."""


@pytest.fixture
def run(store_url):
    """A paused run of its own for every test."""
    return fill(store_url, 50, "paused", state="paused")


@pytest.fixture
def store(store_url):
    """The store as another program sees it."""
    store = Store(store_url)
    yield store
    store.close()


@pytest.fixture
def visit(context):
    """Open a run in a tab; its console may hold errors, as a server that is gone is one."""
    tabs: list[Page] = []

    def open_tab(address: str, run: str) -> Page:
        page = context.new_page()
        tabs.append(page)
        page.goto(f"{address}/?run={run}")
        expect(page.locator("#count")).to_contain_text("of 15,625", timeout=LOADED)
        expect(page.locator("#run-status")).to_contain_text("Paused", timeout=LOADED)
        expect(page.locator("[data-brick] .prune").first).to_be_visible(timeout=LOADED)
        page.wait_for_timeout(1500)
        return page

    yield open_tab
    for page in tabs:
        page.close()


def prune(page: Page, brick: str) -> None:
    """Press the × of a brick."""
    page.locator(f'[data-brick="{brick}"] .prune').click()


def acts(store: Store, run: str) -> int:
    """How many acts the run has."""
    return store.log_counts(run).get("act", 0)


def test_lost_contact_is_told_nothing_is_done_meanwhile_and_it_is_found_again(store_url, store, run, visit):
    with serve(store_url) as (address, server):
        page = visit(address, run)
        server.send_signal(signal.SIGSTOP)
        try:
            expect(page.locator("#lost")).to_be_visible(timeout=LOADED)
            expect(page.locator("#lost")).to_contain_text("No answer for")
            expect(page.locator("#nav-map .js-plotly-plot canvas").first).to_be_visible()  # what was shown stays
            prune(page, "1:3")
            expect(page.locator(".mantine-Notification-root").first).to_contain_text("Not done")
        finally:
            server.send_signal(signal.SIGCONT)
        expect(page.locator("#lost")).to_be_hidden(timeout=LOADED)
        assert acts(store, run) == 0
        prune(page, "1:3")
        expect(page.locator("#count")).to_have_text("12,500 of 15,625", timeout=LOADED)
        assert acts(store, run) == 1


@pytest.mark.long
def test_questions_do_not_pile_up_and_a_press_made_meanwhile_counts_once(store_url, store, run, visit):
    with serve(store_url) as (address, server):
        page = visit(address, run)
        under_way = [0, 0]
        page.on("request", lambda _: under_way.__setitem__(0, under_way[0] + 1))
        for ended in ("requestfinished", "requestfailed"):
            page.on(ended, lambda _: under_way.__setitem__(1, under_way[1] + 1))
        server.send_signal(signal.SIGSTOP)
        try:
            prune(page, "1:3")
            page.wait_for_timeout(8000)
            waiting = under_way[0] - under_way[1]
        finally:
            server.send_signal(signal.SIGCONT)
        assert waiting <= PILED
        expect(page.locator("#count")).to_have_text("12,500 of 15,625", timeout=LOADED)
        page.wait_for_timeout(1000)
        assert acts(store, run) == 1


def test_a_page_left_open_over_a_restart_and_one_that_slept_catch_up(store_url, store, run, visit):
    with serve(store_url) as (address, _):
        page = visit(address, run)
        port = int(address.rsplit(":", 1)[1])
    expect(page.locator("#lost")).to_be_visible(timeout=LOADED)
    store.set_state(run, "stopped")
    server, told = commands.app("--port", port, "--store", store_url, "--no-engine")
    with told:
        try:
            assert "NAS Helm is at" in told.readline()
            expect(page.locator("#run-status")).to_contain_text("Stopped", timeout=LOADED)
            expect(page.locator("#lost")).to_be_hidden()
            session = page.context.new_cdp_session(page)
            session.send("Page.setWebLifecycleState", {"state": "frozen"})
            store.set_state(run, "finished")
            time.sleep(3)
            session.send("Page.setWebLifecycleState", {"state": "active"})
            expect(page.locator("#run-status")).to_contain_text("Done", timeout=LOADED)
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0


@pytest.mark.long
def test_an_act_on_a_locked_store_is_told_as_not_done_or_done_afterwards(store_url, store, run, visit):
    with serve(store_url) as (address, _):
        page = visit(address, run)
        other = sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("begin immediate")
        prune(page, "1:3")
        page.wait_for_timeout(12_000)
        told = page.locator(".mantine-Notification-root").all_inner_texts()
        other.execute("rollback")
        other.close()
        page.wait_for_timeout(4000)
        done = acts(store, run)
        assert done or any("Not done" in one for one in told), told
        left = "12,500" if done else "15,625"
        expect(page.locator("#count")).to_have_text(f"{left} of 15,625", timeout=LOADED)
        prune(page, "2:3")  # the page goes on
        expect(page.locator("#count")).not_to_have_text(f"{left} of 15,625", timeout=LOADED)


@pytest.mark.long
def test_two_tabs_prune_and_undo_at_once_and_both_show_the_same(store_url, store, run, visit):
    with serve(store_url) as (address, _):
        one, two = visit(address, run), visit(address, run)
        prune(one, "1:3")
        prune(two, "2:3")
        for page in (one, two):
            expect(page.locator("#count")).to_have_text("10,000 of 15,625", timeout=LOADED)
        assert acts(store, run) == 2
        assert one.locator("#acts-list").text_content() == two.locator("#acts-list").text_content()
        one.locator("#btn-undo").click()
        two.locator("#btn-undo").click()
        # Either both undid one each, or the second is told that its act was undone already.
        pattern = re.compile(r"^(15,625|12,500) of 15,625$")
        for page in (one, two):
            expect(page.locator("#count")).to_have_text(pattern, timeout=LOADED)
        one.wait_for_timeout(2000)
        left = one.locator("#count").inner_text()
        assert left == two.locator("#count").inner_text()
        told = [*one.locator(".mantine-Notification-root").all(), *two.locator(".mantine-Notification-root").all()]
        assert left == "15,625 of 15,625" or told


@pytest.mark.long
def test_a_tab_that_follows_a_live_run_does_not_grow(store_url, store, context):
    run = make_run(store, "nb201", {**SCAN, "budget": 6466}, "live")
    table, over = space_table("nb201"), threading.Event()

    def score() -> None:
        feeder, rng = Store(store_url), np.random.default_rng(0)
        feeder.set_state(run, "queued")
        feeder.lease("stand-in", 3600, among=[run])
        feeder.set_state(run, "running")
        order = rng.permutation(np.unique(table.canonical))
        for begin in range(0, len(order), 10):
            if over.wait(1.0):
                break
            texts = [table.texts[k] for k in order[begin : begin + 10]]
            asked = feeder.ask(run, [(text, text) for text in texts], {}, engine="stand-in")
            told = [(row.position, {"zico": float(rng.normal(100, 10))}, {"zico": 0.01}) for row in asked]
            feeder.tell(run, told, engine="stand-in")
        feeder.close()

    with serve(store_url) as (address, _):
        page = context.new_page()
        page.goto(f"{address}/?run={run}")
        expect(page.locator("#nav-map .js-plotly-plot canvas").first).to_be_visible(timeout=LOADED)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        session.send("HeapProfiler.enable")
        thread = threading.Thread(target=score)
        thread.start()
        megabytes = []
        try:
            for _ in range(10):
                page.wait_for_timeout(60_000)
                session.send("HeapProfiler.collectGarbage")
                metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
                megabytes.append(metrics["JSHeapUsedSize"] / 1e6)
        finally:
            over.set()
            thread.join()
        page.close()
    assert megabytes[-1] < megabytes[0] + 15, megabytes
