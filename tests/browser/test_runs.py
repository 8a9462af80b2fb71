"""The Runs page in a real browser: found, filtered, chosen, compared, made, deleted; with a thousand runs, too."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Page, Response, expect

from nas_core.spaces import Act
from nas_core.store import Store, twin
from tests.browser.conftest import serve
from tests.runs import SCAN, make_run, score

NAMED = "lr<b>1</b>"
TWIN = f"twin of {NAMED}"
STATES = ("finished", "paused", "failed", "stopped", "created")
ROW = "#runs-grid .ag-center-cols-container .ag-row"


@pytest.fixture(scope="module")
def held(store_url):
    """Runs by name: a steered one and its twin, and one in every other state."""
    store = Store(store_url)
    steered = make_run(store, "nb201", {**SCAN, "budget": 40}, NAMED)
    score(store, steered, 0)
    store.append(steered, "act", {**Act("prune", "*", ("none",), note="too weak").to_dict(), "scored": 20})
    store.set_state(steered, "finished")
    unsteered = twin(store, steered)
    score(store, unsteered, 1)
    store.set_state(unsteered, "finished")
    found = {NAMED: steered, "twin": unsteered}
    for state in STATES[1:]:
        found[state] = make_run(store, "nb201", {**SCAN, "budget": 40}, f"a {state} run")
        store.set_state(found[state], state, "out of memory" if state == "failed" else "")
    store.close()
    return found


@pytest.fixture(scope="module")
def address(store_url, held):
    """The app on the runs above, without an engine: nothing moves by itself."""
    with serve(store_url) as (address, _):
        yield address


def open_runs(page: Page, address: str, run: str = "") -> None:
    page.goto(f"{address}/runs?run={run}" if run else f"{address}/runs")
    expect(page.locator(ROW).first).to_be_visible(timeout=30_000)


def row(page: Page, name: str):
    """The row of the run that is called just so."""
    return page.locator(ROW).filter(has=page.get_by_role("link", name=name, exact=True))


def choose(page: Page, *names: str) -> None:
    """Choose runs by a press on their rows, all but the first with Ctrl held."""
    for number, name in enumerate(names):
        modifiers = ["Control"] if number else []
        row(page, name).locator('[col-id="state"]').click(modifiers=modifiers)


@pytest.mark.long
def test_runs_are_filtered_by_state_and_found_by_their_words(address, page, shoot):
    open_runs(page, address)
    expect(page.locator(".runs-chip").first).to_have_text("All 6")
    shoot(page, "runs-table-dark")
    page.get_by_role("button", name=re.compile("Done 2")).click()
    expect(page.locator(ROW)).to_have_count(2)
    page.get_by_role("button", name=re.compile("Failed 1")).click()
    expect(page.locator(ROW)).to_have_count(1)
    expect(page.locator(ROW)).to_contain_text("out of memory")
    page.get_by_role("button", name=re.compile("All 6")).click()
    expect(page.locator(ROW)).to_have_count(6)
    page.keyboard.press("/")
    page.keyboard.type("twin of")
    expect(page.locator(ROW)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(ROW)).to_have_count(6)


def test_a_name_is_shown_as_it_is_and_a_date_in_plain_words(address, page):
    open_runs(page, address)
    expect(row(page, NAMED).locator(".runs-link")).to_have_text(NAMED)
    when = row(page, NAMED).locator(".runs-when")
    expect(when).to_have_text(re.compile("ago|today|yesterday"))
    expect(when).to_have_attribute("title", re.compile(r"\d{4}, \d\d:\d\d"))


def test_what_cannot_be_done_says_why_and_what_can_reaches_its_run(address, page, held, store_url):
    open_runs(page, address, held["twin"])
    twin_button = page.locator("#runs-twin")
    expect(twin_button).to_be_visible()
    expect(twin_button).to_be_disabled()
    expect(twin_button).to_have_attribute("title", re.compile("Choose a run first"))
    choose(page, "a paused run")
    expect(page.locator("#runs-chosen-text")).to_have_text("a paused run")
    expect(twin_button).to_have_attribute("title", re.compile("was not steered"))
    expect(page.locator("#runs-start")).to_have_text("Resume")
    page.locator("#runs-stop").click()
    expect(row(page, "a paused run")).to_contain_text("Stopped")
    expect(page.locator("#runs-stop")).to_be_disabled()  # the bar follows
    store = Store(store_url)
    assert store.run(held["paused"]).state == "stopped"
    store.set_state(held["paused"], "paused")
    store.close()
    expect(row(page, "a paused run")).to_contain_text("Paused")  # and the table follows others


def test_two_are_compared_in_words_and_names_stand_in_the_chart_as_they_are(address, page, shoot):
    open_runs(page, address)
    choose(page, NAMED, TWIN)
    expect(page.locator("#runs-chosen-text")).to_have_text("2 chosen")
    page.keyboard.press("c")
    panel = page.locator("#runs-panel")
    expect(panel).to_be_visible()
    expect(page.locator(".runs-verdict")).to_have_text(re.compile(r"(Steering|No clear).*: [+-][\d.]+ \[.*\]"))
    expect(page.locator(".runs-tile-name").first).to_have_text(NAMED)
    expect(page.locator("#comparison")).to_contain_text("prune none everywhere")
    expect(page.locator(".runs-strip")).to_have_count(2)
    shoot(page, "runs-compare-dark")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    choose(page, NAMED, "a failed run")
    page.keyboard.press("c")
    expect(page.locator(".runs-verdict")).to_contain_text("Too early")
    expect(page.locator("#comparison text", has_text="lr<b>1</b>").first).to_be_visible()


@pytest.mark.long
def test_the_keys_of_the_page_choose_open_and_make(address, page, held, store_url):
    open_runs(page, address, held["created"])
    page.locator("#runs-chosen-text").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page.locator("#runs-chosen-text")).not_to_have_text("No run chosen")
    name = page.locator("#runs-chosen-text").inner_text()
    store = Store(store_url)
    assert store.run(held["created"]).state == "created"  # space chose a row, and started nothing
    page.keyboard.press("n")
    expect(page.get_by_role("dialog", name="New run")).to_be_visible()
    page.locator("#new-name").fill("nc/")  # keys of the page are silent in a field
    expect(page.locator("#new-name")).to_have_value("nc/")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator(f"{ROW}", has_text=name).locator('[col-id="state"]').focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/\?run={next(r.id for r in store.runs() if r.name == name)}"))
    store.close()


def test_a_run_is_made_in_the_form_and_a_refusal_stands_at_its_field(address, page, held, store_url, shoot):
    open_runs(page, address)
    page.keyboard.press("n")
    preview = page.locator("#new-data-preview")
    expect(preview).to_contain_text("10 classes")
    expect(preview.locator("img")).to_have_count(10)
    shoot(page, "runs-new-dark")
    page.locator("#new-data").click()
    page.get_by_role("option", name="A folder of images").click()
    expect(preview).to_contain_text("One sub-folder a class")
    page.locator("#btn-new").click()
    form = page.get_by_role("dialog", name="New run")
    expect(form.locator(".mantine-InputWrapper-error")).to_have_text("Type the path of the data set.")
    page.locator("#new-path").fill("/nowhere")
    expect(preview).to_contain_text("There is no '/nowhere' on this machine")
    page.locator("#new-data").click()
    page.get_by_role("option", name="Handwritten digits (built in)").click()
    page.locator("#new-name").fill("made here")
    page.locator("#btn-new").click()
    expect(form).to_have_count(0)
    expect(row(page, "made here")).to_contain_text("Ready")
    store = Store(store_url)
    (made,) = (run for run in store.runs() if run.name == "made here")
    expect(page).to_have_url(re.compile(f"run={made.id}"))

    choose(page, "made here")
    page.locator("#runs-delete").click()
    asked = page.get_by_role("dialog", name="Delete “made here”?")
    expect(asked).to_contain_text("is deleted with its scored candidates (0) and acts (0)")
    page.locator("#btn-delete-no").click()
    expect(asked).to_have_count(0)
    assert store.status(made.id)
    page.locator("#runs-delete").click()
    page.locator("#btn-delete-yes").click()
    expect(row(page, "made here")).to_have_count(0)
    assert store.status(made.id) is None
    store.close()


MEASURED = """() => {
  const seen = (e) => e.checkVisibility() && e.getClientRects().length;
  const shown = (selector) => [...document.querySelectorAll(selector)].filter(seen);
  const told = (elements) => elements.map((e) => `${e.id || e.className} ${e.textContent.slice(0, 20)}`);
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  const style = (e) => getComputedStyle(e);
  const cut = (e) => e.scrollWidth > e.clientWidth + 1 && style(e).textOverflow !== 'ellipsis';
  return {
    small: told(shown('.runs *').filter((e) => own(e) && parseFloat(style(e).fontSize) < 12)),
    cut: told(shown('.runs :is(button, label, h2, h3, p, .runs-pill)').filter((e) => cut(e) && style(e).overflow !== 'visible')),
    over: told(shown('.runs :is(button, .runs-list, .runs-panel)').filter((e) => e.getBoundingClientRect().right > innerWidth + 1)),
  };
}"""  # noqa: E501 - what it measures is easier read in one line each


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (1024, 700),
        *(pytest.param(*window, marks=pytest.mark.long) for window in ((1280, 800), (1920, 1080), (3840, 2160))),
    ],
)
def test_nothing_is_small_cut_or_outside_of_the_window(address, page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    open_runs(page, address)
    choose(page, NAMED, TWIN)
    for _ in range(2):  # the table alone, then with two compared
        found = page.evaluate(MEASURED)
        assert found == {"small": [], "cut": [], "over": []}
        page.keyboard.press("c")
        expect(page.locator(".runs-verdict")).to_be_visible()
        page.wait_for_timeout(600)


@pytest.mark.long
def test_a_thousand_runs_are_sorted_searched_and_cost_little(browser, tmp_path):
    path = tmp_path / "many.db"
    url = f"sqlite:///{path}"
    store = Store(url)
    first = make_run(store, "nb201", {**SCAN, "budget": 40}, "run 0")
    score(store, first, 0)
    with closing(sqlite3.connect(path)) as connection:  # a thousand like it, as fast as a database copies
        connection.execute(
            "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 999) "
            f"INSERT INTO runs SELECT {', '.join(copied(connection))} FROM runs, k"
        )
        connection.commit()
    assert len(store.runs()) == 1000
    with serve(url) as (address, _):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(f"{address}/arena")
        expect(page.locator("#nav-runs")).to_be_visible()
        page.wait_for_timeout(3000)
        page.locator("#nav-runs").click()
        expect(page.locator(ROW).first).to_be_visible(timeout=30_000)
        expect(page.locator(".runs-chip").first).to_have_text("All 1,000")
        assert page.locator(ROW).count() < 60  # only what is seen is drawn
        page.locator("#runs-search").fill("run 777")
        expect(page.locator(ROW)).to_have_count(1)
        page.locator("#runs-search").fill("")
        expect(page.locator(ROW).nth(5)).to_be_visible()
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        store.set_state(first, "finished")
        expect(page.get_by_role("button", name=re.compile("Done 1"))).to_be_visible()
        # The picker is filled anew when a page opens, and may be late on a busy machine.
        news = [a for a in answers if a.status == 200 and '"run-picker' not in (a.request.post_data or "")[:400]]
        sizes = [len(answer.body()) for answer in news]
        assert max(sizes) < 100_000  # one row and checksums, not a thousand rows
        context.close()
    store.close()


def copied(connection: sqlite3.Connection) -> list[str]:
    """Columns of a run, as they are in a copy of it."""
    names = [column[1] for column in connection.execute("PRAGMA table_info(runs)")]
    new = {"id": "printf('%012d', k.n)", "name": "'run ' || k.n", "created": "created - 60 * k.n"}
    return [new.get(name, name) for name in names]
