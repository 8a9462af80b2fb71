"""How long after a brush on the Correlation page board, matrix and bars show it, with a whole space and ten scores."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect

from nas_core import spaces
from nas_core.store import Store
from tests.runs import make_run

SCORES = ["zico", "naswot", "synflow", "grad_norm", "snip", "fisher", "jacov", "swap", "meco", "az_expressivity"]
ROUNDS = 8


@pytest.fixture(params=["scan", "every cell"])
def run(address, store_url, request):
    """A finished run that covers all 15,625 cells: as `scan` does, one candidate a distinct network, or one a cell.

    Its scores are a size with noise, as only the number of them matters here.
    """
    space = spaces.get("nb201")
    archs = list(space.architectures())
    if request.param == "scan":
        archs = sorted({space.canonical(arch) for arch in archs})
    sizes = np.log(space.closed_forms(archs)["live_params"].to_numpy(dtype=float))
    noise = np.random.default_rng(0).normal(size=(len(archs), len(SCORES)))
    store = Store(store_url)
    config = {"strategy": "scan", "proxies": SCORES, "rank_by": "zico", "budget": len(archs), "settings": {}}
    identifier = make_run(store, "nb201", config, "ten scores")
    texts = [space.format(arch) for arch in archs]
    for start in range(0, len(texts), 500):
        asked = store.ask(identifier, [(text, text) for text in texts[start : start + 500]], {})
        results = []
        for k, row in enumerate(asked, start=start):
            results.append((row.position, dict(zip(SCORES, sizes[k] + noise[k], strict=True)), {}))
        store.tell(identifier, results)
    store.set_state(identifier, "finished")
    store.close()
    return identifier, len(archs)


def test_brush_to_linked_update(address, page, run):
    identifier, dots = run
    page.goto(f"{address}/correlation?run={identifier}")
    expect(page.locator("#correlation-state")).to_contain_text(f"{dots:,} of {dots:,}", timeout=120_000)
    expect(page.locator("#score-score .heatmaplayer")).to_be_attached()
    seconds = []
    for k in range(ROUNDS):
        before = page.locator("#correlation-state").inner_text()
        box = page.locator("#score-truth .nsewdrag").bounding_box()
        left = box["x"] + box["width"] * (0.6 - 0.04 * k)  # outside the selection before, which a drag would move
        page.mouse.move(left, box["y"] + 4)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3, steps=4)
        page.evaluate(
            """(before) => { window.took = null; const start = performance.now(); const look = () => {
              if (document.getElementById('correlation-state').innerText !== before)
                window.took = (performance.now() - start) / 1000;
              else requestAnimationFrame(look); }; look(); }""",
            before,
        )
        page.mouse.up()
        page.wait_for_function("() => window.took !== null", timeout=60_000)
        seconds.append(page.evaluate("() => window.took"))
        page.wait_for_timeout(800)
    print(
        f"\nbrush to linked update, {dots:,} candidates covering 15,625 cells, ten scores: "
        f"median {np.median(seconds):.2f} s, n = {ROUNDS}"
    )
