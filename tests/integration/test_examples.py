"""Every example runs from another folder, prints what it promises, and nothing under examples/ is without a test."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from nas_core.store import Store
from tests import commands

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(folder: Path, *arguments: str, path: tuple[Path, ...] = ()) -> str:
    """What Python prints in `folder`; it must end well."""
    done = commands.python(folder, [ROOT, *path], *arguments, NAS_HELM_HOME=str(folder / "home"))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_has_a_test_and_stands_in_the_list():
    listed = (EXAMPLES / "README.md").read_text()
    found = {path.name for path in EXAMPLES.iterdir() if path.name not in ("README.md", "__pycache__")}
    programs = {"score_your_model.py", "watch_a_training.py", "steer_a_search.py", "import_results.py"}
    assert found == {*programs, "third_party"}
    assert all(f"[{name}" in listed for name in found)


def test_a_model_of_ones_own_is_scored(tmp_path):
    printed = run(tmp_path, str(EXAMPLES / "score_your_model.py"))
    values = {name: float(value) for name, value in re.findall(r"^(\w+) +(-?[\d.]+) +more is better", printed, re.M)}
    assert list(values) == ["params", "flops", "zico", "naswot", "synflow"]
    # 3 -> 16 and 16 -> 32 convolutions of 3 x 3, two batch norms, 32 -> 10 with a bias
    assert values["params"] == (27 + 1) * 16 + (144 + 1) * 32 + 2 * (16 + 32) + 33 * 10
    layers = printed.split("ZiCo layer by layer:\n")[1].splitlines()
    assert len(layers) == 1 + 3
    assert abs(sum(float(line.split()[-1]) for line in layers[1:]) - values["zico"]) < 0.002  # rounded rows


def test_a_training_of_ones_own_is_watched(tmp_path):
    printed = run(tmp_path, str(EXAMPLES / "watch_a_training.py"))
    assert "my network: 7 snapshots" in printed and "mean |g| of layers 0, 3, 8" in printed
    rows = re.findall(r"^ +(\d+) +([\d.]+)  (\S+) (\S+) (\S+)$", printed, re.M)
    assert [int(row[0]) for row in rows] == [0, 20, 40, 60, 80, 100, 120]
    assert all(float(value) > 0 for row in rows for value in row[1:])
    assert len({row[2] for row in rows}) == len(rows)  # the gradients change while it learns


def test_a_search_is_steered_and_read_as_a_data_frame(tmp_path):
    printed = run(tmp_path, str(EXAMPLES / "steer_a_search.py"))
    assert "act: pin edge 0→3 = skip_connect or avg_pool_3x3" in printed
    assert re.search(r"^before the acts: 16 candidates, [1-9]\d* with an edge without operation$", printed, re.M)
    assert re.search(r"^after the acts: 24 candidates, 0 with an edge without operation$", printed, re.M)
    assert len(re.findall(r"\|\S+\| +\S+ +[89]\d\.\d+$", printed, re.M)) == 3
    store = Store(f"sqlite:///{tmp_path / 'steered.db'}")
    (row,) = store.runs()
    table = store.table(row.id)
    assert (row.state, len(table)) == ("finished", 40)
    last_edges = table["arch"][16:].str.extract(r"\+\|(\w+)~0\|\w+~1\|\w+~2\|$")[0]
    assert set(last_edges) <= {"skip_connect", "avg_pool_3x3"}


def test_results_become_a_table_of_truth(tmp_path):
    printed = run(tmp_path, str(EXAMPLES / "import_results.py"))
    assert "columns: accuracy, phone_latency_ms" in printed
    assert "  phone_latency_ms: latency, ms, lower is better" in printed
    assert re.search(r"tau 0\.\d\d, 95 % interval 0\.\d\d to 0\.\d\d", printed)
    tables = json.loads(run(tmp_path, "-m", "nas_core", "bench", "list", "--json"))
    assert any("measured" in json.dumps(table) for table in tables)


def test_a_package_of_another_adds_a_score_and_a_strategy_that_keep_their_contracts(tmp_path):
    source, installed = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(EXAMPLES / "third_party", source, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-q", "--target", str(installed)]
    subprocess.run([sys.executable, "-m", "pip", "install", str(source), *options], check=True, timeout=120)
    for kind, command, name in (("proxy", "proxies", "relu_count"), ("strategy", "strategies", "coin_flips")):
        listed = json.loads(run(tmp_path, "-m", "nas_core", command, "--json", path=(installed,)))
        assert name in {row["name"] for row in listed}
        checked = json.loads(run(tmp_path, "-m", "nas_core", "check", kind, name, "--json", path=(installed,)))
        assert checked["subject"] == f"{kind} {name}"
