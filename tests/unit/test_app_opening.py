"""A page opens with what its address names: the layout that the browser asks for holds page, run and candidate."""

from __future__ import annotations

import json

import pytest

from app import selection
from app.server import create_app
from nas_core.store import Store
from tests.runs import SCAN, make_run

CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
HOST = "http://127.0.0.1"


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def components(node):
    """Every component of a layout as it is sent, by its id."""
    if isinstance(node, list):
        return {name: found for child in node for name, found in components(child).items()}
    if not isinstance(node, dict) or "props" not in node:
        return {}
    own = {json.dumps(node["props"]["id"]).strip('"'): node["props"]} if "id" in node["props"] else {}
    return own | components(node["props"].get("children"))


def opened(store, address=None, **options):
    """Components of the layout that is asked for from an address."""
    client = create_app(store.url, **options).server.test_client()
    headers = {"Host": "127.0.0.1"} | ({"Referer": address} if address else {})
    answer = client.get(f"{options.get('url_prefix', '/')}_dash-layout", headers=headers)
    assert answer.status_code == 200
    return components(answer.json)


def test_the_page_opens_with_its_run_its_candidate_and_its_pulse(store):
    make_run(store, "nb201", SCAN, "older")
    run = make_run(store, "nb201", SCAN, "first")
    make_run(store, "nb201", SCAN, "newer")
    found = opened(store, f"{HOST}/layers{selection.write(run, CELL)}")
    assert (found["run"]["data"], found["arch"]["data"]) == (run, CELL)
    assert (found["pulse"]["data"]["run"], found["pulse"]["data"]["state"]) == (run, "created")
    assert found["page-drawn"]["data"] == "/layers" and "layers-score" in found and "nav-map" not in found
    assert "layer" in found["question"]["children"].lower()


def test_an_address_without_a_run_opens_the_newest_and_the_first_page(store):
    make_run(store, "nb201", SCAN, "older")
    newest = make_run(store, "nb201", SCAN, "newer")
    found = opened(store, f"{HOST}/")
    assert found["run"]["data"] == newest and "nav-map" in found


def test_below_a_prefix_the_page_is_found_too(store):
    run = make_run(store, "nb201", SCAN, "first")
    found = opened(store, f"{HOST}/helm/runs?run={run}", url_prefix="/helm/")
    assert found["run"]["data"] == run and found["page-drawn"]["data"] == "/helm/runs"


@pytest.mark.parametrize(
    ("address", "drawn"),
    [
        (None, None),
        ("http://elsewhere.example/layers", None),
        (f"{HOST}/no-such-page", None),
        (f"{HOST}/layers?run=nope", "/layers"),
    ],
)
def test_what_the_address_does_not_tell_or_names_in_vain_is_left_to_the_callbacks(store, address, drawn):
    make_run(store, "nb201", SCAN, "first")
    found = opened(store, address)
    assert (found["run"].get("data"), found["pulse"].get("data")) == (None, None)
    assert found["page-drawn"].get("data") == drawn
