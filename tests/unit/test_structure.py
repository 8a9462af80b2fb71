"""Contracts of imports: they hold on this tree, and each fails and names the culprit where a violation is planted."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("app", "nas_core", "tools", "pyproject.toml")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run(
        [*command, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "", "COLUMNS": "300"},
        timeout=300,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in NEEDED:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def test_every_contract_holds_on_this_tree(tree: Path):
    found = lint(tree)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 broken" in found.stdout


@pytest.mark.parametrize(
    ("place", "line", "named"),
    [
        ("nas_core/spaces/parts.py", "from nas_core.spaces import nb201", ("circle: ", "nas_core.spaces.parts")),
        (
            "nas_core/spaces/_nb101_network.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nas_core.spaces.nb101 import width",
            ("circle: ", "nas_core.spaces._nb101_network -> nas_core.spaces.nb101"),
        ),
        (
            "nas_core/spaces/_nb201_cell.py",
            "def late():\n    from nas_core.spaces import nb201",
            ("circle: ", "nas_core.spaces._nb201_cell"),
        ),
        ("app/palette.py", "from app import report", ("circle: ", "app.palette")),
        (
            "nas_core/scoring.py",
            "from nas_core.spaces import _cost",
            ("nas_core.scoring (l.", "imports nas_core.spaces._cost, which is private to its room"),
        ),
        (
            "app/report.py",
            "def late():\n    from nas_core.bench.importers._registry import names",
            ("app.report (l.", "imports nas_core.bench.importers._registry, which is private to its room"),
        ),
        (
            "app/report.py",
            "from app.pages.arena import figures",
            ("Pages reach no other page", "app.report", "app.pages.arena"),
        ),
        (
            "app/pages/layers/figures.py",
            "from app.pages.arena import game",
            ("Pages reach no other page", "app.pages.layers.figures", "app.pages.arena"),
        ),
        ("nas_core/data/_batches.py", "from nas_core.store import Store", ("Leaf rooms", "nas_core.store")),
        ("nas_core/options.py", "from nas_core.engine import Engine", ("Leaf rooms", "nas_core.engine")),
        ("nas_core/predict/_pareto.py", "from nas_core import scoring, export", ("in one direction", "predict")),
    ],
    ids=[
        "circle",
        "circle for type checking",
        "circle within a function",
        "circle in the app",
        "private module",
        "private module from the app",
        "page from the app",
        "page from a page",
        "store from a leaf room",
        "engine from the options",
        "rooms against the direction",
    ],
)
def test_a_planted_violation_is_refused_and_named(tree: Path, place: str, line: str, named: tuple[str, ...]):
    with (tree / place).open("a") as handle:
        handle.write(f"\n\n{line}\n")
    ast.parse((tree / place).read_text())
    found = lint(tree)
    assert found.returncode == 1, found.stdout + found.stderr
    output = " ".join(found.stdout.split())
    for part in named:
        assert part in output


def test_no_import_of_a_space_imports_torch():
    code = "import sys; from nas_core import spaces; [spaces.get(name) for name in spaces.names()]"
    code += "; from nas_core.supernet import SAMPLINGS, SupernetSettings; SupernetSettings()"
    code += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0
