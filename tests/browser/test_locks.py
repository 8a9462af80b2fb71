"""The locks in a real browser: every page draws under them; other sites, rebound names and frames get nowhere."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.cockpit import DEFAULT_CONFIG
from app.space_table import space_table
from nas_core.store import Store
from tests.browser.conftest import launch

NAMES = "MAP helm.example 127.0.0.1, MAP rebound.example 127.0.0.1, MAP evil.example 127.0.0.1"
VIOLATIONS = """
  window.violations = [];
  const told = (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
  document.addEventListener("securitypolicyviolation", told);
"""
SCORED = 60
PATIENCE = 60_000
"""Milliseconds, on a busy machine."""


@pytest.fixture(scope="module")
def store_url(tmp_path_factory):
    """A store with one run that is scored."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"
    store = Store(url)
    run = store.create_run(DEFAULT_CONFIG, "scored")
    texts = space_table("nb201").texts[100 : 100 + SCORED]
    asked = store.ask(run, [(text, text) for text in texts], {})
    store.tell(run, [(row.position, {"zico": float(k)}, {"zico": 0.01}) for k, row in enumerate(asked)])
    store.set_state(run, "stopped")
    store.close()
    return url


@pytest.fixture(scope="module")
def address(store_url):
    """Where the app is served, under a path and a second name."""
    options = ["--port", "0", "--store", store_url, "--no-engine", "--url-prefix", "/helm/"]
    command = [sys.executable, "-m", "app", *options, "--allowed-host", "helm.example"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1]
    process.terminate()
    assert process.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def browser(playwright):
    """Chromium whose name server an attacker has in hand."""
    browser = launch(playwright, f"--host-resolver-rules={NAMES}")
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def context(browser):
    """What its pages share."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def guarded(page):
    """A page that notes what the content security policy forbids it."""
    page.add_init_script(VIOLATIONS)
    return page


@pytest.fixture
def visitor(browser):
    """A page whose console may hold errors: it is on a site that we refuse."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def evil(tmp_path_factory, address):
    """The port of another site, whose pages are files in a folder."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<title>evil</title><p>another site")
    (folder / "frame.html").write_text(f'<iframe src="{address}"></iframe><object data="{address}"></object>')
    target = f"{address}_dash-update-component"
    (folder / "form.html").write_text(
        f'<form method="post" enctype="text/plain" action="{target}"><input name=\'{{"output":"\' value=\'"}}\'></form>'
    )
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def below(address: str, name: str) -> str:
    """The address of the app under another name."""
    return address.replace("127.0.0.1", name)


def walk(page: Page, address: str) -> None:
    """Open every page by its link, and wait until what it shows is drawn."""
    page.goto(address)
    expect(page.locator("#nav a").first).to_be_visible(timeout=PATIENCE)
    names = page.locator("#nav a").evaluate_all("(links) => links.map((link) => link.id)")
    assert len(names) >= 6
    for name in names:
        page.click(f"#{name}")
        assert urlsplit(page.url).path.startswith("/helm/")
        expect(page.locator(f"#{name}")).to_have_attribute("aria-current", "page", timeout=PATIENCE)
        expect(page.locator("#page")).not_to_be_empty(timeout=PATIENCE)
        expect(page.locator("#page [data-dash-is-loading]")).to_have_count(0, timeout=PATIENCE)


def test_every_page_draws_without_breaking_the_content_security_policy(guarded, address):
    walk(guarded, address)
    guarded.click("#nav-navigator")
    expect(guarded.locator("#candidates .ag-row").first).to_be_visible(timeout=PATIENCE)
    guarded.wait_for_selector("#nav-map .js-plotly-plot canvas", timeout=PATIENCE)
    expect(guarded.get_by_text("WebGL is not supported")).to_have_count(0)
    picture = guarded.evaluate(
        "() => Plotly.toImage(document.querySelector('#nav-map .js-plotly-plot'), { format: 'png' })"
    )
    assert picture.startswith("data:image/png")
    assert guarded.evaluate("window.violations") == []


def test_under_the_name_and_the_path_of_a_proxy_pages_and_presses_work(guarded, address):
    walk(guarded, below(address, "helm.example"))
    guarded.click("#nav-runs")
    guarded.locator("#run-cards a, #runs-table a").first.click()
    guarded.wait_for_selector("#nav-map .js-plotly-plot canvas", timeout=PATIENCE)
    assert urlsplit(guarded.url).path == "/helm/"
    assert guarded.evaluate("window.violations") == []


def test_a_script_that_got_into_the_page_does_not_run_and_tells_nobody(visitor, address, evil):
    visitor.add_init_script(VIOLATIONS)
    visitor.goto(address)
    visitor.evaluate(
        """(site) => {
          const add = (name, more) => document.body.append(Object.assign(document.createElement(name), more));
          add("script", { textContent: "window.got = 1" });
          add("script", { src: site });
          add("img", { src: `${site}?secret` });
          add("iframe", { src: site });
          document.body.insertAdjacentHTML("beforeend", '<b onclick="window.got = 1" id="bait">bait</b>');
          document.getElementById("bait").click();
          return fetch(site, { mode: "no-cors" }).catch(() => null);
        }""",
        f"http://127.0.0.1:{evil}/",
    )
    visitor.wait_for_function("window.violations.length >= 6")
    assert visitor.evaluate("window.got") is None
    told = {told.split()[0] for told in visitor.evaluate("window.violations")}
    assert {"script-src-elem", "script-src-attr", "img-src", "frame-src", "connect-src"} <= told


def test_a_rebound_host_name_reads_nothing(visitor, address):
    answer = visitor.goto(below(address, "rebound.example"))
    assert answer is not None and answer.status == 403
    assert "not served under this host name" in visitor.inner_text("body")
    read = visitor.evaluate("fetch('/helm/_dash-layout').then((answer) => answer.status)")
    assert read == 403


@pytest.mark.parametrize("site", ["127.0.0.1", "localhost", "evil.example"])
def test_a_frame_stays_empty(visitor, address, evil, site):
    visitor.goto(f"http://{site}:{evil}/frame.html")
    visitor.wait_for_load_state("networkidle")
    assert len(visitor.frames) >= 2
    for frame in visitor.frames[1:]:
        assert frame.locator("#page, #react-entry-point").count() == 0


@pytest.mark.parametrize("site", ["127.0.0.1", "localhost", "evil.example"])
def test_a_page_of_another_site_changes_and_reads_nothing(visitor, address, evil, site, store_url):
    answers = []
    visitor.on("response", lambda answer: answers.append((answer.request.method, answer.url, answer.status)))
    visitor.goto(f"http://{site}:{evil}/")
    read = visitor.evaluate(
        """async (app) => {
          const tried = (path, more) => fetch(app + path, more).then((answer) => answer.text(), () => "");
          const json = { method: "POST", body: '{"output": "run.data"}' };
          return [
            await tried("_dash-layout"),
            await tried("_dash-layout", { mode: "no-cors" }),
            await tried("_dash-update-component", { ...json, headers: { "Content-Type": "application/json" } }),
            await tried("_dash-update-component", { ...json, mode: "no-cors" }),
          ];
        }""",
        address,
    )
    assert read == ["", "", "", ""]
    visitor.goto(f"http://{site}:{evil}/form.html")
    with visitor.expect_response(lambda answer: answer.request.method == "POST") as posted:
        visitor.evaluate("document.forms[0].submit()")
    assert posted.value.status == 403
    reached = [status for method, url, status in answers if url.startswith(address) and method != "OPTIONS"]
    assert reached and set(reached) == {403}


def test_a_link_on_another_site_opens_the_app(visitor, address, evil):
    visitor.goto(f"http://evil.example:{evil}/")
    visitor.evaluate("(app) => { location.href = app }", address)
    expect(visitor.locator("#nav-runs")).to_be_visible(timeout=PATIENCE)


def test_a_file_that_is_too_large_is_told_on_the_page(visitor, address, tmp_path):
    file = tmp_path / "large.json"
    file.write_bytes(b"[" + b"1," * 3_000_000 + b"1]")
    visitor.goto(f"{address}template")
    visitor.set_input_files("#template-upload input", file)
    expect(visitor.locator(".mantine-Notification-root")).to_contain_text("more than 4 MiB", timeout=PATIENCE)


def test_an_unknown_page_is_told_with_its_status_and_a_slash_too_many_is_no_other_page(visitor, address):
    answer = visitor.goto(f"{address}nothing")
    assert answer is not None and answer.status == 404
    expect(visitor.locator("#page")).to_contain_text("There is no page", timeout=PATIENCE)
    answer = visitor.goto(f"{address}runs/?x=1")
    assert answer is not None and answer.status == 200 and visitor.url == f"{address}runs?x=1"
    expect(visitor.locator("#run-cards")).to_be_visible(timeout=PATIENCE)
