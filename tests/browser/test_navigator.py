"""The main job in a real browser: start, live dots, steer, pause, reload, resume, select, understand."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from app.page import pages
from nas_core.store import Store

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def scored(page: Page) -> int:
    found = re.search(r"([\d,]+) of", page.locator("#run-status").inner_text())
    assert found
    return int(found.group(1).replace(",", ""))


def wait_for_more(page: Page, count: int) -> None:
    """Until the run says that more than `count` candidates are scored."""
    page.wait_for_function(
        "(n) => Number(document.getElementById('run-status').innerText.match(/([\\d,]+) of/)?.[1].replaceAll(',', ''))"
        " > n",
        arg=count,
        timeout=60_000,
    )


def brick(page: Page, decision: int, choice: int):
    return page.locator(f'[data-brick="{decision}:{choice}"]')


def open_tab(page: Page, name: str) -> None:
    """Open a panel of the dock."""
    page.get_by_role("tab", name=re.compile(f"^{name}")).click()


def draw_lasso(page: Page, *corners: tuple[float, float]) -> None:
    """Draw a lasso around corners given in shares of the width and height of the map."""
    page.locator('[data-tool="lasso"]').click()
    box = page.locator("#nav-map .nsewdrag").bounding_box()
    places = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in (*places[1:], places[0]):
        page.mouse.move(*place, steps=5)
    page.mouse.up()


WHOLE = ((0.005, 0.01), (0.995, 0.01), (0.995, 0.99), (0.005, 0.99))
"""Corners of a lasso around the whole map."""


def coloured(page: Page) -> int:
    """Dots of the map whose score is known: diamonds."""
    return int(
        page.evaluate(
            "() => document.querySelector('#nav-map .js-plotly-plot').data"
            ".filter((t) => t.type === 'scattergl' && t.marker.symbol === 'diamond')"
            ".reduce((sum, t) => sum + t.x.length, 0)"
        )
    )


def dots(page: Page, name: str = "dots") -> int:
    """Dots of the map in the traces whose name starts with `name`; `dots 0` are the faint ones."""
    return int(
        page.evaluate(
            "(name) => document.querySelector('#nav-map .js-plotly-plot').data"
            ".filter((t) => t.type === 'scattergl' && (t.name + ' ').startsWith(name + ' '))"
            ".reduce((sum, t) => sum + t.x.length, 0)",
            name,
        )
    )


def wait_for_faint(page: Page, count: int) -> None:
    """Until so many dots are faint: the map is drawn after the count."""
    for _ in range(200):
        if dots(page, "dots 0") == count:
            break
        page.wait_for_timeout(50)
    assert dots(page, "dots 0") == count


def open_new_run(page: Page, address: str, name: str, budget: int = 500, seed: int = 0) -> None:
    page.goto(f"{address}/runs")
    page.locator("#btn-new-open").click()
    page.locator("#new-name").fill(name)
    page.locator("#new-budget").fill(str(budget))
    page.locator("#new-seed").fill(str(seed))
    page.locator("#btn-new").click()
    expect(page).to_have_url(re.compile("run="))
    expect(page.locator("#nav-navigator")).to_have_attribute("href", re.compile("run="))  # links follow it
    page.locator("#nav-navigator").click()
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=30_000)


def contrast(one: list[int], other: list[int]) -> float:
    linear = [[c / 3294 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour] for colour in (one, other)]
    darker, lighter = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in linear)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_main_job(address, page, shoot):
    page.goto(address)
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=30_000)
    expect(page.locator("#nav-map canvas").first).to_be_visible()
    expect(page.locator("#run-status")).to_contain_text("press Start")
    spoken = page.locator("#nav-map .js-plotly-plot").get_attribute("aria-label")
    assert "Space of 15,625 architectures" in spoken and "x is projection 1 (PCA, trustworthiness" in spoken
    assert int(re.search(r"(\d+) points", spoken).group(1)) >= 15_625
    shoot(page, "navigator-empty-dark")

    page.locator("#btn-start").click()
    wait_for_more(page, 20)
    expect(page.locator("#run-status")).to_contain_text("Running")
    page.wait_for_timeout(1500)
    first = coloured(page)
    assert 0 < first < 15_625
    page.wait_for_timeout(5000)
    assert coloured(page) > first

    before_scores = brick(page, 5, 4).bounding_box()
    assert dots(page) == 15_625
    brick(page, 0, 0).hover()
    expect(page.locator("#preview")).to_contain_text("3,125 of 15,625 architectures stay (20%)")
    page.wait_for_function(
        "() => document.querySelector('#nav-map .js-plotly-plot').data.some("
        "(t) => t.name === 'dots going' && t.x.length === 12500)"
    )
    brick(page, 0, 0).locator(".prune").hover()
    expect(page.locator("#preview")).to_contain_text("prunes none on edge 0→1")
    expect(page.locator("#preview")).to_contain_text("3,125 of 15,625 architectures go (20%)")
    page.wait_for_function(
        "() => document.querySelector('#nav-map .js-plotly-plot').data.some("
        "(t) => t.name === 'dots going' && t.x.length === 3125)"
    )
    brick(page, 0, 0).locator(".prune").click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    brick(page, 3, 1).hover()
    expect(page.locator("#preview")).to_contain_text("edge 0→3")
    brick(page, 3, 1).locator(".pin").click()
    expect(page.locator("#count")).to_have_text("2,500 of 15,625")
    expect(page.locator("#acts-list")).to_contain_text("pin skip on edge 0→3")
    shoot(page, "navigator-steered-dark")
    page.locator("#btn-undo").click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")

    brick(page, 1, 3).hover()
    expect(page.locator("#preview")).to_contain_text("edge 0→2")
    brick(page, 1, 3).locator(".pin").click()
    expect(page.locator("#count")).to_have_text("2,500 of 15,625")
    brick(page, 1, 3).locator(".prune").click()
    expect(page.locator("body")).to_contain_text("it is the last choice left there")
    page.locator("#btn-undo").click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")

    page.locator("#btn-pause").click()
    expect(page.locator("#run-status")).to_contain_text("Paused")
    page.wait_for_timeout(4000)  # what the workers had in hand is still written
    assert brick(page, 5, 4).bounding_box() == before_scores, "bricks move while scores arrive"
    before = scored(page)
    page.reload()
    expect(page.locator("#run-status")).to_contain_text("Paused", timeout=30_000)
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    assert scored(page) == before
    page.locator("#candidates .ag-row").first.locator('[col-id="arch"]').click()
    wait_for_faint(page, 3125)
    expect(page.locator("#candidate-card")).to_contain_text("cifar10 validation")
    expect(page.locator("#card-layers .bars")).to_be_visible()
    assert "arch=" in page.url
    shoot(page, "navigator-selected-dark")

    page.locator("#btn-start").click()
    wait_for_more(page, before)

    page.locator("#nav-layers").click()
    expect(page.locator("#layers-map .heatmaplayer")).to_be_attached()
    expect(page.locator("#layers-table")).to_contain_text("stem · conv 3×3")
    expect(page.locator("#layers-table")).to_contain_text("selected")
    assert "arch=" in page.url
    expect(page.locator("#layers-spread .legend")).to_contain_text("weights", timeout=30_000)
    page.locator("#layers-map .nsewdrag").hover()
    expect(page.locator("#layers-spread .gtitle")).to_contain_text("inverse CV over the weights of")
    shoot(page, "layers-dark")
    page.locator("#nav-correlation").click()
    expect(page.locator("#leader-board")).to_contain_text("zico")
    expect(page.locator("#leader-board")).to_contain_text("live parameters (baseline)")
    shoot(page, "correlation-dark")
    page.locator("#nav-runs").click()
    expect(page.locator("#run-cards")).to_contain_text("cells on digits")
    shoot(page, "runs-dark")

    page.locator("#nav-navigator").click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    expect(page.locator("#candidate-card")).to_contain_text("cifar10 validation")
    page.locator("#btn-stop").click()
    expect(page.locator("#run-status")).to_contain_text("Stopped")
    for width, height, theme in ((1280, 800, "dark"), (1920, 1080, "light")):  # all pages: test_every_page
        page.set_viewport_size({"width": width, "height": height})
        if page.locator("html").get_attribute("data-mantine-color-scheme") != theme:
            page.locator("#btn-theme").click()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", theme)
        page.wait_for_timeout(1500)
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), width
        assert page.evaluate("() => document.documentElement.scrollHeight <= window.innerHeight"), width
        shoot(page, f"navigator-{width}-{theme}")


@pytest.mark.long
def test_a_row_is_selected_while_rows_move(address, page):
    open_new_run(page, address, "moving rows", budget=5000, seed=1)  # a seed whose scores no other test cached
    page.locator("#btn-start").click()
    expect(page.locator("#candidates .ag-row").nth(2)).to_be_visible(timeout=60_000)
    row = page.locator("#candidates .ag-row").nth(1)
    row.locator('[col-id="arch"]').click()
    expect(page.locator("#candidate-card")).to_contain_text("cifar10 validation", timeout=10_000)
    expect(page.locator("#card-layers .bars")).to_be_visible()
    expect(page.locator("#run-status")).to_contain_text("Running")
    page.locator("#btn-stop").click()


def test_keys_step_through_candidates_and_steer(address, page):
    open_new_run(page, address, "keys", budget=12)
    page.locator("h2").first.click()
    page.keyboard.press(" ")
    expect(page.locator("#run-status")).to_contain_text("Done", timeout=60_000)
    expect(page.locator("#candidates .ag-row").nth(2)).to_be_visible()
    before = page.locator("#count").text_content()
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile("arch="))
    first = page.url
    page.keyboard.press("j")
    expect(page).not_to_have_url(first)
    expect(page.locator("#candidates .ag-row-selected")).to_contain_text("2")
    page.keyboard.press("k")
    expect(page).to_have_url(first)
    brick(page, 5, 0).locator(".pin").focus()
    expect(page.locator("#preview")).to_contain_text("edge 2→3")
    page.keyboard.press("x")
    expect(page.locator("#acts-list")).to_contain_text("prune none on edge 2→3")
    expect(page.locator("#count")).not_to_have_text(before)
    page.keyboard.press("u")
    expect(page.locator("#count")).to_have_text(before)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("undo the last act")
    page.get_by_role("button", name="Take the tour").click()
    tour = page.get_by_role("dialog", name=re.compile("Tour, step"))
    steps = [(shown, step) for shown in pages() for step in shown.tour]
    assert {shown.title for shown, _ in steps} == {shown.title for shown in pages()}
    for number, (shown, step) in enumerate(steps, 1):
        expect(tour).to_contain_text(f"{number} of {len(steps)}: {step.title}", timeout=20_000)
        expect(page.locator(f"#nav-{shown.name}")).to_have_attribute("aria-current", "page")
        tour.get_by_role("button").first.click()
    expect(tour).to_have_count(0)
    page.locator("#nav-runs").click()
    expect(page.locator("#run-cards")).to_be_visible()
    page.locator("#btn-help").click()
    page.get_by_role("button", name="Take the tour").click()
    expect(tour).to_contain_text(f"1 of {len(steps)}")  # on the page whose parts it shows
    expect(page.locator("#template .brick").first).to_be_visible()


def test_a_press_at_once_means_the_run_that_was_opened(address, page, late, store_url):
    open_new_run(page, address, "before", budget=8)
    before = re.search(r"run=(\w+)", page.url).group(1)
    page.locator("#nav-runs").click()
    late("run.data")
    page.locator("#btn-new-open").click()
    page.locator("#new-name").fill("opened")
    page.locator("#new-budget").fill("9")
    page.locator("#btn-new").click()
    expect(page).not_to_have_url(re.compile(before))
    page.locator("#runs-chosen-text").click()
    page.keyboard.press(" ")
    expect(page.locator("#run-status")).to_contain_text("9 of 9", timeout=60_000)
    assert Store(store_url).run(before).state == "created"


@pytest.mark.long
def test_a_lasso_becomes_a_region_and_a_focus(address, page):
    open_new_run(page, address, "a region")
    expect(page.locator("#btn-focus")).to_be_disabled()
    page.locator("#map-x").click()
    page.get_by_role("option", name="parameters", exact=True).click()
    expect(page.locator("#nav-map .xtitle")).to_have_text("parameters")
    draw_lasso(page, (0.55, 0.01), (0.995, 0.01), (0.995, 0.99), (0.55, 0.99))
    expect(page.locator("#region-text")).to_contain_text("inside; a focus keeps")
    kept = re.search(r"keeps ([\d,]+) of", page.locator("#region-text").inner_text())
    page.locator("#btn-focus").click()
    expect(page.locator("#acts-list")).to_contain_text("focus")
    expect(page.locator("#count")).to_have_text(f"{kept.group(1)} of 15,625")
    assert 0 < int(kept.group(1).replace(",", "")) < 15_625
    page.locator("#btn-undo").click()
    expect(page.locator("#count")).to_have_text("15,625 of 15,625")


@pytest.mark.long
def test_an_act_clears_its_preview_and_is_recorded_once(address, page):
    open_new_run(page, address, "once")
    pinned = brick(page, 0, 3)
    pinned.hover()
    expect(page.locator("#preview")).to_contain_text("Click pins conv3 on edge 0→1")
    pinned.locator(".pin").click()
    expect(page.locator("#count")).to_have_text("3,125 of 15,625")
    expect(page.locator("#preview")).to_be_empty()  # though the pointer rests on the brick
    wait_for_faint(page, 12_500)
    pinned.locator(".pin").click()
    expect(page.locator("body")).to_contain_text("Already pinned: conv3 on edge 0→1.")
    brick(page, 1, 0).locator(".prune").click()
    expect(page.locator("#count")).to_have_text("2,500 of 15,625")
    brick(page, 1, 0).locator(".prune").click()
    expect(page.locator("body")).to_contain_text("Already pruned: none on edge 0→2.")
    acts = page.locator("#acts-list .act")
    expect(acts).to_have_count(2)
    expect(acts.first).to_contain_text("prune none on edge 0→2")
    page.locator("#btn-undo").click()
    expect(page.locator("#count")).to_have_text("3,125 of 15,625")


@pytest.mark.long
def test_a_focus_that_narrows_nothing_cannot_be_pressed(address, page):
    open_new_run(page, address, "no focus")
    draw_lasso(page, *WHOLE)
    expect(page.locator("#region-text")).to_contain_text("narrows nothing")
    expect(page.locator("#btn-focus")).to_be_disabled()
    expect(page.locator("#btn-focus")).to_have_attribute("title", re.compile("narrows nothing"))
    expect(page.locator("#btn-keep")).to_be_enabled()


def test_a_link_restores_the_selection(address, page):
    page.goto(f"{address}/?arch={quote(CELL)}")
    expect(page.locator("#candidate-card")).to_contain_text(CELL, timeout=30_000)
    # Above the dots: plotly draws what is no WebGL beneath them.
    page.wait_for_function(
        """() => {
          const map = document.querySelector('#nav-map .js-plotly-plot');
          const drawn = ((map && map.data) || []).filter((trace) => trace.type === 'scattergl').pop();
          return drawn && drawn.name === 'selected' && drawn.x.length === 1;
        }"""
    )


@pytest.mark.long
def test_words_stand_whole_and_can_be_read(address, page):
    open_new_run(page, address, "words", budget=8)
    for axis in ("x", "y", "colour"):
        field = page.locator(f"#map-{axis}")
        assert field.evaluate("(field) => field.scrollWidth <= field.clientWidth"), axis
    brick(page, 0, 0).locator(".prune").click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    told = page.locator(".mantine-Notification-description", has_text="already pruned")
    for theme in ("dark", "light"):
        if page.locator("html").get_attribute("data-mantine-color-scheme") != theme:
            page.locator("#btn-theme").click()
        brick(page, 0, 0).locator(".prune").click()
        ink, ground = told.evaluate(
            "(text) => [text, text.closest('.mantine-Notification-root')].map((part, k) =>"
            " getComputedStyle(part)[k ? 'backgroundColor' : 'color'].match(/\\d+/g).slice(0, 3).map(Number))"
        )
        assert contrast(ink, ground) >= 4.5, theme  # WCAG 2.2, 1.4.3
    page.locator("#btn-start").click()
    first = page.locator("#candidates .ag-row").first.locator('[col-id="arch"]')
    expect(first).to_have_attribute("title", re.compile(r"^\|.*~2\|$"), timeout=60_000)
    assert first.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")


@pytest.mark.long
def test_a_steered_run_is_held_against_its_twin_and_saved_as_a_script(address, page, shoot):
    open_new_run(page, address, "steered", budget=60)
    open_tab(page, "Acts")
    page.locator("#act-note").fill("nothing comes of nothing")
    brick(page, 0, 0).hover()
    brick(page, 0, 0).locator(".prune").click()
    expect(page.locator("#acts-list")).to_contain_text("nothing comes of nothing")
    expect(page.locator("#act-note")).to_have_value("")
    page.locator("#btn-start").click()
    expect(page.locator("#run-status")).to_contain_text("Done", timeout=120_000)
    page.locator("#nav-runs").click()
    row = page.locator("#runs-grid .ag-center-cols-container .ag-row").filter(has_text="steered").first
    row.locator('[col-id="state"]').click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Session script").click()
    script = json.loads(saved.value.path().read_text())
    assert script["acts"][0]["act"]["note"] == "nothing comes of nothing"
    assert (script["acts"][0]["at"], script["config"]["budget"]) == (0, 60)

    page.get_by_role("button", name="Twin").click()
    other = page.locator("#runs-grid .ag-center-cols-container .ag-row").filter(has_text="twin of steered")
    expect(other).to_contain_text("Done", timeout=120_000)
    expect(page.locator("#comparison-text")).to_contain_text("mean of the 10 best after 60")
    expect(page.locator("#comparison-text")).to_contain_text(re.compile("Steering (paid|cost)|No clear gain"))
    expect(page.locator("#comparison")).to_contain_text("twin")
    shoot(page, "runs-twins")


@pytest.mark.long
def test_two_browsers_on_two_runs_do_not_see_each_other(address, browser):
    one, two = (browser.new_context().new_page() for _ in range(2))
    one.goto(address)
    expect(one.locator("#count")).to_contain_text("of 15,625", timeout=30_000)
    two.goto(f"{address}/runs")
    two.locator("#btn-new-open").click()
    two.locator("#new-name").fill("another run")
    two.locator("#btn-new").click()
    expect(two).to_have_url(re.compile("run="))
    expect(two.locator("#nav-navigator")).to_have_attribute("href", re.compile("run="))  # links follow it
    two.locator("#nav-navigator").click()
    expect(two.locator("#count")).to_have_text("15,625 of 15,625")
    brick(two, 5, 2).hover()
    expect(two.locator("#preview")).to_contain_text("3,125 of 15,625 architectures stay")
    brick(two, 5, 2).locator(".prune").click()
    expect(two.locator("#count")).to_have_text("12,500 of 15,625")
    expect(two.locator("#acts-list")).to_contain_text("prune conv1 on edge 2→3")
    one.wait_for_timeout(1500)
    expect(one.locator("#acts-list")).not_to_contain_text("prune conv1")
    one.context.close()
    two.context.close()
