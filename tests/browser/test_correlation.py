"""The laboratory in a real browser: several scores, their board and matrix, and a brush that restricts them."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from app.labels import score_label
from nas_core import spaces
from nas_core.spaces.template import PRESETS
from nas_core.store import Store
from tests.runs import make_run


def start_run(page: Page, address: str, scores: list[str], budget: int) -> None:
    page.goto(f"{address}/runs")
    page.locator("#btn-new-open").click()
    page.locator("#new-name").fill("several scores")
    page.locator("#new-budget").fill(str(budget))
    page.locator("#new-strategy").click()
    page.get_by_role("option", name="Random: a baseline", exact=True).click()
    page.locator("#new-proxies").click()
    for name in scores:
        page.locator("#new-proxies").fill(score_label(name))
        page.get_by_role("option", name=score_label(name), exact=True).click()
    page.keyboard.press("Escape")
    page.locator("#btn-new").click()
    expect(page).to_have_url(re.compile("run="))
    expect(page.locator("#nav-navigator")).to_have_attribute("href", re.compile("run="))  # links follow it


def rows(page: Page) -> dict[str, str]:
    """First numbers of the leader board by score: n."""
    return {
        row.locator('[col-id="score"]').inner_text(): row.locator('[col-id="n"]').inner_text()
        for row in page.locator("#leader-board .ag-row").all()
    }


CUT = """() => {
  const board = document.querySelector('#leader-board .ag-center-cols-viewport');
  const wide = board.scrollWidth > board.clientWidth ? ['the board scrolls sideways'] : [];
  const numbers = '#leader-board .ag-header-cell-text, #leader-board .ag-cell:not([col-id=score])';
  const parts = document.querySelectorAll(numbers);
  const cut = Array.from(parts).filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.innerText);
  return [...wide, ...cut];
}"""


def cut_off(page: Page) -> list[str]:
    """What of the leader board cannot be read whole; long names of scores end in an ellipsis, whole on hover."""
    page.wait_for_timeout(500)
    return page.evaluate(CUT)


def test_scores_are_compared_brushed_and_selected(address, page, shoot, late):
    start_run(page, address, ["synflow", "jacov", "ntk_condition"], 40)
    page.locator("#nav-correlation").click()
    expect(page.locator("#correlation-state")).to_contain_text("0 distinct networks here; at least 10 are needed")
    page.locator("#btn-start").click()
    expect(page.locator("#run-status")).to_contain_text("Done", timeout=120_000)
    expect(page.locator("#correlation-state")).to_contain_text("40 of 40 scored")
    expect(page.locator("#leader-board")).to_contain_text("aggregate (no label)")
    found = rows(page)
    assert {"zico", "synflow", "jacov", "−NTK condition", "live parameters (baseline)"} <= set(found)
    assert found["zico"] == "40"
    expect(page.locator("#checks .check")).to_have_count(4)
    expect(page.locator("#checks .check").first).to_contain_text("Does zico rank networks?")
    expect(page.locator("#checks .check").first).to_contain_text("n = 40")
    expect(page.locator("#checks .pill").first).to_have_text(re.compile("✓|✕|~"))
    assert cut_off(page) == []
    shoot(page, "correlation-verdict")
    expect(page.locator("#score-score .heatmaplayer")).to_be_attached()

    page.evaluate(
        "() => { window.redrawn = 0; const map = document.querySelector('#score-truth .js-plotly-plot');"
        " map.on('plotly_react', () => { window.redrawn += 1; }); }"
    )
    box = page.locator("#score-truth .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=5)
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3, steps=5)
    page.mouse.up()
    expect(page.locator("#correlation-state")).to_contain_text(re.compile(r"^[123]\d of 40 scored"))
    part = int(page.locator("#correlation-state").inner_text().split()[0])
    expect(page.locator("#leader-board")).to_contain_text(str(part))
    assert 10 <= part < 40
    assert page.evaluate("() => window.redrawn") == 0  # a brush draws no dot anew: with thousands that takes long
    shoot(page, "correlation-brushed")

    page.get_by_text("stability of the score", exact=True).click()
    expect(page.locator("#score-score .gtitle")).to_contain_text("Only these settings are scored")
    page.get_by_text("score against score", exact=True).click()
    expect(page.locator("#score-score .gtitle")).to_contain_text("Score against score")

    page.get_by_text("all scored", exact=True).click()
    expect(page.locator("#correlation-state")).to_contain_text("40 of 40 scored")
    page.locator("#looked-at").click()
    page.get_by_role("option", name="NTK condition", exact=True).click()
    expect(page.locator("#measures")).to_contain_text("What does NTK condition measure?")
    expect(page.locator("#checks .check").first).to_contain_text("Does −NTK condition rank networks?")
    expect(page.locator("#score-truth .xtitle")).to_have_text("−NTK condition")

    # Weights of one's own move the aggregate, and survive a redraw and another page.
    page.locator("#btn-weights").click()
    page.get_by_role("textbox", name="zico", exact=True).fill("3")
    page.keyboard.press("Tab")
    expect(page.locator("#leader-board")).to_contain_text("aggregate (your weights)")
    page.keyboard.press("Escape")
    page.locator("#nav-runs").click()
    page.locator("#nav-correlation").click()
    expect(page.locator("#leader-board")).to_contain_text("aggregate (your weights)")
    page.locator("#btn-weights").click()
    expect(page.get_by_role("textbox", name="zico", exact=True)).to_have_value("3")
    late("weights.data")  # a slow answer is not lost in a redraw of the panel
    page.locator("#btn-weights-equal").click()
    expect(page.locator("#leader-board")).to_contain_text("aggregate (no label)")
    page.keyboard.press("Escape")

    page.get_by_text("what to label next", exact=True).click()
    expect(page.locator("#suggested")).to_contain_text(
        "Simulated: 20 labels are read from the known cifar10 validation accuracy"
    )
    expect(page.locator("#suggested tbody tr")).to_have_count(5)
    page.locator("#labels-next").fill("3")
    page.keyboard.press("Tab")
    expect(page.locator("#suggested tbody tr")).to_have_count(3)
    page.locator("#suggested a").nth(1).click()
    expect(page).to_have_url(re.compile("arch="))
    expect(page.locator("#suggested tr[aria-current=true]")).to_have_count(1)
    shoot(page, "correlation-label-next")


def test_a_template_without_known_results_trains_candidates_with_one_press(address, page, store_url):
    document = PRESETS["Residual"]().to_dict()
    space = spaces.define(document)
    store = Store(store_url)
    config = {"proxies": ["zico"], "rank_by": "zico", "budget": 12, "template": document, "strategy": "random"}
    run = make_run(store, space.name, config, "residual")
    texts = [space.format(arch) for arch in sorted({space.canonical(a) for a in space.architectures()})[:12]]
    asked = store.ask(run, [(text, text) for text in texts], {})
    store.tell(run, [(row.position, {"zico": float(k)}, {}) for k, row in enumerate(asked)])
    store.set_state(run, "finished")
    page.goto(f"{address}/correlation?run={run}")
    expect(page.locator("#headline")).to_contain_text("No known results yet: 0 of 10", timeout=60_000)
    expect(page.locator("#correlation-state")).to_contain_text("No truth is known for the space Residual")
    page.locator("#headline-acts").get_by_role("button", name="Train 10 for 10 epochs").click()
    expect(page.locator("body")).to_contain_text("10 candidates are trained for 10 epochs each.", timeout=30_000)
    expect(page.locator("#headline")).to_contain_text("under way", timeout=30_000)
    trainings = [entry.body["run"] for entry in store.log(run, kind="training")]
    assert len(set(trainings)) == 10
    for other in trainings:  # what they reach is another test's matter
        store.command(other, "stop")
    store.close()
