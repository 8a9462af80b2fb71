"""Promise of the architecture: a page is one new folder and no other file; that of docs/extending/page.md is served."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nas_core import spaces
from nas_core.store import Store
from tests.clone import ROOT, Clone, digests
from tests.runs import SCAN, make_run

GUIDE = ROOT / "docs" / "extending" / "page.md"
FOLDER = "app/pages/sizes"
QUESTION = "Do larger networks score higher?"
CANDIDATES = 12


def files() -> dict[str, str]:
    """The files that the guide tells to write, by path."""
    found = dict(re.findall(r"^`(\S+\.py)`[^\n]*\n(?:[^\n]+\n)*\n```python\n(.*?)```", GUIDE.read_text(), re.M | re.S))
    assert len(found) == GUIDE.read_text().count("```python")
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[str, str]:
    """A store with a scored run, and that run."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"
    store = Store(url)
    identifier = make_run(store, "nb201", {**SCAN, "budget": CANDIDATES}, "scored")
    space = spaces.get("nb201")
    networks = dict.fromkeys(map(space.canonical, space.architectures()))
    archs = [space.format(arch) for arch in list(networks)[:CANDIDATES]]
    store.ask(identifier, [(arch, arch) for arch in archs], {})
    store.tell(identifier, [(place, {"zico": float(place)}, {}) for place in range(CANDIDATES)])
    store.close()
    return url, identifier


class App:
    """The app started in a folder, and what it answers."""

    def __init__(self, folder: Path, path: list[Path], store: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
        command = [sys.executable, "-m", "app", "--no-engine", "--port", "0", "--store", store]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None and self.process.stderr is not None
        said = self.process.stdout.readline().split()
        assert said, self.process.stderr.read()
        self.address = said[-1].rstrip("/")

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an address."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ask(self, output: str, **values: object) -> dict:
        """What the callback that has `output` answers where its inputs and state have these values by `id.property`."""
        listed = json.loads(self.get("/_dash-dependencies")[1])
        (found,) = [one for one in listed if output in one["output"].strip(".").split("...")]

        def filled(parts: list[dict]) -> list[dict]:
            return [{**part, "value": values.get(f"{part['id']}.{part['property']}")} for part in parts]

        names = [name.rsplit(".", 1) for name in found["output"].strip(".").split("...")]
        outputs = [{"id": name, "property": kind} for name, kind in names]
        body = {
            "output": found["output"],
            "outputs": outputs if found["output"].startswith("..") else outputs[0],
            "inputs": filled([{"id": one["id"], "property": one["property"]} for one in found["inputs"]]),
            "state": filled([{"id": one["id"], "property": one["property"]} for one in found["state"]]),
            "changedPropIds": [],
        }
        request = urllib.request.Request(
            f"{self.address}/_dash-update-component",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["response"]

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        assert self.process.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Clone:
    clone = Clone(tmp_path_factory.mktemp("clone"))
    for name, text in files().items():
        (clone.folder / name).parent.mkdir(exist_ok=True)
        (clone.folder / name).write_text(text)
    return clone


@pytest.fixture(scope="module", params=["a folder in app/pages", "a package with an entry point"])
def app(request, clone, run, tmp_path_factory) -> Iterator[App]:
    if request.param.startswith("a folder"):
        app = App(clone.folder, [clone.folder], run[0])
    else:
        app = App(ROOT, [ROOT, package(tmp_path_factory.mktemp("package"))], run[0])
    yield app
    app.close()


def package(folder: Path) -> Path:
    """The same folder in an installed package with the entry point of the guide."""
    (home, entry) = re.search(r'entry-points\."(.*?)"\]\n(.*?)\n', GUIDE.read_text()).groups()
    (folder / "your_package" / "sizes").mkdir(parents=True)
    (folder / "your_package" / "__init__.py").touch()
    for name, text in files().items():
        (folder / "your_package" / "sizes" / Path(name).name).write_text(text)
    about = folder / "your_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: your-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{home}]\n{entry}\n".replace('"', ""))
    return folder


def test_the_page_stands_in_the_rail_once_and_has_an_address(app):
    layout = app.get("/_dash-layout")[1]
    assert layout.count('"nav-sizes"') == 1
    assert app.get("/sizes")[0] == 200
    assert app.get("/no-such-page")[0] == 404


def test_its_layout_and_its_question_are_drawn(app):
    drawn = app.ask("page.children", **{"url.pathname": "/sizes"})
    assert "sizes-chart" in json.dumps(drawn["page"]) and QUESTION in json.dumps(drawn)


def test_its_callback_answers_with_the_candidates_of_the_run(app, run):
    values = {"pulse.data": {}, "sizes-by.value": "params", "theme.data": "light", "run.data": run[1]}
    figure = app.ask("sizes-chart.figure", **values)["sizes-chart"]["figure"]
    assert f"n = {CANDIDATES}" in figure["layout"]["title"]["text"]
    drawn = figure["data"][0]["y"]
    scores = np.frombuffer(base64.b64decode(drawn["bdata"]), drawn["dtype"])
    assert scores.tolist() == list(range(CANDIDATES))


def test_its_headline_answers_its_question(app, run):
    values = {"pulse.data": {}, "url.pathname": "/sizes", "run.data": run[1]}
    told = json.dumps(app.ask("headline.children", **values)["headline"])
    assert "arger networks" in told and f"n = {CANDIDATES}" in told


def test_what_the_page_shows_is_kept_in_the_address(app):
    layout = json.loads(app.get("/_dash-layout")[1])
    assert '"sizes-by": ["value", "by", false]' in json.dumps(layout)


def test_nothing_else_was_touched(clone):
    after = digests(clone.folder)
    assert {str(Path(name).parent) for name in set(after) - set(clone.before)} == {FOLDER}
    assert {name: after[name] for name in clone.before} == clone.before


def test_the_example_keeps_the_rules_of_the_code(clone):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", FOLDER], cwd=clone.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
