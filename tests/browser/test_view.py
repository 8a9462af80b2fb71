"""What a page shows stands in the address and is kept for the tab; what an address names in vain is told."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from app.cockpit import Cockpit
from app.pages.navigator import named_regions
from nas_core.store import Store
from tests.browser.conftest import serve
from tests.browser.filled import fill

DENIED = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });"""


@pytest.fixture(scope="module")
def runs(store_url):
    """Two finished runs."""
    return fill(store_url, 60, "first"), fill(store_url, 60, "second", seed=1)


@pytest.fixture(scope="module")
def address(store_url, runs):
    """The app on those runs, without an engine."""
    with serve(store_url) as (address, _):
        yield address


@pytest.fixture(autouse=True)
def patience():
    """What a busy machine needs: none of these promises is about time."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


def named(page):
    """What the address names, by key."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def opened(page, address, run, more="", path="/"):
    """The Navigator, drawn."""
    page.goto(f"{address}{path}?run={run}{more}")
    if path == "/":
        expect(page.locator("#map-colour")).not_to_have_value("", timeout=60_000)
        expect(page.locator("#count")).to_contain_text("of 15,625", timeout=60_000)


def choose(page, control, option):
    """Choose an option of a list by its words."""
    page.locator(control).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_a_link_shows_the_view_that_it_was_copied_from(address, page, browser, runs):
    opened(page, address, runs[0])
    choose(page, "#map-x", "parameters")
    choose(page, "#map-colour", "FLOPs")
    expect(page).to_have_url(re.compile("colour=flops"))
    assert (named(page)["x"], named(page)["run"]) == ("params", runs[0])
    link = page.url
    other = browser.new_context().new_page()
    other.goto(link)
    expect(other.locator("#map-x")).to_have_value("parameters", timeout=60_000)
    expect(other.locator("#map-colour")).to_have_value("FLOPs")
    expect(other.locator("#map-y")).to_have_value("projection 2")
    expect(other.locator("#nav-map .xtitle")).to_have_text("parameters")
    assert other.url == link
    other.context.close()


@pytest.mark.long
def test_a_view_is_kept_while_other_pages_are_looked_at(address, page, runs):
    opened(page, address, runs[0])
    choose(page, "#map-y", "FLOPs")
    expect(page).to_have_url(re.compile("y=flops"))
    page.locator("#nav-layers").click()
    expect(page.locator("#layers-map")).to_be_visible()
    expect(page).not_to_have_url(re.compile("y=flops"))  # of the Navigator alone
    page.locator("#nav-navigator").click()
    expect(page.locator("#map-y")).to_have_value("FLOPs", timeout=30_000)
    expect(page).to_have_url(re.compile("y=flops"))
    page.reload()
    expect(page.locator("#map-y")).to_have_value("FLOPs", timeout=60_000)


@pytest.mark.long
def test_the_axes_of_one_run_are_not_those_of_another(address, page, runs):
    opened(page, address, runs[0])
    choose(page, "#map-x", "FLOPs")
    expect(page).to_have_url(re.compile("x=flops"))
    page.goto(f"{address}/?run={runs[1]}")
    expect(page.locator("#count")).to_contain_text("of 15,625", timeout=60_000)
    expect(page.locator("#map-x")).to_have_value("projection 1")


@pytest.mark.long
def test_a_candidate_that_is_selected_keeps_the_view_and_back_brings_the_one_before(address, page, runs):
    opened(page, address, runs[0])
    choose(page, "#map-x", "FLOPs")
    expect(page).to_have_url(re.compile("x=flops"))
    page.locator("#candidates .ag-row").first.locator('[col-id="arch"]').click()
    expect(page).to_have_url(re.compile("arch=.*x=flops"))
    before = page.url
    page.keyboard.press("j")
    expect(page).not_to_have_url(before)
    page.go_back()
    expect(page).to_have_url(before)
    expect(page.locator("#map-x")).to_have_value("FLOPs")


