"""How long from `python -m app` on an empty store to a first page that can be used, against an empty interpreter."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

from playwright.sync_api import expect


def _seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def test_start_to_a_usable_page(page, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    libraries = _seconds("import dash, dash_mantine_components, dash_ag_grid, plotly.graph_objects, sklearn.manifold")
    command = [sys.executable, "-m", "app", "--port", str(port), "--store", f"sqlite:///{tmp_path / 'store.db'}"]
    started = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        served = time.perf_counter() - started
        page.goto(address)
        expect(page.locator("#count")).to_have_text("15,625 of 15,625", timeout=60_000)
        expect(page.locator("#nav-map canvas").first).to_be_visible()
        expect(page.locator("#btn-start")).to_be_enabled()
        usable = time.perf_counter() - started
        page.goto("about:blank")  # a page that polls a server that ends would report it
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0
    print(
        f"\nfrom start to an address {served:.1f} s, to a usable first page {usable:.1f} s; "
        f"importing the libraries alone takes {libraries:.1f} s, ratio {usable / libraries:.1f}"
    )
    assert usable < 20 * libraries
