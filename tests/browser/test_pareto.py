"""A Pareto search in a real browser: made in the form, run by the engine, its front drawn, a dot of it chosen."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from nas_core import spaces
from nas_core.store import Store
from tests.browser.test_navigator import open_tab


@pytest.mark.long
def test_a_pareto_search_is_made_run_and_a_dot_of_its_front_chosen(address, store_url, page: Page, shoot):
    page.goto(f"{address}/runs")
    page.locator("#btn-new-open").click()
    expect(page.locator("#new-cost")).to_be_disabled()
    page.locator("#new-strategy").click()
    page.get_by_role("option", name="Pareto: high score and low cost at once", exact=True).click()
    expect(page.locator("#new-cost")).to_be_enabled()
    page.locator("#new-cost").click()
    page.get_by_role("option", name="latency, ms", exact=True).click()
    page.locator("#new-budget").fill("24")
    page.locator("#btn-new").click()
    expect(page).to_have_url(re.compile("run="))
    expect(page.locator("#nav-navigator")).to_have_attribute("href", re.compile("run="))  # links follow it
    run = parse_qs(urlparse(page.url).query)["run"][0]
    page.locator("#nav-navigator").click()
    page.locator("#btn-start").click()
    expect(page.locator("#run-status")).to_contain_text("Done", timeout=120_000)

    open_tab(page, "Pareto")
    title = page.locator("#pareto .gtitle")
    expect(title).to_contain_text(re.compile(r"Pareto front, \d+ of 24"))
    table = Store(store_url).table(run)
    points = np.column_stack([-table["zico"], table["latency_ms"]])
    front = [not ((points <= p).all(axis=1) & (points < p).any(axis=1)).any() for p in points]
    expect(title).to_contain_text(f"Pareto front, {sum(front)} of 24")

    dot = page.locator("#pareto .scatterlayer .trace .points path").last.bounding_box()
    page.mouse.move(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    expect(page.locator("#pareto .hoverlayer")).to_contain_text("latency, ms")
    shoot(page, "pareto-front")
    page.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    expect(page).to_have_url(re.compile("arch="))
    chosen = parse_qs(urlparse(page.url).query)["arch"][0]
    space = spaces.get("nb201")
    forms = {space.canonical(space.parse(text)) for text in table["arch"][front]}
    assert space.canonical(space.parse(chosen)) in forms
    expect(page.locator("#candidate-card .arch")).to_have_text(chosen)
