"""The documents hold: links lead somewhere, commands exist, the export guide runs, the reference builds."""

from __future__ import annotations

import re
import subprocess
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import nas_core
from nas_core.store import Store
from tests import commands

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")],
    key=lambda path: path.relative_to(ROOT),
)
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return commands.python(folder, [ROOT], *arguments)


def anchors(document: Path) -> set[str]:
    """What a link into a document may name: its headings as GitHub and mkdocs spell them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(document):
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", document.read_text()):
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_says_how_to_start_and_test_and_leads_to_every_document():
    text = (ROOT / "README.md").read_text()
    assert re.search(r"^make run ", text, re.MULTILINE) and re.search(r"^make test ", text, re.MULTILINE)
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/benchmarks.md", "docs/deployment.md"):
        assert f"({name})" in text
    guides = {path.stem for path in (ROOT / "docs" / "extending").glob("*.md")}
    listed = (ROOT / "docs" / "index.md").read_text()
    assert guides >= {"proxy", "space", "strategy", "task", "export"}
    assert all(f"(extending/{guide}.md)" in listed for guide in guides)


def test_every_make_target_and_command_of_the_documents_exists():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    from typer.main import get_command

    from nas_core.cli import app

    commands = get_command(app).commands
    for document in DOCUMENTS:
        text = document.read_text()
        quoted = re.findall(r"^make ([\w-]+)|`make ([\w-]+)", text, re.MULTILINE)
        assert {name for pair in quoted for name in pair if name} <= targets, document
        for name in re.findall(r"python -m nas_core ([a-z][\w-]*)", text):
            assert name in commands, f"{document.name}: {name}"


def test_contributing_lists_every_make_target_that_people_call():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for target in set(phony.split()) - {"browser"}:
        assert re.search(rf"^\| `make {target}\b", text, re.MULTILINE), target


def test_the_changelog_has_the_version_of_the_package():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## Unreleased" in text and re.search(rf"^## {re.escape(nas_core.__version__)}\b", text, re.MULTILINE)


def test_the_example_of_the_export_guide_writes_the_weights_of_the_network(tmp_path):
    guide = (ROOT / "docs" / "extending" / "export.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (command,) = re.findall(r'^python to_numpy\.py nb201 "(.*)" cell\.npz$', guide, re.MULTILINE)
    assert command == CELL and "save it as `to_numpy.py`" in guide
    (tmp_path / "to_numpy.py").write_text(program)
    exported = run(tmp_path, "-m", "nas_core", "export", CELL, "--out", "cell.pt", "--seed", "3")
    assert exported.returncode == 0, exported.stderr
    done = run(tmp_path, "to_numpy.py", "nb201", CELL, "cell.npz", "cell.pt")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{CELL} is in cell.npz\n"
    import torch

    weights = torch.load(tmp_path / "cell.pt", weights_only=True)
    with np.load(tmp_path / "cell.npz") as written:
        assert set(written) == set(weights)
        assert all(np.array_equal(written[key], tensor.numpy()) for key, tensor in weights.items())
    wrong = run(tmp_path, "to_numpy.py", "nb201", CELL.replace("3x3", "1x1"), "other.npz", "cell.pt")
    assert wrong.returncode == 1 and "the weights do not fit" in wrong.stderr
    assert not (tmp_path / "other.npz").exists()


def test_the_example_of_the_watching_guide_puts_a_film_into_the_store(tmp_path):
    guide = (ROOT / "docs" / "watch.md").read_text()
    program = next(text for text in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if text.startswith("import"))
    (tmp_path / "train.py").write_text(program)
    done = run(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^zico +\d+\.\d\d", done.stdout, re.MULTILINE)
    store = Store(f"sqlite:///{tmp_path / 'watched.db'}")
    (network,) = store.networks()
    assert network.name == "my network"
    assert [snapshot.step for snapshot in store.snapshots(network.id)] == [0, 10, 20, 30, 40, 50, 60]
    store.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The documents, built as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    done = run(ROOT, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


@pytest.mark.parametrize(
    "room",
    ["spaces", "proxies", "search", "store", "bench", "predict", "supernet", "export", "engine", "workers", "testing"],
)
def test_the_reference_holds_every_public_class_and_function_of_a_room(site, room):
    pages = "".join(path.read_text() for path in (site / "reference").glob("*.html"))
    module = import_module(f"nas_core.{room}")
    offered = {name: getattr(module, name) for name in module.__all__}
    ours = [name for name, value in offered.items() if str(getattr(value, "__module__", "")).startswith("nas_core")]
    assert len(ours) > 2
    assert [name for name in ours if f'id="nas_core.{room}.{name}"' not in pages] == []


def test_no_page_loads_anything_from_the_network(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        assert not re.findall(r"""<(?:script|img|iframe)[^>]*src=["']?(?:https?:)?//""", page.read_text()), page
        assert not re.findall(r"""<link[^>]*stylesheet[^>]*href=["']?(?:https?:)?//""", page.read_text()), page
