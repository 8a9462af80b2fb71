"""What holds on every page, in every state of a run and of the app: text that can be read, nothing cut, axe content."""

from __future__ import annotations

import base64
import io
import json
import signal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.page import pages
from nas_core.store import Store
from tests.browser import faults
from tests.browser.conftest import serve
from tests.runs import SCAN, make_run, score

SCORED = 60
STATES = {"empty": "created", "running": "running", "paused": "paused", "failed": "failed", "finished": "finished"}
"""What a run of a name is in; `empty` has no candidate."""
WINDOWS = {1280: 800, 1920: 1080}
PATHS = [page.path for page in pages()]


@pytest.fixture(scope="module")
def runs(store_url):
    """A run in every state, by its state."""
    store = Store(store_url)
    found = {}
    for name, state in STATES.items():
        found[name] = make_run(store, "nb201", {**SCAN, "budget": 2 * SCORED if state != "finished" else SCORED}, name)
        if name != "empty":
            score(store, found[name], n=SCORED)
        store.set_state(found[name], state, "the images of digits.npz cannot be read" if state == "failed" else "")
    store.close()
    return found


@pytest.fixture(scope="module")
def address(store_url, runs):
    """The app on the runs above, without an engine: nothing moves by itself."""
    with serve(store_url) as (address, _):
        yield address


def look(page: Page, address: str, path: str, run: str, theme: str, width: int, height: int) -> None:
    """Open a page and wait until it stands still."""
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
    page.goto(f"{address}{path}?run={run}")
    expect(page.locator("#question")).not_to_be_empty(timeout=60_000)
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", theme)
    expect(page.locator("#run-status")).not_to_contain_text("Loading", timeout=60_000)
    page.wait_for_function("() => !document.querySelector('[data-dash-is-loading=true]')", timeout=60_000)
    page.wait_for_timeout(1000)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("theme", "width", "height"),
    [
        ("light", 1024, 700),
        pytest.param("dark", 1280, 800, marks=pytest.mark.long),
        pytest.param("light", 960, 600, marks=pytest.mark.long),  # 1440 x 900 at a zoom of 150 %
        pytest.param("dark", 3840, 2160, marks=pytest.mark.long),
    ],
)
def test_words_can_be_read_and_axe_finds_nothing(address, page, runs, path, theme, width, height, shoot):
    look(page, address, path, runs["finished"], theme, width, height)
    shoot(page, f"{path.strip('/') or 'navigator'}-finished-{theme}-{width}")
    assert faults.drawn(page) == {}
    assert faults.accessibility(page) == []


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", WINDOWS)
def test_every_state_of_a_run_can_be_read(address, page, runs, path, state, theme, width, shoot):
    look(page, address, path, runs[state], theme, width, WINDOWS[width])
    shoot(page, f"{path.strip('/') or 'navigator'}-{state}-{theme}-{width}")
    assert faults.drawn(page) == {}
    assert faults.accessibility(page) == []


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", WINDOWS)
def test_a_page_that_waits_for_its_data_is_drawn_in_its_own_colours(address, page, runs, path, theme, width, shoot):
    page.set_viewport_size({"width": width, "height": WINDOWS[width]})
    page.emulate_media(color_scheme=theme)
    held = []
    page.route(
        "**/_dash-update-component", lambda route: held.append(route) if _is_of_data(route) else route.continue_()
    )
    page.goto(f"{address}{path}?run={runs['finished']}")
    expect(page.locator("#question")).not_to_be_empty(timeout=60_000)
    page.wait_for_timeout(1000)
    shoot(page, f"{path.strip('/') or 'navigator'}-loading-{theme}-{width}")
    assert faults.drawn(page) == {}
    page.unroute_all(behavior="ignoreErrors")


def _is_of_data(route) -> bool:
    """Whether an answer is not of the frame itself."""
    output = json.loads(route.request.post_data or "{}").get("output", "")
    return not any(part in output for part in ("page.children", "run.data", "run-picker", "question"))


@pytest.mark.long
@pytest.mark.parametrize("path", PATHS)
def test_lost_contact_is_told_in_place_within_five_seconds(store_url, runs, page, path, shoot):
    with serve(store_url) as (address, server):
        for theme in ("dark", "light"):
            look(page, address, path, runs["running"], theme, 1280, 800)
        server.send_signal(signal.SIGSTOP)
        expect(page.locator("#lost")).to_be_visible(timeout=15_000)
        for width, height in WINDOWS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(500)
            shoot(page, f"{path.strip('/') or 'navigator'}-disconnected-light-{width}")
            assert faults.drawn(page) == {}
        server.send_signal(signal.SIGCONT)
        expect(page.locator("#lost")).to_be_hidden(timeout=15_000)


@pytest.mark.long
def test_no_frame_is_white_in_the_dark_theme(address, page, runs):
    page.emulate_media(color_scheme="dark")
    session = page.context.new_cdp_session(page)
    frames: list[bytes] = []

    def keep(event) -> None:
        frames.append(base64.b64decode(event["data"]))
        session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    page.goto(f"{address}/template")  # the first frame of a tab is white before it has an address
    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 60, "everyNthFrame": 1})
    page.goto(f"{address}/?run={runs['finished']}")
    expect(page.locator("#nav-map .js-plotly-plot canvas").first).to_be_visible(timeout=60_000)
    for shown in pages():
        page.locator(f"#nav-{shown.name}").click()
        expect(page.locator("#question")).to_have_text(shown.question, timeout=30_000)
        page.wait_for_timeout(1000)
    session.send("Page.stopScreencast")
    assert len(frames) >= len(PATHS)
    bright = [_share_of_white(frame) for frame in frames]
    assert max(bright) < 0.1, f"frame {int(np.argmax(bright))} of {len(frames)}"


def _share_of_white(frame: bytes) -> float:
    grey = np.asarray(Image.open(io.BytesIO(frame)).convert("L"))
    return float((grey > 200).mean())
