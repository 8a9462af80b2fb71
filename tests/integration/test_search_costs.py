"""A search for value and cost through the real command line: the front is marked, bad costs are one line and code 2."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from nas_core import spaces
from nas_core.store import Store

TINY = ["--image-size", "8", "--batch-size", "2", "--channels", "4", "--workers", "1"]


def search(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "nas_core", "search", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


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
