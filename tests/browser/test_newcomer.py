"""A newcomer who presses only what the page names: from an empty store to a trained network in a file."""

from __future__ import annotations

import re

import onnx
import pytest
from playwright.sync_api import expect

MOST_PRESSES = 25
STEPS = (("Start", 40_000), ("Pin ", 180_000), ("Train it", 30_000), ("Export it", 300_000))
"""How the next press begins, and milliseconds that the page may take to name it."""


@pytest.mark.long
def test_from_an_empty_store_to_an_exported_trained_network(address, page, tmp_path, shoot):
    page.goto(address)
    presses = 0
    for k, (words, patience) in enumerate(STEPS):
        named = page.locator("#headline-acts .filled-button")
        expect(named).to_have_text(re.compile(f"^{words}"), timeout=patience)
        expect(page.locator("#headline")).not_to_be_empty()
        shoot(page, f"newcomer-{k + 1}")
        if words == "Export it":
            with page.expect_download(timeout=120_000) as download:
                named.click()
            download.value.save_as(tmp_path / download.value.suggested_filename)
        else:
            named.click()
        presses += 1
    assert presses <= MOST_PRESSES
    (exported,) = tmp_path.glob("*.onnx")
    onnx.checker.check_model(onnx.load(exported))
    expect(page.locator("#headline")).to_contain_text("% of held-out images")
