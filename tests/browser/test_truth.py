"""The truth is chosen in the header, holds on every page, and outlives a reload; each browser has its own."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from nas_core import bench, spaces
from nas_core.store import Store
from tests.runs import make_run

SPACE = spaces.get("nb201")
ARCHS = list(SPACE.architectures())
TEXTS = [SPACE.format(arch) for arch in ARCHS]


@pytest.fixture(autouse=True)
def patience():
    """The first look at a space computes its map: on a busy machine that takes a while."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def runs():
    """Ids of the runs by the name of their space."""
    return {}


@pytest.fixture(scope="module")
def store_url(tmp_path_factory, runs):
    """A store with a finished run on NAS-Bench-201, one on a space without results, and a table of device costs."""
    folder = tmp_path_factory.mktemp("truth")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("NAS_HELM_HOME", str(folder / "home"))
        latency = SPACE.closed_forms(ARCHS)["flops"].to_numpy() / 1e6 + 1
        frame = pd.DataFrame({"arch": TEXTS, "raspi4_latency": latency, "edgegpu_energy": latency[::-1]})
        frame.to_csv(folder / "hw.csv", index=False)
        bench.import_results(folder / "hw.csv", "nb201")
        url = f"sqlite:///{folder / 'store.db'}"
        store = Store(url)
        runs["nb_macro"] = finished(store, "nb_macro", "no truth here")
        runs["nb201"] = finished(store, "nb201", "with truth")
        store.close()
        yield url


def finished(store: Store, space: str, name: str) -> str:
    known = spaces.get(space)
    run = make_run(store, space, {"strategy": "scan", "proxies": ["zico"], "rank_by": "zico", "budget": 80}, name)
    archs = list(dict.fromkeys(known.canonical(arch) for arch in known.architectures()))[::40][:80]
    texts = [known.format(arch) for arch in archs]
    rows = store.ask(run, [(text, text) for text in texts], {})
    size = known.closed_forms(archs)["flops"].to_numpy()
    values = size / size.max() + np.random.default_rng(0).normal(scale=0.05, size=len(archs))
    store.tell(run, [(row.position, {"zico": float(value)}, {}) for row, value in zip(rows, values, strict=True)])
    store.set_state(run, "finished")
    return run


def pick(page: Page, name: str) -> None:
    page.get_by_label("Truth", exact=True).locator("visible=true").first.click()
    page.get_by_role("option", name=name).click()


def test_the_truth_is_chosen_once_for_all_pages_and_outlives_a_reload(address, runs, browser, page, shoot):
    picker = page.locator("#truth-picker")
    page.goto(f"{address}/?run={runs['nb201']}")
    expect(picker).to_have_value("published/cifar10 · validation accuracy, %")
    expect(page.locator("#trust-verdict")).to_contain_text("cifar10 validation accuracy (tabular truth)")
    pick(page, "hw/raspi4_latency")
    expect(page).to_have_url(re.compile("truth=hw%2Fraspi4_latency"))
    expect(page.locator("#trust-verdict")).to_contain_text("hw/raspi4_latency (tabular truth): τ -0")
    page.locator("#candidates .ag-row").first.click()
    expect(page).to_have_url(re.compile("arch=.*truth=hw%2Fraspi4_latency"))
    expect(page.locator("#candidate-card")).to_contain_text("hw/raspi4_latency, ms, lower is better")
    shoot(page, "truth-navigator")

    page.reload()
    expect(picker).to_have_value("hw/raspi4_latency · latency, ms")
    expect(page.locator("#trust-verdict")).to_contain_text("hw/raspi4_latency (tabular truth)")
    page.locator("#nav-correlation").click()
    expect(page.locator("#score-truth .ytitle")).to_contain_text("hw/raspi4_latency, ms, lower is better")
    expect(page.locator("#correlation-state")).to_contain_text("truth: hw/raspi4_latency, ms")
    shoot(page, "truth-correlation")
    page.locator("#nav-layers").click()
    expect(page.locator("#layers-cells .gtitle").first).to_contain_text("hw/raspi4_latency")
    assert "truth=hw%2Fraspi4_latency" in page.url

    other = browser.new_context(viewport={"width": 1280, "height": 800})
    second = other.new_page()
    second.goto(f"{address}/?run={runs['nb201']}")
    expect(second.locator("#truth-picker")).to_have_value(re.compile("published/cifar10"))
    other.close()
    expect(picker).to_have_value(re.compile("hw/raspi4_latency"))

    pick(page, "published/cifar100")
    expect(page).to_have_url(re.compile("truth=published%2Fcifar100"))
    expect(page.locator("#layers-cells .gtitle").first).to_contain_text("cifar100")


@pytest.mark.long
def test_by_the_keyboard_the_default_is_chosen_again_and_the_way_back_is_open(address, runs, page):
    page.goto(f"{address}/correlation?run={runs['nb201']}&truth=hw%2Fedgegpu_energy")
    picker = page.locator("#truth-picker")
    expect(picker).to_have_value("hw/edgegpu_energy · energy, mJ")
    expect(page.locator("#score-truth .ytitle")).to_contain_text("hw/edgegpu_energy, mJ")
    page.goto(f"{address}/layers?run={runs['nb201']}&truth=hw%2Fedgegpu_energy")
    expect(page.locator("#layers-cells .gtitle").first).to_contain_text("hw/edgegpu_energy")
    page.locator("#nav-correlation").click()
    expect(picker).to_have_value("hw/edgegpu_energy · energy, mJ")
    picker.focus()
    picker.fill("published/cifar10 ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(picker).to_have_value("published/cifar10 · validation accuracy, %")
    expect(page.locator("#score-truth .ytitle")).to_contain_text("cifar10 validation accuracy, %")
    expect(page).to_have_url(re.compile("truth=published%2Fcifar10(&|$)"))
    page.go_back()
    expect(picker).to_have_value("hw/edgegpu_energy · energy, mJ")


def test_a_space_without_results_says_how_to_get_some(address, runs, page):
    page.goto(f"{address}/correlation?run={runs['nb201']}&truth=hw%2Fraspi4_latency")
    expect(page.locator("#truth-picker")).to_have_value(re.compile("raspi4"))
    page.locator("#run-picker").click()
    page.get_by_role("option", name="no truth here").click()
    expect(page.locator("#truth-picker")).to_be_disabled()
    expect(page.locator("#truth-choice")).to_have_attribute("title", re.compile("no known results for this space"))
    expect(page.locator("#correlation-state")).to_contain_text("No truth is known for the space nb_macro")
