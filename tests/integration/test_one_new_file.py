"""Promise of the architecture: a proxy, a space, a strategy and a kind of work are one new file each, and no other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clone import Clone, digests

ROOT = Path(__file__).resolve().parents[2]
ADDED = {
    "proxy": ("nas_core/proxies", "kernel_spread"),
    "space": ("nas_core/spaces", "chain"),
    "strategy": ("nas_core/search", "hill_climb"),
    "task": ("nas_core/engine/tasks", "countdown"),
}
"""By kind: the folder of the new file, and its name, which is what it registers."""
LISTED_BY = {"proxy": "proxies", "space": "spaces", "strategy": "strategies", "task": "tasks"}
OFFERED = """
import json, sys
from app.server import create_app
from app.pages.runs import layout
text = json.dumps(layout.layout().to_plotly_json(), default=lambda part: part.to_plotly_json())
print(json.dumps([f'"{name}"' in text for name in sys.argv[1:]]))
"""
SEEN = """
import json, sys
from app.cockpit import Cockpit
from nas_core.store import Store
view = Cockpit(Store(sys.argv[1])).view(sys.argv[2])
best = view.table.texts[view.indices[view.ranked.argmax()]]
print(json.dumps({"state": view.run.state, "seen": len(view.indices), "best": best, "blocks": len(view.blocks)}))
"""


def program(kind: str) -> str:
    """The file that is added: the example of the developer's page of its kind."""
    (found,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "extending" / f"{kind}.md").read_text(), re.DOTALL)
    return found


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    clone = Clone(tmp_path_factory.mktemp("clone"))
    names = [name for _, name in ADDED.values()]
    assert not any(json.loads(clone.python("-c", OFFERED, *names)))
    for kind, (folder, name) in ADDED.items():
        (clone.folder / folder / f"{name}.py").write_text(program(kind))
    found = clone.python("-c", "import nas_core; print(nas_core.__file__)")
    assert Path(found.strip()).is_relative_to(clone.folder)
    return clone


@pytest.fixture
def url(clone, tmp_path):
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.mark.parametrize("kind", ADDED)
def test_the_command_line_lists_it(clone, kind):
    assert ADDED[kind][1] in {row["name"] for row in clone.command(LISTED_BY[kind])}


def test_the_form_for_a_new_run_offers_all_four(clone):
    names = [name for _, name in ADDED.values()]
    assert dict(zip(names, json.loads(clone.python("-c", OFFERED, *names)), strict=True)) == dict.fromkeys(names, True)


@pytest.mark.parametrize("kind", ["proxy", "space", "strategy"])
def test_it_keeps_its_contract(clone, kind):
    assert clone.command("check", kind, ADDED[kind][1])["subject"] == f"{kind} {ADDED[kind][1]}"


def test_a_run_with_new_space_strategy_and_proxy_finishes_and_its_page_shows_it(clone, url):
    of_three = ["--space", "chain", "--strategy", "hill_climb", "--proxy", "kernel_spread"]
    tiny = ["--image-size", "8", "--batch-size", "2", "--budget", "20", "--workers", "1"]
    found = clone.command("search", *of_three, *tiny, "--store", url)
    assert (found["scored"], found["failed"]) == (20, 0)
    seen = json.loads(clone.python("-c", SEEN, url, found["run"]))
    assert (seen["state"], seen["seen"], seen["blocks"]) == ("finished", 20, 9)
    best = {row["arch"] for row in found["best"] if row["kernel_spread"] == found["best"][0]["kernel_spread"]}
    assert seen["best"] in best


def test_a_run_of_a_new_kind_of_work_finishes_and_options_are_checked(clone, url):
    found = clone.command("run", "countdown:start=4", "--workers", "1", "--store", url)
    assert (found["state"], found["message"]) == ("finished", "counted down from 4")
    refused = subprocess.run(
        [sys.executable, "-m", "nas_core", "run", "countdown:start=0", "--store", url],
        cwd=clone.folder,
        env={**os.environ, "PYTHONPATH": str(clone.folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1 and "start" in refused.stderr


def test_no_other_file_was_touched(clone):
    new = {f"{folder}/{name}.py" for folder, name in ADDED.values()}
    after = digests(clone.folder)
    assert set(after) - set(clone.before) == new
    assert {name: after[name] for name in clone.before} == clone.before
