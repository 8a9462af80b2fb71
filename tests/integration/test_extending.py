"""The examples of docs/extending work as one file in the package and as an entry point, and keep their contracts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import nas_core
from tests import commands

ROOT = Path(nas_core.__file__).parents[1]
PAGES = ROOT / "docs" / "extending"
EXAMPLES = {
    "proxy": ("proxies", "kernel_spread"),
    "space": ("spaces", "chain"),
    "strategy": ("search", "hill_climb"),
}
"""By kind: the room that a file is put into, and the name of the example."""


def example(kind: str) -> tuple[str, str]:
    """The program on the page of a kind, and the value of its entry point."""
    page = (PAGES / f"{kind}.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (group, entry) = re.search(r'entry-points\."(.*?)"\]\n(.*?)\n', page).groups()
    room, name = EXAMPLES[kind]
    module, made = re.fullmatch(rf'{name} = "your_package\.(\w+):(\w+)"', entry).groups()
    assert group == f"nas_helm.{'strategies' if kind == 'strategy' else room}"
    assert f"class {made}" in program and f"save it as\n`{module}.py`" in page.replace("save it as `", "save it as\n`")
    return program, f"[{group}]\n{entry}\n".replace('"', "")


def run(folder: Path, path: list[Path], *arguments: str) -> subprocess.CompletedProcess:
    return commands.python(folder, path, *arguments)


def checked(kind: str, name: str, folder: Path, path: list[Path]) -> None:
    done = run(folder, path, "-m", "nas_core", "check", kind, name, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["subject"] == f"{kind} {name}"
    assert len(report["promises"]) >= 6


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_example_put_into_the_package_is_found_and_keeps_its_contract(kind, tmp_path):
    program, _ = example(kind)
    room, name = EXAMPLES[kind]
    shutil.copytree(ROOT / "nas_core", tmp_path / "nas_core", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "nas_core" / room / f"{name}.py").write_text(program)
    checked(kind, name, tmp_path, [tmp_path])


@pytest.mark.parametrize(
    "kind", [kind if kind == "proxy" else pytest.param(kind, marks=pytest.mark.long) for kind in EXAMPLES]
)
def test_an_example_in_another_package_is_found_by_its_entry_point_and_keeps_its_contract(kind, tmp_path):
    program, entry = example(kind)
    _, name = EXAMPLES[kind]
    package, about = tmp_path / "your_package", tmp_path / "your_package-1.0.dist-info"
    package.mkdir()
    about.mkdir()
    (package / "__init__.py").touch()
    (package / f"{name}.py").write_text(program)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: your-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entry)
    checked(kind, name, ROOT, [ROOT, tmp_path])


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_second_command_of_a_page_checks_one_of_ours(kind):
    (program,) = re.findall(r'python -c "(.*)"', (PAGES / f"{kind}.md").read_text())
    ours = {"proxy": "params", "space": "nb_macro", "strategy": "random"}[kind]
    done = run(ROOT, [ROOT], "-c", program.replace(EXAMPLES[kind][1], ours))
    assert done.returncode == 0, done.stderr
    assert f"{kind} {ours}" in done.stdout


def test_a_broken_contract_is_one_line_and_exit_code_1_and_an_unknown_name_exit_code_2(tmp_path):
    program, _ = example("proxy")
    (tmp_path / "spoilt.py").write_text(
        program.replace("version = 1", "version = 0")
        + "\n\nfrom nas_core.cli import main\n\nif __name__ == '__main__':\n    main()\n"
    )
    done = run(ROOT, [ROOT], str(tmp_path / "spoilt.py"), "check", "proxy", "kernel_spread")
    assert done.returncode == 1
    assert done.stderr == "error: proxy kernel_spread: version is 0; expected a whole number from 1 up\n"
    for kind in EXAMPLES:
        done = run(ROOT, [ROOT], "-m", "nas_core", "check", kind, "nope")
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1 and "unknown" in done.stderr
