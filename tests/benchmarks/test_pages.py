"""How long a page takes: from starting the program on an empty store, on a later visit, and from page to page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import numpy as np
from playwright.sync_api import Page, expect

from app.page import pages
from tests.benchmarks.compare import calibration

STARTS, VISITS, CHANGES = 5, 9, 5
USABLE = "#nav-map .js-plotly-plot canvas"


def told(title: str, seconds: list[float]) -> None:
    """Print a figure with what the machine did meanwhile."""
    print(
        f"\n{title}: median {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s, n = {len(seconds)}; "
        f"load {os.getloadavg()[0]:.1f}, calibration {1000 * calibration():.0f} ms"
    )


def usable(page: Page) -> None:
    """Wait until the map holds its dots and a command can be pressed."""
    expect(page.locator(USABLE).first).to_be_visible(timeout=60_000)
    expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=60_000)
    expect(page.locator("#btn-start")).to_be_enabled(timeout=60_000)


def test_first_page_later_visits_and_page_changes(browser, tmp_path):
    first: list[float] = []
    for k in range(STARTS):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        began = time.monotonic()
        command = [sys.executable, "-m", "app", "--port", str(port), "--store", f"sqlite:///{tmp_path / f'{k}.db'}"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        assert "NAS Helm is at" in server.stdout.readline()
        page.goto(f"http://127.0.0.1:{port}")
        usable(page)
        first.append(time.monotonic() - began)
        if k == STARTS - 1:
            again, changes = _visits(page), _changes(page)
        context.close()
        server.terminate()
        assert server.wait(timeout=30) == 0
    told("first usable page after starting on an empty store", first)
    told("a later visit", again)
    for name, seconds in changes.items():
        told(f"to the page {name}", seconds)
    assert np.median(again) < np.median(first)


def _visits(page: Page) -> list[float]:
    seconds = []
    for _ in range(VISITS):
        began = time.monotonic()
        page.reload()
        usable(page)
        seconds.append(time.monotonic() - began)
    return seconds


def _changes(page: Page) -> dict[str, list[float]]:
    """Seconds from the press in the rail until the page stands and none of its answers is awaited."""
    seconds: dict[str, list[float]] = {}
    for _ in range(CHANGES):
        for shown in [*pages()[1:], pages()[0]]:
            began = time.monotonic()
            page.locator(f"#nav-{shown.name}").click()
            expect(page.locator("#question")).to_have_text(shown.question, timeout=30_000)
            page.wait_for_function("() => document.querySelector('#page').childElementCount > 0", timeout=30_000)
            seconds.setdefault(shown.title, []).append(time.monotonic() - began)
            page.wait_for_timeout(1500)
    return seconds
