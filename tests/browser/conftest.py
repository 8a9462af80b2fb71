"""A real server with its engine on a store of its own, and Debian's Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests import commands

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-unsafe-swiftshader"]
expect.set_options(timeout=15_000)  # a page is waited for, not timed: that is what tests/benchmarks do
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", Path(__file__).parent / "screenshots"))


def pytest_collection_modifyitems(items):
    """The file that takes longest comes first, so that no process of the tests waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_navigator.py")


@pytest.fixture(scope="module")
def store_url(tmp_path_factory):
    """The store of the app under test."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"


def _port() -> int:
    """The port of the app before, where it is free: what the browser has compiled it finds again by the address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _ports[0] if _ports else 0))
        except OSError:
            return 0
        _ports[:] = [probe.getsockname()[1]]
        return _ports[0]


_ports: list[int] = []


@contextmanager
def serve(store_url: str, *arguments: str) -> Iterator[tuple[str, commands.Program]]:
    """An app on a store, without an engine unless `arguments` say otherwise: its address and its process."""
    server, told = commands.app("--port", _port(), "--store", store_url, *(arguments or ["--no-engine"]))
    with told:
        line = told.readline()
        assert "NAS Helm is at" in line
        url = line.split()[-1].rstrip("/")
        urllib.request.urlopen(url, timeout=10).read()
        try:
            yield url, server
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def address(store_url):
    """The address of a freshly started app with its engine."""
    with serve(store_url, "--workers", "2") as (address, _):
        yield address


@pytest.fixture(scope="session")
def playwright():
    """What drives browsers; there may be one in a process."""
    with sync_playwright() as playwright:
        yield playwright


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Debian's Chromium, without its windows where that is installed."""
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "/usr/bin/chromium"
    return playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *arguments])


@pytest.fixture(scope="session")
def browser(playwright):
    """Chromium, one for all modules."""
    browser = launch(playwright)
    yield browser
    browser.close()


LATE = """(output) => {
  const ask = window.fetch;
  window.fetch = (...of) => {
    const body = String((of[1] || {}).body || "");
    if (!body.slice(0, body.indexOf('"outputs"')).includes(output)) return ask(...of);
    return new Promise((done) => setTimeout(() => done(ask(...of)), 800));
  };
}"""


@pytest.fixture
def late(page):
    """Holds back by 0.8 s what the page asks for one output, as a busy machine does: `late("run.data")`."""
    return lambda output: page.evaluate(LATE, output)


@pytest.fixture(scope="session")
def context(browser):
    """What pages share: the files of the app, read and compiled once."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A page of 1280 x 800 whose console must stay free of errors; the browser remembers nothing of pages before."""
    page: Page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    if page.url.startswith("http"):
        page.evaluate("() => { try { localStorage.clear(); } catch { /* denied */ } }")
    page.close()
    context.clear_permissions()
    context.clear_cookies()
    assert errors == []


@pytest.fixture
def shoot():
    """Keep a screenshot under a name."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take
