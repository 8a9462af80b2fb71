"""What is taken away: files with every row, charts as images that are read on white paper; the map, too."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from app.space_table import space_table
from app.tokens import tokens
from tests.browser.conftest import serve
from tests.browser.filled import fill

SCORED = 1000
NAME = "lr<b>1</b>"


@pytest.fixture(scope="module")
def run(store_url):
    """A finished run."""
    return fill(store_url, SCORED, NAME)


@pytest.fixture(scope="module")
def address(store_url, run):
    """The app on that run, without an engine."""
    with serve(store_url) as (address, _):
        yield address


@pytest.fixture
def dark(page, address, run):
    """Opens a page in the dark theme."""
    page.emulate_media(color_scheme="dark")

    def open_(path: str = "/"):
        page.goto(f"{address}{path}?run={run}")
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        return page

    return open_


def saved(page, chart: str, kind: str):
    """What is saved of a chart: the name of the file and its bytes."""
    if chart == "#blocks":
        page.get_by_role("tab", name="Blocks").click(timeout=60_000)
    page.wait_for_function(
        "(chart) => (document.querySelector(`${chart} .js-plotly-plot`)?.data || []).length > 0",
        arg=chart,
        timeout=60_000,
    )
    button = page.locator(f"{chart} > .take-chart").get_by_role("button", name=f"Save chart as {kind.upper()}")
    with page.expect_download(timeout=60_000) as download:
        button.focus()
        page.keyboard.press("Enter")
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_the_csv_of_a_page_holds_every_row_with_exact_numbers(dark, page, run):
    dark()
    link = page.locator("#btn-csv")
    expect(link).to_have_attribute("href", re.compile(run), timeout=60_000)
    with page.expect_download(timeout=60_000) as download:
        link.click()
    assert download.value.suggested_filename == "lr-b-1-b-candidates.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    table = space_table("nb201")
    assert len(rows) == SCORED
    for row in rows:
        assert int(row["flops"]) == table.closed["flops"].iloc[table.index[row["architecture"]]]


@pytest.mark.parametrize(
    ("path", "chart", "name"),
    [
        ("/", "#nav-map", "Space"),
        pytest.param("/", "#blocks", "Blocks", marks=pytest.mark.long),
        pytest.param("/correlation", "#score-truth", "Score-and-truth", marks=pytest.mark.long),
    ],
)
def test_a_chart_of_the_dark_theme_is_saved_in_dark_ink_on_white(dark, page, path, chart, name):
    dark(path)
    file, content = saved(page, chart, "png")
    assert file.startswith("lr-b-1-b-") and name.lower() in file.lower() and file.endswith(".png")
    image = Image.open(io.BytesIO(content)).convert("RGBA")
    pixels = np.asarray(image)
    assert (pixels[..., 3] == 255).all()
    assert pixels[2, 2, :3].tolist() == [255, 255, 255]
    title = pixels[: 20 * 3, : 300 * 3, :3].astype(float)
    title = title.mean(axis=-1)
    assert title.min() < 90  # ink that stands out from the paper


@pytest.mark.long
def test_the_map_as_svg_is_drawn_in_lines_and_dots_with_its_words(dark, page):
    dark()
    page.wait_for_function(
        "() => { const p = document.querySelector('#nav-map .js-plotly-plot');"
        " return p && p.data && p.data.filter((t) => t.type === 'scattergl').length > 3; }",
        timeout=60_000,
    )
    file, content = saved(page, "#nav-map", "svg")
    text = content.decode()
    assert file.endswith(".svg") and text.startswith("<svg")
    assert re.search(r"<title>[^<]*lr&lt;b>1&lt;/b>", text)
    assert text.count('class="point') > SCORED and "<image" not in text
    assert "projection" in text
    assert re.search(r"rect[^>]*fill: rgb\(255, 255, 255\)", text)


@pytest.mark.long
def test_the_page_keeps_its_colours_after_a_chart_was_saved(dark, page):
    dark()
    saved(page, "#blocks", "svg")
    look = page.evaluate("() => document.querySelector('#blocks .js-plotly-plot').layout")
    assert (look["paper_bgcolor"], look["font"]["color"]) == ("rgba(0,0,0,0)", tokens("dark")["text2"])


@pytest.mark.parametrize(
    "path",
    ["/", *(pytest.param(path, marks=pytest.mark.long) for path in ("/layers", "/correlation", "/runs", "/arena"))],
)
def test_every_chart_of_a_page_can_be_saved(dark, page, path):
    dark(path)
    expect(page.locator(".dash-graph").first).to_be_attached(timeout=60_000)
    page.wait_for_timeout(1500)
    page.wait_for_function(  # charts come with their data, and each gets its control at once
        "() => { const all = [...document.querySelectorAll('.dash-graph')];"
        " return all.length > 0 && all.every((one) => one.querySelector(':scope > .take-chart')); }"
    )
