"""How long after a steering act every view shows it, with the whole of NAS-Bench-201 on screen."""

from __future__ import annotations

import numpy as np
from playwright.sync_api import expect

ROUNDS = 12
# Seconds until count, acts, brick and map have all changed and the map has been drawn, for one click.
ACT = """(selector) => new Promise((done) => {
  const map = document.querySelector('#nav-map .js-plotly-plot');
  const text = (id) => document.getElementById(id).innerText;
  const faint = () => map.data.filter((t) => t.name === 'dots 0').map((t) => t.x.length).join();
  const before = {count: text('count'), acts: text('acts-list'), look: document.getElementById('template').innerHTML,
                  faint: faint()};
  let drawn = false;
  map.on('plotly_afterplot', () => { drawn = drawn || faint() !== before.faint; });
  const start = performance.now();
  document.querySelector(selector).click();
  const look = () => {
    const all = drawn && text('count') !== before.count && text('acts-list') !== before.acts
      && document.getElementById('template').innerHTML !== before.look;
    if (all) { map.removeAllListeners('plotly_afterplot'); done((performance.now() - start) / 1000); }
    else if (performance.now() - start > 20000) done(-1);
    else requestAnimationFrame(look);
  };
  look();
})"""
# Seconds plotly itself needs to draw every dot anew: the floor under any act.
FLOOR = """() => new Promise((done) => {
  const map = document.querySelector('#nav-map .js-plotly-plot');
  const start = performance.now();
  Plotly.redraw(map).then(() => requestAnimationFrame(() => done((performance.now() - start) / 1000)));
})"""
DOTS = """() => document.querySelector('#nav-map .js-plotly-plot').data
  .filter((t) => t.name && t.name.startsWith('dots')).reduce((sum, t) => sum + t.x.length, 0)"""


def _measure(page) -> list[float]:
    seconds = []
    for k in range(ROUNDS):
        seconds.append(page.evaluate(ACT, f'[data-brick="{k % 6}:{k % 5}"] .prune'))
        page.wait_for_timeout(300)
        seconds.append(page.evaluate(ACT, "#btn-undo"))
        page.wait_for_timeout(300)
    assert min(seconds) > 0, "an act did not reach every view within 20 s"
    return seconds


def _report(title: str, seconds: list[float], floor: float) -> None:
    median, slow = np.median(seconds), np.quantile(seconds, 0.9)
    print(
        f"\n{title}: median {median:.3f} s, 90 % below {slow:.3f} s, n = {len(seconds)}; "
        f"plotly's own redraw {floor:.3f} s, ratio {median / floor:.1f}"
    )


def test_steering_act_to_updated_views(address, page):
    page.goto(address)
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=30_000)
    page.wait_for_timeout(2000)
    assert page.evaluate(DOTS) == 15_625
    floor = float(np.median([page.evaluate(FLOOR) for _ in range(9)]))
    page.reload()
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=30_000)
    page.wait_for_timeout(2000)
    resting = _measure(page)
    _report("steering act to updated views, run at rest", resting, floor)

    page.locator("#btn-start").click()
    expect(page.locator("#run-status")).to_contain_text("Running", timeout=30_000)
    page.wait_for_timeout(5000)
    running = _measure(page)
    page.locator("#btn-pause").click()
    _report("steering act to updated views, two workers scoring", running, floor)
    assert np.median(resting) < 10 * floor