@pytest.mark.long
def test_a_region_that_has_a_name_stands_in_the_address(address, page, browser, runs, store_url):
    opened(page, address, runs[0])
    store = Store(store_url)
    view = Cockpit(store).view(runs[0])
    inside = view.table.closed["flops"].to_numpy() > 1e8
    number = named_regions.keep(store, runs[0], inside, ("flops", "params"))
    store.close()
    page.reload()
    chip = page.locator(".region-chip", has_text=re.compile(r"^A "))
    chip.click(timeout=30_000)
    expect(page).to_have_url(re.compile(f"region={number}"))
    link = page.url
    other = browser.new_context().new_page()
    other.goto(link)
    expect(other.locator(".region-chip", has_text=re.compile(r"^A "))).to_have_attribute(
        "aria-pressed", "true", timeout=60_000
    )
    other.context.close()


def test_a_choice_that_the_address_names_in_vain_leaves_the_default(address, page, runs):
    opened(page, address, runs[0], "&x=no+such+axis&chart=none&region=9999")
    expect(page.locator("#map-x")).to_have_value("projection 1")
    expect(page).to_have_url(re.compile(r"x=projection\+1"))


def test_an_unknown_candidate_and_an_unknown_run_are_told_on_the_page(address, page, runs):
    page.goto(f"{address}/?run={runs[0]}&arch=%7Cgarbage~0%7C")
    expect(page.locator("#address-told")).to_contain_text("|garbage~0|", timeout=60_000)
    expect(page.locator(".mantine-Notification-root").first).to_contain_text("No candidate is selected")
    page.goto(f"{address}/?run=nope")
    expect(page.locator("#address-told")).to_contain_text(
        "No run is open: the one of this address (nope)", timeout=60_000
    )
    expect(page.locator("#run-status")).to_contain_text("choose one at the left")
    expect(page.locator("#btn-start")).to_be_disabled()
    expect(page.locator("#nav-map")).to_be_hidden()
    page.get_by_role("link", name="All runs").click()
    page.locator("#run-cards a").first.click()
    expect(page.locator("#address-told")).to_be_empty(timeout=30_000)
    expect(page.locator("#nav-map .js-plotly-plot canvas").first).to_be_visible(timeout=60_000)


def test_a_slash_too_many_makes_no_difference_and_pages_have_titles_of_their_own(address, page, runs):
    page.goto(f"{address}/runs/?run={runs[0]}")
    expect(page).to_have_title(re.compile("^Runs"), timeout=60_000)
    page.locator("#nav-navigator").click()
    expect(page).to_have_title(re.compile("^Navigator · first"))


def test_a_browser_that_denies_storage_keeps_the_view_all_the_same(address, page, runs):
    page.add_init_script(DENIED)
    opened(page, address, runs[0])
    choose(page, "#map-x", "FLOPs")
    expect(page).to_have_url(re.compile("x=flops"))
    page.locator("#nav-runs").click()
    expect(page.locator("#run-cards")).to_be_visible()
    page.locator("#nav-navigator").click()
    expect(page.locator("#map-x")).to_have_value("FLOPs", timeout=30_000)


def test_the_choices_of_other_pages_are_kept_too(address, page, runs):
    opened(page, address, runs[0], path="/correlation")
    page.locator("#crossed").get_by_text("stability of the score").click(timeout=60_000)
    expect(page).to_have_url(re.compile("crossed=settings"))
    page.reload()
    expect(page.locator("#crossed input[value=settings]")).to_be_checked(timeout=60_000)


def test_a_page_left_and_found_again_at_once_keeps_what_is_chosen_next(address, page, runs, late):
    """Nothing was drawn meanwhile: what was shown before is not put back over the choice."""
    opened(page, address, runs[0], path="/correlation")
    chart = page.locator("#crossed")
    chart.get_by_text("stability of the score", exact=True).click()
    expect(page).to_have_url(re.compile("crossed=settings"), timeout=60_000)
    late("page.children")
    for there in ("runs", "correlation"):
        page.locator(f"#nav-{there}").click()
        page.wait_for_timeout(100)
    page.wait_for_timeout(2000)
    chart.get_by_text("what to label next", exact=True).click()
    expect(page).to_have_url(re.compile("/correlation.*crossed=labels"))
    page.wait_for_timeout(1500)
    assert named(page)["crossed"] == "labels"
    expect(page.locator("#labels-next")).to_be_visible()
