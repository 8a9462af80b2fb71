"""What an act costs the browser: each question once, and one look at the components a frame."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import serve
from tests.browser.filled import fill

COUNTED = """() => {
  window.told = { direct: 0, gathered: 0 };
  window.store.subscribe(() => { window.told.direct += 1; });
  window.store.subscribe(() => { window.told.gathered += 1; /* as React's listener, which calls onStateChange */ });
}"""


@pytest.fixture(scope="module")
def address(store_url):
    """An app with a scored run, without an engine."""
    fill(store_url, 200, "scored")
    with serve(store_url) as (address, _):
        yield address


def at_rest(page: Page, address: str) -> None:
    """Open the Navigator and wait until it asks nothing more."""
    page.goto(address)
    expect(page.locator("#count")).to_contain_text("of 15,625", timeout=60_000)
    expect(page.locator("#candidates .ag-row").first).to_be_visible(timeout=60_000)
    page.wait_for_function("() => !document.querySelector('[data-dash-is-loading=true]')", timeout=60_000)
    page.wait_for_timeout(2500)


def test_an_act_asks_each_question_once_and_none_without_need(address, page):
    at_rest(page, address)
    asked: list[dict] = []
    page.on("request", lambda sent: asked.append(json.loads(sent.post_data or "{}")) if sent.post_data else None)
    page.locator('[data-brick="0:3"] .prune').dispatch_event("click")
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    page.wait_for_timeout(2500)  # what is asked late, and by the poll after the act
    triggers = [(tuple(one["changedPropIds"]), one["output"]) for one in asked]
    assert len(set(triggers)) == len(triggers)
    assert sum(changed == ("steered.data",) for changed, _ in triggers) == 1
    by_pulse = sorted(output for changed, output in triggers if changed == ("pulse.data",))
    assert len(by_pulse) == 4, by_pulse  # status, headline, map, and all else that follows a pulse
    assert len(triggers) <= 7, triggers  # advice and coverage come once nothing is drawn any more


@pytest.mark.long
def test_components_are_looked_at_once_a_frame_and_what_is_typed_stands_at_once(address, page):
    at_rest(page, address)
    page.evaluate(COUNTED)
    before = page.locator("#count").inner_text()
    page.locator('[data-brick="1:3"] .prune').dispatch_event("click")
    expect(page.locator("#count")).not_to_have_text(before)
    page.wait_for_timeout(1000)
    told = page.evaluate("window.told")
    assert told["gathered"] > 0
    assert told["gathered"] < told["direct"] / 2, told
    page.get_by_role("tab", name="Acts").click()
    note = page.locator("#act-note")
    note.press_sequentially("as it is typed", delay=5)
    note.press("Home")
    note.press_sequentially("stands ", delay=5)
    expect(note).to_have_value("stands as it is typed")
