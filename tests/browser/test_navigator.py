"""The main job in a real browser: start, live dots, steer, pause, reload, resume, select, understand."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import Page, expect

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def scored(page: Page) -> int:
    found = re.search(r"([\d,]+) of", page.locator("#run-status").inner_text())
    assert found
    return int(found.group(1).replace(",", ""))


def brick(page: Page, decision: int, choice: int):
    return page.locator(f'[data-brick="{decision}:{choice}"]')


def coloured(page: Page) -> int:
    """Dots of the map that are not the grey of what is not scored yet."""
    return int(
        page.evaluate(
            "() => { const c = document.querySelector('#nav-map .js-plotly-plot').data[0].marker.color;"
            " const n = c.bdata ? new Float32Array(Uint8Array.from(atob(c.bdata), (b) => b.charCodeAt(0)).buffer) : c;"
            " return Array.from(n).filter((v) => v > 0.01).length; }"
        )
    )


def test_the_main_job(address, page, shoot):
    page.goto(address)
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=30_000)
    expect(page.locator("#nav-map canvas").first).to_be_visible()
    expect(page.locator("#run-status")).to_contain_text("Press Start")
    shoot(page, "navigator-empty-dark")

    page.locator("#btn-start").click()
    page.wait_for_function(
        "() => parseInt(document.getElementById('run-status').innerText.split('·')[1]) > 20", timeout=60_000
    )
    expect(page.locator("#run-status")).to_contain_text("Running")
    page.wait_for_timeout(1500)
    first = coloured(page)
    assert 0 < first < 15_625
    page.wait_for_timeout(5000)
    assert coloured(page) > first

    before_scores = brick(page, 5, 4).bounding_box()
    brick(page, 0, 0).hover()
    expect(page.locator("#preview")).to_contain_text("removes 3,125 architectures (20%)")
    brick(page, 0, 0).locator(".prune").click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    brick(page, 3, 1).hover()
    expect(page.locator("#preview")).to_contain_text("edge 0→3")
    brick(page, 3, 1).locator(".pin").click()
    expect(page.locator("#count")).to_have_text("2,500 of 15,625")
    expect(page.locator("#acts-list")).to_contain_text("pin edge 0→3 = skip_connect")
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
    page.wait_for_timeout(1500)
    assert brick(page, 5, 4).bounding_box() == before_scores, "bricks move while scores arrive"
    before = scored(page)
    page.reload()
    expect(page.locator("#run-status")).to_contain_text("Paused", timeout=30_000)
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    assert scored(page) == before
    page.locator("#candidates .ag-row").first.locator('[col-id="arch"]').click()
    expect(page.locator("#candidate-card")).to_contain_text("cifar10 validation")
    expect(page.locator("#card-layers .bars")).to_be_visible()
    assert "arch=" in page.url
    shoot(page, "navigator-selected-dark")

    page.locator("#btn-start").click()
    page.wait_for_function(
        "(n) => parseInt(document.getElementById('run-status').innerText.split('·')[1]) > n", arg=before, timeout=60_000
    )

    page.locator("#nav-layers").click()
    expect(page.locator("#layers-map .heatmaplayer")).to_be_attached()
    expect(page.locator("#layers-table")).to_contain_text("stem.0")
    expect(page.locator("#layers-table")).to_contain_text("selected")
    assert "arch=" in page.url
    shoot(page, "layers-dark")
    page.locator("#nav-correlation").click()
    expect(page.locator("#leader-board")).to_contain_text("zico")
    expect(page.locator("#leader-board")).to_contain_text("live_params (baseline)")
    shoot(page, "correlation-dark")
    page.locator("#nav-runs").click()
    expect(page.locator("#run-cards")).to_contain_text("cells on digits")
    shoot(page, "runs-dark")

    page.locator("#nav-navigator").click()
    expect(page.locator("#count")).to_have_text("12,500 of 15,625")
    expect(page.locator("#candidate-card")).to_contain_text("cifar10 validation")
    page.locator("label[for=theme-switch], .mantine-Switch-root").first.click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
    page.wait_for_timeout(1000)
    shoot(page, "navigator-light")
    page.locator("#btn-stop").click()
    expect(page.locator("#run-status")).to_contain_text("Stopped")


def test_a_link_restores_the_selection(address, page):
    page.goto(f"{address}/?arch={quote(CELL)}")
    expect(page.locator("#candidate-card")).to_contain_text(CELL, timeout=30_000)


def test_two_browsers_on_two_runs_do_not_see_each_other(address, browser):
    one, two = (browser.new_context().new_page() for _ in range(2))
    one.goto(address)
    two.goto(f"{address}/runs")
    two.locator("#new-name").fill("another run")
    two.locator("#btn-new").click()
    expect(two).to_have_url(re.compile("run="))
    two.locator("#nav-navigator").click()
    expect(two.locator("#count")).to_have_text("15,625 of 15,625")
    brick(two, 5, 2).hover()
    expect(two.locator("#preview")).to_contain_text("removes 3,125")
    brick(two, 5, 2).locator(".prune").click()
    expect(two.locator("#count")).to_have_text("12,500 of 15,625")
    expect(two.locator("#acts-list")).to_contain_text("prune edge 2→3 = nor_conv_1x1")
    one.wait_for_timeout(1500)
    expect(one.locator("#acts-list")).not_to_contain_text("nor_conv_1x1")
    one.context.close()
    two.context.close()
