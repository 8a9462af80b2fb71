"""The report as a user gets it: downloaded from the Runs page and opened as a file, it needs nothing else."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from nas_core import spaces
from nas_core.proxies import ScoreSettings
from nas_core.spaces import Act
from nas_core.store import Store
from tests.runs import make_run

NAME = "<img src=http://example.invalid/x onerror=alert(1)> & friends"


def scored_run(store_url: str) -> str:
    """A finished, steered run over every fifth network of NAS-Bench-201, scored by closed forms."""
    space = spaces.get("nb201")
    archs = sorted({space.canonical(arch) for arch in space.architectures()})[::5]
    texts = [space.format(arch) for arch in archs]
    scores = space.closed_forms(archs)[["sum_log_layer_size", "flops"]].to_dict("records")
    store = Store(store_url)
    config = {
        "strategy": "scan",
        "proxies": ["sum_log_layer_size", "flops"],
        "rank_by": "sum_log_layer_size",
        "budget": len(texts),
        "seed": 0,
        "settings": ScoreSettings.laptop().to_dict(),
    }
    run = make_run(store, "nb201", config, NAME)
    asked = store.ask(run, [(text, text) for text in texts], {})
    store.tell(run, [(row.position, scores[k], {}) for k, row in enumerate(asked)])
    for number, decision in enumerate(("edge 0→3", "edge 1→3")):
        body = Act("prune", decision, ("none",), note="too weak").to_dict()
        store.append(run, "act", {**body, "scored": 300 * (number + 1)})
    store.set_state(run, "finished")
    store.close()
    return run


def test_a_report_opens_without_error_and_without_network(address, store_url, page, browser, tmp_path, shoot):
    run = scored_run(store_url)
    page.goto(f"{address}/runs?run={run}")
    page.locator('#runs-grid [row-id] [col-id="state"]').first.click()
    with page.expect_download() as downloading:
        page.locator(f'[data-press="report:{run}"]').click()
    assert downloading.value.suggested_filename == f"report-{run}.html"
    file = tmp_path / "report.html"
    downloading.value.save_as(file)

    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, offline=True)
        document = context.new_page()
        told, asked = [], []
        document.on("console", lambda message, told=told: told.append(message.text))
        document.on("pageerror", lambda error, told=told: told.append(str(error)))
        document.on("request", lambda request, asked=asked: asked.append(request.url))
        document.goto(file.as_uri())
        expect(document.locator("h1")).to_have_text(NAME)
        headings = [heading.inner_text() for heading in document.locator("h2").all()]
        assert headings[:4] == ["The run", "What was done", "What came of it", "Figures"]
        assert document.locator("table").count() == document.locator("caption").count() >= 5
        assert document.locator("svg[role=img][aria-label]").count() == document.locator("figcaption").count() == 3
        paper = document.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper))) > 380) == (scheme == "light")
        shoot(document, f"report-{scheme}")
        document.emulate_media(media="print", color_scheme=scheme)
        document.set_viewport_size({"width": 688, "height": 1000})  # A4 within its margins
        assert document.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        widest = (
            "Math.max(...[...document.querySelectorAll('table, svg, pre')].map((e) => e.getBoundingClientRect().right))"
        )
        assert document.evaluate(widest) <= 688  # paper does not scroll
        assert told == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        context.close()
