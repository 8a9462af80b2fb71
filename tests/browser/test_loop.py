"""The loop in a real browser: a lasso kept as a region steers the search, a suggestion acts, the timeline goes back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.pages.navigator import named_regions
from app.space_table import space_table
from nas_core.store import Store
from tests.browser.test_navigator import draw_lasso, open_tab
from tests.runs import SCAN, make_run

BUDGET = 300


@pytest.fixture(scope="module")
def run(store_url, address):
    """A finished run whose score is the share of 3x3 convolutions, so that blocks differ clearly."""
    store = Store(store_url)
    table = space_table("nb201")
    picked = np.random.default_rng(0).choice(np.unique(table.canonical), BUDGET, replace=False)
    identifier = make_run(store, "nb201", {**SCAN, "budget": BUDGET}, "a loop")
    asked = store.ask(identifier, [(table.texts[k], table.texts[k]) for k in picked], {})
    values = {table.texts[k]: float((table.archs[k] == 3).sum() - (table.archs[k] == 0).sum()) for k in picked}
    store.tell(identifier, [(row.position, {"zico": values[row.arch]}, {}) for row in asked])
    store.set_state(identifier, "finished")
    yield identifier
    store.close()


def open_run(page: Page, address: str, run: str) -> None:
    page.goto(f"{address}/?run={run}")
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=30_000)
    expect(page.locator("#next .suggestion").first).to_be_attached(timeout=10_000)


def kept(page: Page) -> int:
    return int(page.locator("#count").inner_text().partition(" ")[0].replace(",", ""))


def chip(page: Page, name: str):
    return page.locator("#regions .region-chip").filter(has_text=re.compile(rf"^{name}\b"))


@pytest.mark.long
def test_a_lasso_is_kept_as_a_region_and_its_blocks_steer(address, page, run, shoot):
    open_run(page, address, run)
    open_tab(page, "Blocks")
    expect(page.locator("#blocks .gtitle")).to_contain_text("n = 300")
    before = page.locator("#blocks .gtitle").text_content()
    # The few largest networks, far to the right.
    draw_lasso(page, (0.77, 0.02), (0.98, 0.02), (0.98, 0.99), (0.77, 0.99))
    expect(page.locator("#region-text")).to_contain_text("inside; a focus keeps")
    expect(page.locator("#blocks .gtitle")).to_contain_text("in lasso")
    page.locator('[data-brick="0:1"]').hover()
    expect(page.locator("#preview")).to_contain_text("3,125 of 15,625 architectures stay")
    page.locator("h2").first.hover()
    expect(page.locator("#preview")).to_be_empty()
    expect(page.locator("#blocks .gtitle")).to_contain_text("in lasso")  # a map drawn anew keeps its lasso
    page.locator("#btn-keep").click()
    expect(chip(page, "A")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#blocks .gtitle")).to_contain_text("Blocks in A")
    assert page.locator("#template .brick.outlined").count() > 0
    shoot(page, "navigator-region-dark")
    page.reload()
    expect(chip(page, "A")).to_have_attribute("aria-pressed", "true", timeout=30_000)  # it stands in the address
    chip(page, "A").click()
    open_tab(page, "Blocks")
    expect(page.locator("#blocks .gtitle")).to_have_text(before)

    chip(page, "A").click()
    must_have = page.locator("#regions button", has_text=re.compile(r"^must-(have|not) [1-9]")).first
    must_have.click()
    expect(page.locator("#count")).not_to_have_text("15,625 of 15,625")
    assert 0 < kept(page) < 15_625
    expect(page.locator("#acts-list")).to_contain_text("focus on")
    page.locator("#btn-undo").click()
    expect(page.locator("#count")).to_have_text("15,625 of 15,625")

    page.once("dialog", lambda dialog: dialog.accept("large"))
    page.locator("#regions button", has_text="rename").click()
    expect(chip(page, "large")).to_be_visible()
    page.locator("#regions button", has_text="×").click()
    expect(page.locator("#regions")).to_contain_text("restore large")
    page.locator("#regions button", has_text="restore large").click()
    expect(chip(page, "large")).to_have_attribute("aria-pressed", "true")


@pytest.mark.long
def test_regions_pressed_faster_than_the_answers_are_all_chosen(address, page, run, store_url, late):
    store = Store(store_url)
    table = space_table("nb201")
    for decision in (0, 1):  # regions that share a fifth of their members
        named_regions.keep(store, run, table.archs[:, decision] == 3, ("projection 1", "projection 2"))
    store.close()
    open_run(page, address, run)
    late("map-scope.data")
    first, second = (page.locator("#regions .region-chip").nth(k) for k in (-2, -1))
    first.click()
    second.click()
    for chosen in (first, second):
        expect(chosen).to_have_attribute("aria-pressed", "true", timeout=10_000)


def test_a_suggestion_acts_with_its_evidence_as_the_note(address, page, run):
    open_run(page, address, run)
    open_tab(page, "Acts")
    suggestion = page.locator("#next .suggestion").first
    expect(suggestion).to_contain_text(re.compile(r"prune .* n = \d+.*removes [\d,]+ architectures"))
    suggestion.get_by_role("button").click()
    expect(page.locator("#count")).not_to_have_text("15,625 of 15,625")
    expect(page.locator("#acts-list")).to_contain_text("suggested: Fitness")
    page.locator("#btn-undo").click()
    expect(page.locator("#count")).to_have_text("15,625 of 15,625")
    open_tab(page, "Progress")
    page.locator("#chart").click()
    page.get_by_role("option", name="Trust").click()
    expect(page.locator("#best-so-far .gtitle")).to_contain_text("Trust")
    expect(page.locator("#trust-verdict")).to_contain_text("cifar10 validation accuracy (tabular truth)")
    expect(page.locator("#trust-verdict")).to_contain_text("n = 300")


@pytest.mark.long
def test_the_timeline_goes_back_and_lives_again(address, page, run):
    open_run(page, address, run)
    open_tab(page, "Blocks")
    expect(page.locator("#timeline-stays")).to_be_hidden()
    expect(page.locator("#blocks .gtitle")).to_contain_text("n = 300")
    page.locator('[data-brick="0:0"] .prune').click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    thumb = page.locator(".timeline [role=slider]")
    thumb.focus()
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#timeline-text")).to_contain_text("as of 5 of 300 scored")
    expect(page.locator("#blocks .gtitle")).to_contain_text("n = 5)")
    expect(page.locator("#count")).to_have_text("15,625 of 15,625")
    expect(page.locator("#timeline-stays")).to_contain_text("Headline, top bar and trainings are as of now")
    expect(page.locator("#btn-undo")).to_be_disabled()
    open_tab(page, "Candidates")
    expect(page.locator("#candidates .ag-center-cols-container .ag-row")).to_have_count(5)
    page.wait_for_function(
        "() => document.querySelector('#nav-map .js-plotly-plot').data.filter((t) => t.name === 'dots 0').length === 0"
    )
    page.locator("#btn-live").click()
    expect(page.locator("#timeline-text")).to_have_text("live")
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    open_tab(page, "Blocks")
    expect(page.locator("#blocks .gtitle")).to_contain_text("n = 300")
    page.locator("#btn-undo").click()
    expect(page.locator("#count")).to_have_text("15,625 of 15,625")


@pytest.mark.long
def test_the_step_is_told_while_the_timeline_is_dragged(address, page, run):
    open_run(page, address, run)
    open_tab(page, "Blocks")
    expect(page.locator("#blocks .gtitle")).to_contain_text("n = 300")
    bar, thumb = (page.locator(found).bounding_box() for found in (".timeline", ".timeline [role=slider]"))
    y = thumb["y"] + thumb["height"] / 2
    page.mouse.move(thumb["x"] + thumb["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(bar["x"] + bar["width"] / 2, y, steps=5)
    text = page.locator("#timeline-text")
    expect(text).to_have_text(re.compile(r"as of 1[45]\d of 300 scored"))
    assert "n = 300" in page.locator("#blocks .gtitle").text_content()  # drawn once it is let go
    page.mouse.move(bar["x"] + bar["width"] + 30, y, steps=5)
    expect(text).to_have_text("live")
    page.mouse.up()
    expect(page.locator("#btn-live")).to_be_disabled()
