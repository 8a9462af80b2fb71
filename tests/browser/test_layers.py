"""The Layers page in a browser: a template on shared weights says what to do, one press does it, layers have names."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from nas_core import spaces
from nas_core.spaces.template import PRESETS
from nas_core.store import Store
from tests.runs import make_run

DOCUMENT = PRESETS["3-conv-7-layer"]().to_dict()
SPACE = spaces.define(DOCUMENT)


@pytest.fixture(scope="module")
def run(store_url, address):
    """A run of a template too large to list, ranked on shared weights, with four candidates."""
    store = Store(store_url)
    supernet = {"data": "digits", "epochs": 1.0}
    config = {"proxies": ["one_shot"], "rank_by": "one_shot", "budget": 4, "template": DOCUMENT, "supernet": supernet}
    run = make_run(store, SPACE.name, config, "seven layers, one-shot")
    rng = np.random.default_rng(2)
    texts = [SPACE.format(SPACE.canonical(SPACE.sample(rng))) for _ in range(4)]
    asked = store.ask(run, [(text, text) for text in texts], {})
    store.tell(run, [(row.position, {"one_shot": -float(k)}, {}) for k, row in enumerate(asked)])
    store.set_state(run, "finished")
    store.close()
    return run


@pytest.mark.long
def test_a_template_on_shared_weights_says_what_to_do_and_one_press_does_it(address, page, run, shoot):
    page.goto(f"{address}/layers?run={run}")
    expect(page.locator("#layers-lack")).to_contain_text("one-shot is one number for a whole network.", timeout=60_000)
    expect(page.locator("#layers-cells .gtitle")).to_have_count(3)
    expect(page.locator("#layers-evidence")).to_be_hidden()
    expect(page.locator("#headline")).to_contain_text("one-shot is one number for a whole network")
    shoot(page, "layers-lack")
    page.locator("#layers-lack").get_by_role("button", name="Score it with zico").click()
    expect(page).not_to_have_url(re.compile(f"run={run}"), timeout=20_000)
    expect(page.locator("#layers-map .heatmaplayer")).to_be_attached(timeout=90_000)
    expect(page.locator("#layers-lack")).to_be_empty()
    expect(page.locator("#layers-table")).to_contain_text(re.compile(r"layer 1 · block \d · conv \d×\d"))
    expect(page.locator("#headline")).to_contain_text(re.compile("difference between #1 and"), timeout=20_000)
    expect(page.locator("#layers-spread .legend")).to_contain_text("weights", timeout=60_000)
    expect(page.locator("#run-status")).to_contain_text("Done", timeout=60_000)
    page.wait_for_timeout(3_000)  # the headline of the last candidate
    look = page.locator("#headline-acts").get_by_role("button", name="Look inside it")
    named = look.get_attribute("data-press").removeprefix("layer:")
    assert page.locator("#headline").text_content().startswith(f"{named} makes")
    look.click()
    expect(page.locator("#layers-spread .gtitle")).to_contain_text(f"over the weights of {named}", timeout=20_000)
    shoot(page, "layers-template")


def test_the_file_has_the_modules_own_names_beside_those_of_people(address, page, run):
    page.goto(f"{address}/layers?run={run}")
    expect(page.locator("#layers-lack button")).to_be_visible(timeout=60_000)
    page.locator("#layers-lack button").click()  # opens the run that the test before has made
    expect(page.locator("#layers-table .ag-row").first).to_be_visible(timeout=60_000)
    assert page.locator('#layers-table .ag-header-cell[col-id="module"]').count() == 0
    with page.expect_download() as download:
        page.locator("#btn-layers-csv").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert "module" in lines[0].split(",")
    assert any("layers.0.blocks.0.0" in line and "layer 1 · block" in line for line in lines[1:])
