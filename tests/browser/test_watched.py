"""A watched network on the page Layers in a browser: chosen, kept in the address, its film by hand, played and live."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import expect

from nas_core import spaces
from nas_core.proxies.settings import ScoreSettings
from nas_core.store import Snapshot, Store, Structure
from tests.browser import faults
from tests.browser.conftest import serve
from tests.runs import make_run

CELLS = [f"|nor_conv_3x3~0|+|{op}~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|" for op in ("none", "skip_connect")]
SPACE = spaces.get("nb201")
TEXTS = [SPACE.format(SPACE.canonical(SPACE.parse(cell))) for cell in CELLS]
BLOCKS = 4


def layers(count):
    about = [{"layer": "stem", "kind": "Conv2d", "shape": "8x3x3x3", "weights": 216}]
    about += [{"layer": f"blocks.{k}.conv", "kind": "Conv2d", "shape": "8x8x3x3", "weights": 576} for k in range(count)]
    return [*about, {"layer": "head", "kind": "Linear", "shape": "10x8", "weights": 80}]


def modules(count):
    found = [("", "Net", 0), ("stem", "Conv2d", 216), ("blocks", "Sequential", 0)]
    for k in range(count):
        found += [(f"blocks.{k}", "Block", 0), (f"blocks.{k}.conv", "Conv2d", 576)]
    found.append(("head", "Linear", 80))
    return [{"name": n, "kind": kind, "weights": w, "called": place} for place, (n, kind, w) in enumerate(found)]


def snapshot(step, count):
    gradients = [math.exp(-k / 3 - step / 20) for k in range(count + 2)]
    values = {"zico": 20.0 + step} if step else {"zico": 20.0, "params": 2600.0, "live_params": 2600.0, "flops": 1e6}
    return Snapshot(step, values, {"zico": {"term": [float(k) for k in range(count + 2)], "mean_abs_grad": gradients}})


def watch(store, name, count, steps):
    row = store.add_network(name, {}, Structure(modules(count), {"zico": layers(count)}), snapshot(0, count))
    for step in steps:
        store.add_snapshot(row.id, snapshot(step, count))
    return row.id


@pytest.fixture(scope="module")
def run(store_url):
    """A finished run of two candidates with layers."""
    store, settings = Store(store_url), ScoreSettings.laptop()
    config = {"proxies": ["zico"], "rank_by": "zico", "budget": 2, "settings": settings.to_dict()}
    run = make_run(store, "nb201", config, "two cells")
    asked = store.ask(run, [(text, text) for text in TEXTS], {})
    store.tell(run, [(row.position, {"zico": 30.0 - row.position}, {}) for row in asked])
    rows = [
        {"layer": name, "kind": "Conv2d", "shape": "8x8x3x3", "weights": 576, "term": 5.0, "mean_abs_grad": 0.1}
        for name in ("stem.0", "cells.0.edges.0.1")
    ]
    store.remember_all("nb201", settings.key(), [(text, {"zico": 1.0}, {}, {"zico": rows}) for text in TEXTS])
    store.set_state(run, "finished")
    store.close()
    return run


@pytest.fixture(scope="module")
def network(store_url, run):
    """A network that was watched for five snapshots."""
    store = Store(store_url)
    identifier = watch(store, "my network", BLOCKS, (10, 20, 30, 40))
    watch(store, "another", 2, ())
    store.close()
    return identifier


@pytest.fixture(scope="module")
def address(store_url, network):
    """The app on these, without an engine."""
    with serve(store_url) as (address, _):
        yield address


COLOURS = "document.querySelector('#layers-map .js-plotly-plot').data[0].z[0]"
"""The values behind the colours of the watched network."""


def colours(page):
    return page.evaluate(f"() => {COLOURS}")


def opened(page, address, run, more=""):
    page.goto(f"{address}/layers?run={run}{more}")
    expect(page.locator("#layers-map .heatmaplayer")).to_be_attached(timeout=60_000)


@pytest.mark.long
def test_a_network_is_chosen_shown_by_depth_and_kept_in_the_address(address, page, browser, run, network, shoot):
    opened(page, address, run)
    expect(page.locator("#layers-film-row")).to_be_hidden()
    page.locator("#layers-watched").click()
    page.get_by_role("option", name="my network", exact=True).click()
    expect(page.locator("#layers-state")).to_contain_text("side by side by depth", timeout=20_000)
    expect(page).to_have_url(re.compile(f"watched={network}"))
    page.keyboard.press("Escape")
    expect(page.locator("#layers-cells .gtitle").first).to_contain_text("my network: zico 60 at step 40")
    expect(page.locator("#layers-cells .iciclelayer .slice")).to_have_count(2 * BLOCKS + 4)
    expect(page.locator("#layers-map .ytick").first).to_contain_text("my network")
    expect(page.locator("#layers-cells .support").first).to_contain_text("live parameters")
    expect(page.locator("#layers-spread .gtitle")).to_contain_text("over the steps")
    shoot(page, "layers-watched")
    link = page.url
    other = browser.new_context().new_page()
    other.goto(link)
    expect(other.locator("#layers-state")).to_contain_text("side by side by depth", timeout=60_000)
    assert other.url == link
    other.context.close()


def test_the_film_is_moved_by_keys_played_and_goes_on_while_the_training_does(
    address, page, store_url, run, network, shoot
):
    opened(page, address, run, f"&watched={network}&statistic=mean_abs_grad")
    text, play = page.locator("#layers-frame-text"), page.locator("#btn-film")
    expect(text).to_have_text("step 40, 5 of 5, the newest", timeout=60_000)
    expect(page.locator("#layers-map .gtitle")).to_contain_text("mean |g| by depth")
    newest = colours(page)
    thumb = page.locator("#layers-film-row [role=slider]")
    thumb.focus()
    page.keyboard.press("Home")
    expect(text).to_have_text("step 0, 1 of 5")
    first = [-k / 3 / math.log(10) for k in range(BLOCKS + 2)]
    page.wait_for_function(f"() => {COLOURS}[1] > -0.2")
    assert colours(page) == pytest.approx(first, abs=1e-4) and colours(page) != newest
    expect(page.locator("#layers-cells .gtitle").first).to_contain_text("zico 20 at step 0", timeout=20_000)
    page.keyboard.press("ArrowRight")
    expect(text).to_have_text("step 10, 2 of 5")
    expect(page.locator("#layers-cells .gtitle").first).to_contain_text("zico 30 at step 10", timeout=20_000)
    shoot(page, "layers-film")
    seen = page.evaluate(
        """() => { window.seen = []; new MutationObserver(() => window.seen.push(
          document.getElementById('layers-frame-text').textContent)).observe(
          document.getElementById('layers-frame-text'), { childList: true, subtree: true, characterData: true }); }"""
    )
    assert seen is None
    play.click()
    expect(play).to_have_text("Pause")
    expect(text).to_have_text("step 40, 5 of 5, the newest")
    expect(play).to_have_text("Play")
    told = page.evaluate("() => window.seen")
    assert [one for one in told if "step" in one][-3:] == [
        "step 20, 3 of 5",
        "step 30, 4 of 5",
        "step 40, 5 of 5, the newest",
    ]
    page.wait_for_function(f"(newest) => {COLOURS}[1] === newest", arg=newest[1])
    store = Store(store_url)
    store.add_snapshot(network, snapshot(50, BLOCKS))
    expect(text).to_have_text("step 50, 6 of 6, the newest", timeout=20_000)
    expect(page.locator("#layers-cells .gtitle").first).to_contain_text("at step 50", timeout=20_000)
    thumb.focus()
    page.keyboard.press("Home")
    expect(text).to_have_text("step 0, 1 of 6")
    page.wait_for_timeout(1_000)
    store.add_snapshot(network, snapshot(60, BLOCKS))
    store.close()
    expect(text).to_have_text("step 0, 1 of 7", timeout=20_000)  # who looks at a step stays there
    thumb.focus()
    page.keyboard.press("Space")
    expect(play).to_have_text("Pause")
    page.keyboard.press("Space")
    expect(play).to_have_text("Play")
    expect(page.locator("#run-status")).to_contain_text("Done")  # the key was not the run's


@pytest.mark.long
def test_a_layer_under_the_pointer_shows_its_course(address, page, run, network):
    opened(page, address, run, f"&watched={network}&statistic=mean_abs_grad")
    expect(page.locator("#layers-film-row")).to_be_visible(timeout=60_000)
    expect(page.locator("#layers-spread .gtitle")).to_contain_text("over the steps", timeout=20_000)
    page.wait_for_timeout(1_500)  # a chart that is drawn anew forgets the pointer
    box = page.locator("#layers-map .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 30)
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 12, steps=4)
    expect(page.locator("#layers-spread .gtitle")).to_contain_text("mean |g| of head · dense over the steps")
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 8, steps=4)
    expect(page.locator("#layers-spread .gtitle")).to_contain_text("over the weights of", timeout=20_000)


@pytest.mark.parametrize(
    ("theme", "width", "height"), [("light", 1024, 700), pytest.param("dark", 1280, 800, marks=pytest.mark.long)]
)
@pytest.mark.long
def test_words_can_be_read_and_axe_finds_nothing(address, page, run, network, theme, width, height, shoot):
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
    opened(page, address, run, f"&watched={network}")
    expect(page.locator("#layers-film-row")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(1_500)
    shoot(page, f"layers-watched-{theme}-{width}")
    assert faults.drawn(page) == {}
    assert faults.accessibility(page) == []
