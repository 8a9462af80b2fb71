"""A search for value and cost through the real command line: the front is marked, bad costs are one line and code 2."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from nas_core import spaces
from nas_core.store import Store
from tests import commands

TINY = ["--image-size", "8", "--batch-size", "2", "--channels", "4", "--workers", "1"]


def search(*arguments: str) -> subprocess.CompletedProcess:
    return commands.run("search", *arguments)


def test_a_pareto_search_marks_the_whole_front_of_score_and_costs(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    arguments = ["--strategy", "pareto", "--proxy", "live_params", "--cost", "flops", "--cost", "latency_ms"]
    done = search(*arguments, "--budget", "70", "--top", "2", "--json", "--store", url, *TINY)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    table = Store(url).table(found["run"])
    assert len(table) == found["scored"] == 70
    assert (table["latency_ms"] > 0).all()
    space = spaces.get("nb201")
    flops = space.closed_forms([space.parse(text) for text in table["arch"]])["flops"].to_numpy(dtype=float)
    points = np.column_stack([-table["live_params"], flops, table["latency_ms"]])
    true = [not ((points <= p).all(axis=1) & (points < p).any(axis=1)).any() for p in points]
    marked = [row for row in found["best"] if row["front"] is True]
    assert {row["arch"] for row in marked} == set(table["arch"][true])
    assert found["best"][: len(marked)] == marked and len(marked) >= 2
    assert [row["live_params"] for row in marked] == sorted((r["live_params"] for r in marked), reverse=True)


def test_flops_are_the_cost_where_none_is_named(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    done = search("--strategy", "pareto", "--proxy", "params", "--budget", "2", "--json", "--store", url, *TINY)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Store(url).run(found["run"]).config.objective.costs == ("flops",)
    assert all(row["flops"] > 0 for row in found["best"])


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--strategy", "pareto", "--cost", "nope"], "unknown cost 'nope'; expected one of: params, flops"),
        (["--cost", "zico"], "this score ranks the candidates already"),
        (["--strategy", "pareto", "--proxy", "flops"], "the objective pareto needs --cost"),
        (["--strategy", "annealing"], "expected one of: evolution, genetic, pareto, random, scan"),
    ],
)
def test_bad_costs_are_refused_before_a_run_is_made(tmp_path, arguments, part):
    url = f"sqlite:///{tmp_path}/store.db"
    done = search(*arguments, "--budget", "3", "--store", url)
    assert done.returncode == 2
    assert part in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "store.db").exists()


def test_a_column_of_known_results_is_a_cost(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path / "home"))
    known = list(spaces.get("nb201").architectures())
    lines = [f"{spaces.get('nb201').format(arch)},{sum(arch) + 1}" for arch in known]
    (tmp_path / "hw.csv").write_text("\n".join(["arch,latency_ms", *lines]) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "nas_core", "bench", "import", str(tmp_path / "hw.csv"), "--name", "hw"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    url = f"sqlite:///{tmp_path}/store.db"
    arguments = ["--strategy", "pareto", "--proxy", "params", "--cost", "hw/latency_ms", "--budget", "40", "--json"]
    done = search(*arguments, "--store", url, *TINY)
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)["best"]
    assert all(row["hw/latency_ms"] == sum(spaces.get("nb201").parse(row["arch"])) + 1 for row in best)
    assert any(row["front"] for row in best)
    refused = search("--strategy", "pareto", "--cost", "hw/energy", "--store", url)
    assert refused.returncode == 2 and "table 'hw' has no column 'energy'" in refused.stderr


def test_efficiency_ranks_by_the_score_minus_the_weighed_logarithm_of_the_cost(tmp_path):
    url = f"sqlite:///{tmp_path}/store.db"
    arguments = ["--objective", "efficiency", "--proxy", "params", "--cost", "flops", "--weight", "2", "--budget", "40"]
    done = search(*arguments, "--top", "40", "--json", "--store", url, *TINY)
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)["best"]
    assert [row["objective"] for row in best] == sorted((row["objective"] for row in best), reverse=True)
    flops = spaces.get("nb201").closed_forms([spaces.get("nb201").parse(row["arch"]) for row in best])["flops"]
    expected = [row["params"] - 2 * math.log(count) for row, count in zip(best, flops, strict=True)]
    assert [row["objective"] for row in best] == pytest.approx(expected)
