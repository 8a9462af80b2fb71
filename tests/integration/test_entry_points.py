"""A score of another package: one file and an entry point, and it is on the command line and on the page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

MODULE = '''"""Depth of a network, as another package would add it."""

import time

from nas_core.proxies import Needs, ProxyScore


class Depth:
    """Number of modules without children. Source: this test, 2026."""

    name = "depth_of_another_package"
    higher_is_better = True
    needs = Needs.NOTHING
    summary = "number of leaf modules"

    def score(self, model, batches):
        started = time.perf_counter()
        leaves = [module for module in model.modules() if not list(module.children())]
        return ProxyScore(float(len(leaves)), seconds=time.perf_counter() - started)
'''
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
PAGE = """
import json, sys
from app.server import create_app
from app.pages.runs import layout
text = json.dumps(layout.layout().to_plotly_json(), default=lambda part: part.to_plotly_json())
sys.exit("depth_of_another_package" not in text)
"""


def install(folder: Path) -> dict[str, str]:
    """An installed distribution with the entry point, and the environment that sees it."""
    (folder / "another_package.py").write_text(MODULE)
    about = folder / "another_package-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: another-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[nas_helm.proxies]\ndepth_of_another_package = another_package:Depth\n")
    return {**os.environ, "PYTHONPATH": str(folder)}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_score_of_another_package_is_listed_computed_and_offered_on_the_page(tmp_path):
    environment = install(tmp_path)
    listed = run(environment, "-m", "nas_core", "proxies", "--json")
    assert "depth_of_another_package" in {row["name"] for row in json.loads(listed.stdout)}
    arguments = ["score", CELL, "--proxy", "depth_of_another_package", "--proxy", "grad_norm", "--image-size", "8"]
    scored = run(environment, "-m", "nas_core", *arguments)
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["value"]["depth_of_another_package"] > 10
    assert run(environment, "-c", PAGE).returncode == 0


def test_without_the_package_the_score_is_unknown_in_one_line(tmp_path):
    done = run(dict(os.environ), "-m", "nas_core", "score", CELL, "--proxy", "depth_of_another_package")
    assert done.returncode == 2
    assert "unknown proxy 'depth_of_another_package'" in done.stderr
    assert run(dict(os.environ), "-c", PAGE).returncode == 1
