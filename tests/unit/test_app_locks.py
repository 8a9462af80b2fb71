"""What the locks of the app are made of: names of hosts, the content security policy, sizes; options out of range."""

from __future__ import annotations

import json
import re

import pytest

from app import addresses, locks, selection
from app.__main__ import parse
from app.server import create_app


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")


@pytest.fixture
def send(app):
    """Sends a body to the callbacks of an app, as a program does; JSON, or bytes."""
    client = app.server.test_client()

    def post(body, **more):
        data = body if isinstance(body, bytes) else json.dumps(body)
        return client.post("/_dash-update-component", data=data, **{"content_type": "application/json", **more})

    return post


def call(app, field: str, value):
    """The body of the first callback that takes the value of a field, with that value for it and none for the rest."""
    app._setup_server()
    output, taken = next(
        (output, taken)
        for output, taken in app.callback_map.items()
        if any((one["id"], one["property"]) == (field, "value") for one in (*taken["inputs"], *taken["state"]))
    )
    given = {
        name: [{**one, "value": value if one["id"] == field else None} for one in taken[name]]
        for name in ("inputs", "state")
    }
    outputs = [
        dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in output.strip(".").split("...")
    ]
    return {"output": output, "outputs": outputs, "changedPropIds": [], **given}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_addresses_of_this_machine_are_served_on(host):
    assert locks.is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.5", "192.168.1.2", "example.org", "127.0.0.1.example.org"]
)
def test_addresses_that_others_reach_are_not(host):
    assert not locks.is_loopback(host)


def test_a_host_is_known_by_its_name_whatever_its_port():
    named = {"localhost:8050": "localhost", "[::1]:9": "[::1]", "Helm.Example.org": "helm.example.org", "::1": ""}
    named |= {"a,b": "", "localhost:": "", "localhost:99999": "", "local host": "", "a/b": "", "user@localhost": ""}
    assert {host: locks.host_name(host) for host in named} == named


def test_only_our_own_files_and_the_inline_scripts_of_dash_run(app):
    policy = app.server.test_client().get("/").headers["Content-Security-Policy"]
    told = dict(part.split(" ", 1) for part in policy.split("; "))
    assert told["default-src"] == "'none'" and told["frame-ancestors"] == "'none'" and told["connect-src"] == "'self'"
    assert re.fullmatch(r"'self' 'unsafe-eval'( 'sha256-[\w+/]+=')+", told["script-src"])
    assert "http:" not in policy and "https:" not in policy and "*" not in policy


def test_every_answer_forbids_frames_and_guessing_of_types(app):
    client = app.server.test_client()
    answers = [
        client.get(path) for path in ("/", "/_dash-layout", "/assets/helm.css", "/nothing", "/assets/nothing.js")
    ]
    answers.append(client.get("/", headers={"Host": "evil.example"}))
    answers.append(client.post("/_dash-update-component", data=b"{", content_type="application/json"))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 404, 403, 400]
    for answer in answers:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


MALFORMED = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "no body": b"",
    "a list": b"[]",
    "a number": b"1",
    "no output": b"{}",
    "an output that is a list": b'{"output": []}',
    "an unknown output": b'{"output": "nothing.data", "inputs": []}',
    "NaN": b'{"output": NaN}',
    "infinity": b'{"output": -Infinity}',
    "a number of 10,000 digits": b'{"output": ' + b"9" * 10_000 + b"}",
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=list(MALFORMED))
def test_a_malformed_body_is_refused_in_one_sentence(send, body):
    answer = send(body)
    assert answer.status_code == 400
    assert answer.content_type.startswith("text/plain")
    assert answer.text.count("\n") == 1 and "Traceback" not in answer.text


@pytest.mark.parametrize(
    "changed", [{"inputs": []}, {"inputs": [1]}, {"state": 5}, {"outputs": [5]}, {"changedPropIds": [1]}]
)
def test_a_body_that_does_not_fit_its_callback_is_refused(app, send, changed):
    assert send(call(app, "new-name", "mine") | changed).status_code == 400


def test_what_a_form_can_send_is_refused(app, send):
    body = call(app, "new-name", "mine")
    for sent in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert send(body, content_type=sent).status_code == 415


def test_a_name_of_a_person_is_taken_and_one_of_a_thousand_letters_is_not(app, send):
    assert send(call(app, "new-name", "ü🚀" * 100)).status_code in (200, 204)
    answer = send(call(app, "new-name", "n" * 1000))
    assert (answer.status_code, answer.text) == (422, "new-name: got 1,000 characters, expected at most 200.\n")


