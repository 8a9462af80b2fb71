"""The Navigator's parts in a real browser: a dock to work in, tools with words, strips, a tooltip, two views."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.space_table import space_table
from nas_core.store import Store
from tests.browser.conftest import serve
from tests.browser.test_navigator import WHOLE, draw_lasso, open_tab
from tests.runs import SCAN, make_run

SCORED = 300
TABS = ("Candidates", "Blocks", "Progress", "Pareto", "Acts")
MAP = "document.querySelector('#nav-map .js-plotly-plot')"
FRONT = f"() => {MAP}.data.find((t) => t.name === 'front')"
NAMES = {"none", "skip", "conv1", "conv3", "pool3"}
# Where a dot lies in the window: the scored dot that is nearest to the middle of the plot.
DOT = """() => {
  const map = document.querySelector('#nav-map .js-plotly-plot');
  const { _offset: left, _length: width } = map._fullLayout.xaxis, { _offset: top, _length: height } = map._fullLayout.yaxis;
  const box = map.getBoundingClientRect(), { xaxis, yaxis } = map._fullLayout;
  let best = null;
  for (const trace of map.data.filter((t) => (t.name || '').startsWith('dots') && t.marker.symbol === 'diamond')) {
    trace.x.forEach((x, k) => {
      const place = { x: xaxis.l2p(x), y: yaxis.l2p(trace.y[k]) };
      const far = Math.hypot(place.x - width / 2, place.y - height / 2);
      if (!best || far < best.far) best = { far, x: box.left + left + place.x, y: box.top + top + place.y };
    });
  }
  return best;
}"""  # noqa: E501 - easier read in one line each


@pytest.fixture(scope="module")
def run(store_url):
    """A finished run whose score is the share of 3x3 convolutions, with a little noise."""
    store = Store(store_url)
    table = space_table("nb201")
    rng = np.random.default_rng(0)
    picked = rng.choice(np.unique(table.canonical), SCORED, replace=False)
    identifier = make_run(store, "nb201", {**SCAN, "budget": SCORED}, "a dock")
    asked = store.ask(identifier, [(table.texts[k], table.texts[k]) for k in picked], {})
    values = {table.texts[k]: float((table.archs[k] == 3).sum() + rng.normal(scale=0.1)) for k in picked}
    store.tell(identifier, [(row.position, {"zico": values[row.arch]}, {}) for row in asked])
    store.set_state(identifier, "finished")
    store.close()
    return identifier


@pytest.fixture(scope="module")
def address(store_url, run):
    """The app on that run, without an engine: nothing moves by itself."""
    with serve(store_url) as (address, _):
        yield address


def open_run(page: Page, address: str, run: str) -> None:
    page.goto(f"{address}/?run={run}")
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=60_000)
    expect(page.locator("#candidates .ag-row").first).to_be_visible(timeout=30_000)
    expect(page.locator("#nav-map canvas").first).to_be_visible()


@pytest.mark.long
def test_the_dock_is_tall_enough_to_work_in_and_undo_is_one_press_away_from_every_tab(address, page, run, shoot):
    open_run(page, address, run)
    expect(page.get_by_role("tab", name=re.compile("^Candidates"))).to_have_attribute("aria-selected", "true")
    expect(page.locator("#dock-scored")).to_have_text("300")
    for name in TABS:
        open_tab(page, name)
        panel = page.get_by_role("tabpanel", name=re.compile(f"^{name}"))
        expect(panel).to_be_visible()
        assert panel.bounding_box()["height"] >= 180, name
        page.locator('[data-brick="0:0"] .prune').click()
        expect(page.locator("#count")).to_have_text("12,500 of 15,625")
        expect(page.locator("#btn-undo")).to_have_attribute("title", "Undo (u): prune none on edge 0→1")
        page.locator("#btn-undo").click()
        expect(page.locator("#count")).to_have_text("15,625 of 15,625")
        shoot(page, f"navigator-dock-{name.lower()}")
    map_before = page.locator("#nav-map").bounding_box()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_timeout(500)
    grown = page.locator("#nav-map").bounding_box()
    assert grown["width"] > map_before["width"] + 300 and grown["height"] > map_before["height"] + 100
    shoot(page, "navigator-dock-1920")


@pytest.mark.long
def test_tabs_are_reached_by_the_keyboard_and_charts_are_drawn_when_they_are_opened(address, page, run):
    open_run(page, address, run)
    page.get_by_role("tab", name=re.compile("^Candidates")).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Blocks")).to_be_focused()
    expect(page.locator("#blocks .gtitle")).to_contain_text("n = 300")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#best-so-far .gtitle")).to_contain_text("Best so far")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#pareto .gtitle")).to_contain_text("of 300")
    wide = page.locator("#pareto .main-svg").first.bounding_box()
    assert wide["width"] > 600  # drawn for the room that it has, though it was hidden
    page.keyboard.press("j")  # keys step through the table, whichever tab is open
    expect(page).to_have_url(re.compile("arch="))


@pytest.mark.long
def test_the_tools_of_the_map_have_words_and_the_lasso_raises_a_card(address, page, run, shoot):
    open_run(page, address, run)
    tools = page.get_by_role("toolbar", name="Tools of the map").get_by_role("button")
    expect(tools).to_have_text(["Pick", "Lasso", "Pan", "Fit"])
    expect(page.locator("#nav-map .modebar-btn")).to_have_count(1)  # the image alone
    expect(page.locator("#region-card")).to_be_hidden()
    page.keyboard.press("l")
    expect(page.locator('[data-tool="lasso"]')).to_have_attribute("aria-pressed", "true")
    draw_lasso(page, (0.5, 0.02), (0.98, 0.02), (0.98, 0.98), (0.5, 0.98))
    card = page.locator("#region-card")
    expect(card).to_be_visible()
    expect(card.get_by_role("button")).to_have_text(
        [re.compile("Search here"), re.compile("Keep"), re.compile("Clear")]
    )
    shoot(page, "navigator-lasso")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert (
        page.evaluate("() => (document.querySelector('#nav-map .js-plotly-plot').layout.selections || []).length") == 0
    )
    draw_lasso(page, *WHOLE)
    expect(card).to_be_visible()
    page.locator("#btn-clear").click()
    expect(card).to_be_hidden()
    page.locator('[data-tool="pan"]').click()
    assert page.evaluate(f"{MAP}.layout.dragmode") == "pan"


def test_architectures_are_strips_and_their_notation_is_one_click_away(address, page, run):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_run(page, address, run)
    row = page.locator("#candidates .ag-center-cols-container .ag-row").first
    expect(row.locator(".strip .segment")).to_have_count(6)
    assert all(
        name in ("none", "skip", "conv1", "conv3", "pool3") for name in row.locator(".segment").all_inner_texts()
    )
    row.locator('[col-id="arch"]').click()
    expect(page.locator("#candidate-card .strip .segment")).to_have_count(6)
    assert page.get_by_text("|nor_conv").locator("visible=true").count() == 0
    text = page.locator("#candidate-card .arch").text_content()
    page.locator("#candidate-card").get_by_text("Notation").click()
    page.locator("#candidate-card").get_by_role("button", name="Copy").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == text
    with page.expect_download() as saved:
        page.locator("#btn-csv").click()
    exported = saved.value.path().read_text()
    assert text in exported and "segment" not in exported


def test_the_tooltip_tells_what_a_dot_is_stays_inside_and_never_lies_over_it(address, page, run, shoot):
    open_run(page, address, run)
    dot = page.evaluate(DOT)
    page.mouse.move(dot["x"] - 40, dot["y"] - 40)
    page.mouse.move(dot["x"], dot["y"], steps=4)
    tip = page.locator("#map-tip.shown")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text(re.compile(r"no. \d+, rank \d+ of 300"))
    expect(tip).to_contain_text("◆ zero-cost")
    expect(tip).to_contain_text("cifar10 validation accuracy")
    expect(tip.locator(".segment")).to_have_count(6)
    expect(tip).not_to_contain_text("projection")
    assert page.locator("#nav-map .hoverlayer .hovertext").count() == 0
    inner, outer = tip.bounding_box(), page.locator(".map").bounding_box()
    assert outer["x"] <= inner["x"] and inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
    assert outer["y"] <= inner["y"] and inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1
    across = inner["x"] <= dot["x"] <= inner["x"] + inner["width"]
    assert not (across and inner["y"] <= dot["y"] <= inner["y"] + inner["height"])
    shoot(page, "navigator-tooltip")
    page.locator("#question").hover()
    expect(page.locator("#map-tip.shown")).to_have_count(0)


def test_the_trade_off_draws_the_front_over_a_cost_that_can_be_chosen(address, page, run, shoot):
    open_run(page, address, run)
    expect(page.locator("#map-cost")).to_be_hidden()
    page.get_by_text("Trade-off", exact=True).click()
    expect(page.locator("#nav-map .gtitle")).to_contain_text("What does a better score cost?")
    expect(page.locator("#nav-map .xtitle")).to_have_text("FLOPs")
    page.wait_for_function(FRONT)
    assert page.evaluate(f"({FRONT})().line.shape") == "hv"
    expect(page.locator("#view-sentence")).to_contain_text("of 300 scored are on the front")
    expect(page.locator("#view-sentence")).to_contain_text("FLOPs")
    page.locator("#map-cost").click()
    page.get_by_role("option", name="parameters", exact=True).click()
    expect(page.locator("#nav-map .xtitle")).to_have_text("parameters")
    expect(page.locator("#view-sentence")).to_contain_text("parameters")
    shoot(page, "navigator-trade-off")
    dot = page.evaluate(DOT)
    page.mouse.click(dot["x"], dot["y"])
    expect(page).to_have_url(re.compile("arch="))
    page.get_by_text("Map", exact=True).click()
    expect(page.locator("#nav-map .xtitle")).to_contain_text("projection 1")
    expect(page.locator("#view-sentence")).to_be_empty()


def test_what_cannot_be_pressed_says_why(address, page, run):
    open_run(page, address, run)
    off = page.locator(".navigator button:disabled")
    for k in range(off.count()):
        assert off.nth(k).get_attribute("title"), off.nth(k).text_content()
