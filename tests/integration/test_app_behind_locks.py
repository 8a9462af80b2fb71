"""The locks of a served app: other hosts, other sites, other machines and far too much get nowhere."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from nas_core.store import Store


@pytest.fixture(scope="module")
def store_url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"


@pytest.fixture(scope="module")
def server(store_url):
    """Host and port of an app that is also reached as helm.example.org."""
    options = ["--port", "0", "--store", store_url, "--no-engine", "--allowed-host", "helm.example.org"]
    process = subprocess.Popen([sys.executable, "-m", "app", *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = urlsplit(process.stdout.readline().split()[-1])
    yield url.hostname, url.port
    process.terminate()
    assert process.wait(timeout=30) == 0


@pytest.fixture
def ask(server):
    """Asks the app: status, headers and text of its answer. `Host` is its own unless told otherwise."""

    def answered(method="GET", path="/", body=None, **headers):
        headers = {"Host": f"localhost:{server[1]}", **{name.replace("_", "-"): held for name, held in headers.items()}}
        connection = http.client.HTTPConnection(*server, timeout=60)
        connection.putrequest(method, path, skip_host=True)
        for name, held in headers.items():
            for one in held if isinstance(held, list) else [held]:
                connection.putheader(name, one)
        if body is not None:
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    return answered


@pytest.fixture
def press(ask):
    """Sends what makes a run on the page Runs: the name is told, and everything else as the page has it."""

    def sent(name="mine", **headers):
        return ask("POST", "/_dash-update-component", make_run(ask, name), **headers)

    return sent


def make_run(ask, name):
    """The body that a press on Create run sends with the form as the page shows it, and a name."""
    known = json.loads(ask("GET", "/_dash-dependencies")[2])
    route = next(one for one in known if "page.children" in one["output"])
    shown = json.loads(ask("POST", "/_dash-update-component", body(route, {"url": "/runs"}))[2])
    held = {
        props["id"]: props["value"] for props in _props(shown) if "value" in props and isinstance(props.get("id"), str)
    }
    create = next(one for one in known if {"id": "new-name", "property": "value"} in one["state"])
    return body(create, {**held, "new-name": name, create["inputs"][0]["id"]: 1})


def body(callback, values):
    given = {
        part: [{**field, "value": values.get(field["id"])} for field in callback[part]] for part in ("inputs", "state")
    }
    names = callback["output"].strip(".").split("...")
    outputs = [dict(zip(("id", "property"), name.split("@")[0].rsplit(".", 1), strict=True)) for name in names]
    changed = [".".join(callback["inputs"][0].values())]
    told = {
        "output": callback["output"],
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "changedPropIds": changed,
    }
    return json.dumps({**told, **given}).encode()


def _props(part):
    if isinstance(part, dict):
        yield from [part["props"]] if isinstance(part.get("props"), dict) else []
        for inner in part.values():
            yield from _props(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _props(inner)


def made(store_url):
    store = Store(store_url)
    names = [run.name for run in store.runs()]
    store.close()
    return names


def refused(answer, status):
    """Whether an answer is one plain sentence with this status."""
    got, headers, text = answer
    plain = headers["Content-Type"].startswith("text/plain") and text.count("\n") == 1
    return got == status and plain and headers["X-Frame-Options"] == "DENY"


def test_what_is_sent_here_makes_a_run_when_our_own_page_sends_it(press, server, store_url):
    ours = {"Origin": f"http://localhost:{server[1]}", "Sec_Fetch_Site": "same-origin"}
    assert press("by a page", **ours)[0] in (200, 204)
    assert press("by a program")[0] in (200, 204)
    assert {"by a page", "by a program"} <= set(made(store_url))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8050", "helm.example.org", "HELM.example.org:444"])
def test_the_app_is_served_under_its_names(ask, host):
    assert ask(Host=host)[0] == 200


REBOUND = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "example.org", "a.helm.example.org"]
STRANGE = [
    "",
    "localhost@evil.example",
    "localhost evil.example",
    "0.0.0.0",
    "127.0.0.2",
    ["localhost", "evil.example"],
]


@pytest.mark.parametrize("host", REBOUND + STRANGE, ids=str)
def test_a_rebound_host_name_gets_nowhere(ask, press, store_url, host):
    assert refused(ask(Host=host), 403)
    assert refused(ask(path="/_dash-layout", Host=host), 403)
    assert refused(press("rebound", Host=host), 403)
    assert "rebound" not in made(store_url)


def test_a_request_without_a_host_or_with_another_in_its_target_gets_nowhere(server):
    for line in ("GET / HTTP/1.0", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost"):
        with socket.create_connection(server) as connection:
            connection.sendall(f"{line}\r\n\r\n".encode())
            assert b" 403 " in connection.makefile("rb").readline()


FOREIGN = {
    "another site": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://localhost:1"},
    "a sandbox": {"Origin": "null"},
    "a file": {"Origin": "file://"},
    "an extension": {"Origin": "chrome-extension://abc"},
    "another site without origin": {"Referer": "https://evil.example/page"},
    "another site by its metadata": {"Sec_Fetch_Site": "cross-site"},
    "another port by its metadata": {"Sec_Fetch_Site": "same-site"},
    "nobody knows": {"Origin": "http://[", "Sec_Fetch_Site": "same-origin"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=list(FOREIGN))
def test_a_page_of_another_origin_changes_nothing(press, store_url, headers):
    assert refused(press("forged", **headers), 403)
    assert "forged" not in made(store_url)


def test_behind_a_proxy_the_origin_is_the_name_that_the_browser_sees(press):
    assert press("proxied", Host="helm.example.org", Origin="https://helm.example.org")[0] in (200, 204)
    assert press("proxied", Host="helm.example.org:444", Origin="https://helm.example.org:444")[0] in (200, 204)
    assert press("proxied", Host="helm.example.org", Origin="https://helm.example.org:444")[0] == 403


@pytest.mark.parametrize(
    "mode", [("no-cors", "image"), ("cors", "empty"), ("no-cors", "script"), ("navigate", "iframe")]
)
def test_a_page_of_another_site_reads_nothing_and_shows_nothing(ask, mode):
    asked = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": mode[0], "Sec_Fetch_Dest": mode[1]}
    assert refused(ask(**asked), 403)


def test_a_link_on_another_site_opens_the_app(ask):
    asked = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert ask(**asked)[0] == 200


def test_no_answer_permits_another_origin(ask):
    for method in ("GET", "OPTIONS", "POST"):
        for path in ("/", "/_dash-layout", "/_dash-update-component"):
            _, headers, _ = ask(method, path, b"{}" if method == "POST" else None, Origin="https://evil.example")
            assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_a_name_of_50_mb_gets_nowhere(press, ask, store_url):
    before = len(made(store_url))
    assert refused(press("n" * 50_000_000), 413)
    assert refused(press("n" * 1_000_000), 422)
    assert len(made(store_url)) == before
    assert ask()[0] == 200


def test_fifty_megabytes_without_a_length_get_nowhere(server, store_url):
    before = len(made(store_url))
    connection = http.client.HTTPConnection(*server, timeout=60)
    body = (b"n" * 1_000_000 for _ in range(50))
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.request("POST", "/_dash-update-component", body, headers, encode_chunked=True)
    assert connection.getresponse().status in (400, 413)
    connection.close()
    assert len(made(store_url)) == before


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1"])
def test_a_public_bind_is_refused_before_anything_is_made(tmp_path, host):
    command = [sys.executable, "-m", "app", "--host", host, "--store", f"sqlite:///{tmp_path / 'store.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: argument --host: {host} can be reached") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_another_server_that_binds_to_all_addresses_lets_no_other_machine_in(tmp_path):
    outside = address_outside()
    gunicorn = shutil.which("gunicorn", path=os.path.dirname(sys.executable))
    if outside is None or gunicorn is None:
        pytest.skip("this machine has one address only, or no gunicorn")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = "app.server:server(allowed_hosts=['helm.example.org'], url_prefix='/helm/')"
    environment = {**os.environ, "NAS_HELM_STORE": f"sqlite:///{tmp_path / 'store.db'}"}
    process = subprocess.Popen([gunicorn, "--bind", f"0.0.0.0:{port}", app], env=environment)
    try:
        assert status("127.0.0.1", port, "helm.example.org") == 200
        assert status("127.0.0.1", port, "evil.example") == 403
        assert status(outside, port, "127.0.0.1") == 403
    finally:
        process.terminate()
        process.wait(timeout=30)


def address_outside():
    """An address of this machine that others reach, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return None
        return None if probe.getsockname()[0].startswith("127.") else probe.getsockname()[0]


def status(host, port, name):
    deadline = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection(host, port, timeout=30)
        try:
            connection.request("GET", "/helm/", headers={"Host": name})
            return connection.getresponse().status
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        finally:
            connection.close()


def test_the_app_is_served_on_the_loopback_address_of_the_newer_protocol(tmp_path):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    options = ["--host", "::1", "--port", "0", "--store", f"sqlite:///{tmp_path / 'store.db'}", "--no-engine"]
    process = subprocess.Popen([sys.executable, "-m", "app", *options], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = urlsplit(process.stdout.readline().split()[-1])
        assert url.hostname == "::1"
        connection = http.client.HTTPConnection("::1", url.port, timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