def test_a_note_of_a_press_is_bounded(app, send):
    app._setup_server()
    output, taken = next(
        (output, taken)
        for output, taken in app.callback_map.items()
        if [one["id"] for one in taken["inputs"]] == ["steered"]
    )
    given = {name: [{**one, "value": None} for one in taken[name]] for name in ("inputs", "state")}
    given["inputs"][0]["value"] = {"what": "pin:0:0", "note": "n" * 20_000}
    answer = send({"output": output, "changedPropIds": ["steered.data"], **given})
    assert (answer.status_code, answer.text) == (422, "note: got 20,000 characters, expected at most 10,000.\n")


@pytest.mark.parametrize("value", [10**400, 1e300, -(2**60), float("1e16"), [1, 2**60]], ids="abcde")
def test_a_number_that_no_browser_holds_is_refused(app, send, value):
    assert send(call(app, "new-budget", value)).status_code == 422


def test_a_number_beyond_every_bound_is_refused(app, send):
    body = json.dumps(call(app, "new-budget", 12345)).replace("12345", "1e999")
    assert send(body.encode()).status_code == 422


@pytest.mark.parametrize("letter", ["\0", "\ud800", "a\udfff"])
def test_text_that_no_store_keeps_is_refused(app, send, letter):
    assert send(call(app, "new-name", letter)).status_code == 400


def test_a_body_beyond_the_limit_is_refused(send):
    answer = send(b'"' + b"n" * locks.MOST_BYTES + b'"')
    assert answer.status_code == 413
    assert answer.text == "This request has more than 4 MiB, which no page sends; nothing was done.\n"


BAD_OPTIONS = {
    "--port 99999": "0 to 65535",
    "--port -1": "0 to 65535",
    "--port x": "0 to 65535",
    "--workers -1": "0 to 1024",
    "--workers 2000000000000": "0 to 1024",
    "--host 0.0.0.0": "docs/deployment.md",
    "--host example.org": "docs/deployment.md",
    "--allowed-host https://a.example": "a host name without port",
    "--allowed-host *": "a host name without port",
    "--allowed-host a.example:80": "a host name without port",
    "--url-prefix helm": "begins and ends with a slash",
    "--url-prefix /he<lm/": "begins and ends with a slash",
    "--url-prefix //evil.example/": "begins and ends with a slash",
    "--por 80": "unrecognized",
}


@pytest.mark.parametrize(("words", "told"), BAD_OPTIONS.items(), ids=list(BAD_OPTIONS))
def test_an_option_out_of_range_is_one_line_and_exit_code_2(capsys, words, told):
    with pytest.raises(SystemExit) as ended:
        parse(words.split(" ", 1))
    line = capsys.readouterr().err
    assert ended.value.code == 2
    assert line.startswith("error: ") and line.count("\n") == 1 and told in line


def test_options_in_range_are_read():
    options = parse(
        ["--host", "::1", "--allowed-host", "A.example", "--allowed-host", "b.example", "--url-prefix", "/a/b/"]
    )
    assert (options.host, options.allowed_host, options.url_prefix) == ("::1", ["a.example", "b.example"], "/a/b/")


def test_links_of_pages_keep_the_prefix(tmp_path):
    create_app(f"sqlite:///{tmp_path / 'store.db'}", url_prefix="/helm/")
    assert selection.path_of("/layers") == "/helm/layers"
    assert selection.path_of("/") == "/helm/"
    assert [selection.below(path) for path in ("/helm/layers", "/helm/layers/", "/helm/", "/helm")] == [
        "/layers",
        "/layers",
        "/",
        "/",
    ]
    create_app(f"sqlite:///{tmp_path / 'store.db'}")
    assert (selection.path_of("/layers"), selection.below("/runs/")) == ("/layers", "/runs")


def test_a_prefix_is_a_path_between_slashes():
    assert [addresses.prefix(text) for text in ("/", "/helm/", "/a/b-c/")] == ["/", "/helm/", "/a/b-c/"]
    for text in ("", "helm", "/helm", "helm/", "//", "/../", "/a b/"):
        with pytest.raises(ValueError, match="such as /helm/"):
            addresses.prefix(text)


def test_an_unknown_page_is_not_found_and_a_slash_too_many_is_taken_off(app):
    client = app.server.test_client()
    assert [client.get(path).status_code for path in ("/", "/runs", "/nothing", "/nothing/", "/runs/x")] == [
        200,
        200,
        404,
        404,
        404,
    ]
    moved = client.get("/runs/?run=r1&arch=%7Ca%7C")
    assert (moved.status_code, moved.location) == (308, "/runs?run=r1&arch=%7Ca%7C")
