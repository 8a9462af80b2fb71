"""The command line through real processes: a killed scan resumes, bad input is one line and exit code 2."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import kendalltau

from nas_core import bench, spaces
from nas_core.store import Store
from tests import commands, processes
from tests.runs import make_run

TINY = ["--image-size", "8", "--batch-size", "2", "--batches", "2", "--channels", "4"]


def helm(*arguments: str, **options) -> subprocess.CompletedProcess:
    return commands.run(*arguments, **options)


@pytest.mark.long
def test_a_killed_scan_resumes_to_the_same_table(tmp_path):
    scan = ["scan", "--limit", "120", "--workers", "2", *TINY, "--out"]
    assert helm(*scan, str(tmp_path / "whole.csv")).returncode == 0
    out, partial = tmp_path / "killed.csv", tmp_path / "killed.csv.partial.jsonl"
    process = subprocess.Popen([sys.executable, "-m", "nas_core", *scan, str(out)], stderr=subprocess.DEVNULL)
    while process.poll() is None and (not partial.exists() or len(partial.read_text().splitlines()) < 20):
        time.sleep(0.02)
    workers = processes.workers(of=process.pid)
    assert len(workers) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    deadline = time.monotonic() + 20
    while any(processes.alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in workers if processes.alive(pid)] == []
    resumed = helm(*scan, str(out))
    assert resumed.returncode == 0
    assert ", 120 scored now" not in resumed.stderr
    columns = ["arch", "canonical", "zico"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "whole.csv")[columns], pd.read_csv(out)[columns])


def test_score_prints_a_json_line(tmp_path):
    cell = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    done = helm("score", *TINY, "--proxy", "zico", "--proxy", "params", input=cell + "\n")
    record = json.loads(done.stdout)
    assert record["arch"] == cell
    assert record["value"]["zico"] > 0
    assert record["layers"]["zico"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["score", "nonsense"], "malformed cell"),
        (["scan", "--out", "x.csv", "--space", "nope"], "unknown search space 'nope'"),
        (["scan", "--out", "x.csv", "--proxy", "nope"], "unknown proxy 'nope'"),
        (["scan", "--out", "x.csv", "--data", "nope"], "unknown data set 'nope'"),
        (["scan", "--out", "x.csv", "--batch-size", "0"], "batch_size: got 0"),
        (["scan", "--out", "x.csv", "--data", "npz:/missing.npz"], "there is no"),
        (["scan", "--out", "x.csv", "--pin", "edge 0->1=none", "--prune", "*=none"], "last choice left"),
        (["correlate", "missing.csv"], "missing.csv"),
        (["engine", "--store", "nonsense"], "cannot open store"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, arguments, part):
    done = helm(*arguments, cwd=None)
    assert done.returncode == 2
    assert part in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_full_disk_is_one_line_and_exit_code_2():
    done = subprocess.run(
        f"{sys.executable} -m nas_core search --budget 1 --store sqlite:////dev/full",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_port_in_use_is_one_line_and_exit_code_2(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "app",
                "--port",
                str(taken.getsockname()[1]),
                "--store",
                f"sqlite:///{tmp_path}/s.db",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert "choose another --port" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def start_app(tmp_path) -> tuple[subprocess.Popen, int]:
    """A running app, and the process id of its engine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app", "--port", str(port), "--store", f"sqlite:///{tmp_path}/s.db"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "NAS Helm is at" in process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 1
    return process, int(children[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_app_and_its_engine_end_on_a_signal(tmp_path, number):
    process, engine = start_app(tmp_path)
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert not Path(f"/proc/{engine}").exists()


def test_a_killed_engine_is_started_again_and_its_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_HELM_LEASE_SECONDS", "1")
    process, engine = start_app(tmp_path)
    records = Store(f"sqlite:///{tmp_path}/s.db")
    settings = {"image_size": 8, "batch_size": 2, "channels": 4}
    config = {"strategy": "random", "proxies": ["zico"], "rank_by": "zico", "settings": settings, "budget": 48}
    run = make_run(records, "nb201", config)
    records.command(run, "start")
    deadline = time.monotonic() + 120
    while not records.run(run).scored and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(engine, signal.SIGKILL)
    while records.run(run).state != "finished" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert records.run(run).state == "finished" and records.run(run).scored == 48
    threads = Path(f"/proc/{process.pid}/task").iterdir()  # one of them has started the engine again
    (again,) = [child for thread in threads for child in (thread / "children").read_text().split()]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert not Path(f"/proc/{again}").exists()


def test_the_engine_ends_even_when_the_app_is_killed_at_once(tmp_path):
    process, engine = start_app(tmp_path)
    process.kill()
    process.wait(timeout=30)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{engine}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{engine}").exists()


def test_aggregates_and_few_labels_are_correlated_beside_the_scores(tmp_path):
    space = spaces.get("nb201")
    archs = list(space.architectures())[::40]
    table = pd.DataFrame({"arch": [space.format(arch) for arch in archs]})
    table["synthetic"] = range(len(archs))
    table["ntk_condition"] = [-float(v) for v in space.closed_forms(archs)["live_params"]]
    table.to_csv(tmp_path / "scores.csv", index=False)
    done = helm(
        "correlate", "scores.csv", "--json", "--bootstrap", "5", "--labels", "20",
        "--aggregate", "live_params+sum_log_layer_size", "--aggregate", "ntk_condition", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {(row["score"], row["data_set"]): row for row in json.loads(done.stdout)}
    found = rows["aggregate of live_params, sum_log_layer_size", "cifar100"]
    assert found["kind"] == "aggregate"
    best = max(rows[name, "cifar100"]["tau"]["value"] for name in ("live_params", "sum_log_layer_size"))
    assert found["tau"]["value"] > best - 0.01
    labelled = rows["20 labels", "cifar100"]
    assert labelled["kind"] == "predictor"
    assert labelled["tau"]["low"] <= labelled["tau"]["value"] <= labelled["tau"]["high"]
    # Lower is better for this proxy, so its sign is turned before it is ranked, alone and in an aggregate.
    turned = rows["ntk_condition", "cifar100"]["tau"]["value"]
    assert turned == pytest.approx(rows["live_params", "cifar100"]["tau"]["value"])
    assert rows["aggregate of ntk_condition", "cifar100"]["tau"]["value"] == pytest.approx(turned)


@pytest.mark.long
def test_a_scan_over_seeds_is_correlated_with_what_other_seeds_would_give(tmp_path):
    scan = ["scan", "--limit", "30", "--workers", "1", "--seeds", "2", *TINY, "--out", "scores.csv"]
    done = helm(*scan, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "scores.csv")
    assert list(table) == ["arch", "canonical", "zico", "zico@seed0", "zico@seed1", "seconds"]
    assert table["zico"].tolist() == pytest.approx(table[["zico@seed0", "zico@seed1"]].mean(axis=1).tolist())
    table.drop(columns=["zico@seed0", "zico@seed1"]).to_csv(tmp_path / "mean.csv")  # with the row numbers of pandas
    rows = []
    for name in ("scores.csv", "mean.csv"):
        done = helm("correlate", name, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert {row["score"] for row in found if not row["baseline"]} == {"zico"}
        rows.append(found[0])
    with_seeds, without = rows
    assert (with_seeds["seeds"], without["seeds"]) == (2, 1)
    assert (with_seeds["n"], with_seeds["rows"]) == (table["canonical"].nunique(), len(table))
    assert with_seeds["tau"]["value"] == without["tau"]["value"]
    assert with_seeds["tau"]["high"] - with_seeds["tau"]["low"] > without["tau"]["high"] - without["tau"]["low"]


def test_architectures_count_in_correlate_where_that_is_asked_for(tmp_path):
    space = spaces.get("nb201")
    archs = list(space.architectures())[::3]
    table = pd.DataFrame({"arch": [space.format(arch) for arch in archs]})
    table["score"] = space.closed_forms(archs)["live_params"].to_numpy()
    table.to_csv(tmp_path / "scores.csv", index=False)
    found = []
    for count in ("networks", "architectures"):
        done = helm("correlate", "scores.csv", "--json", "--truth", "cifar10", "--count", count, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout)[0])
    once, every = found
    assert once["n"] == every["n"] == len({space.canonical(arch) for arch in archs})
    assert every["rows"] == len(archs)
    truth = bench.truth("nb201")["cifar10"].loc[table["arch"]]
    assert every["tau"]["value"] == pytest.approx(kendalltau(table["score"], truth).statistic)
    assert once["tau"]["value"] != every["tau"]["value"]
    assert every["tau"]["high"] - every["tau"]["low"] > 2 * (once["tau"]["high"] - once["tau"]["low"])


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--aggregate", "live_params+nope"], "no score 'nope'"),
        (["--labels", "2"], "--labels"),
        (["--labels", "9000"], "--labels 9000: only"),
    ],
)
def test_bad_aggregates_and_labels_are_one_line(tmp_path, arguments, part):
    space = spaces.get("nb201")
    archs = list(space.architectures())[::400]
    table = pd.DataFrame({"arch": [space.format(arch) for arch in archs], "score": range(len(archs))})
    table.to_csv(tmp_path / "scores.csv", index=False)
    done = helm("correlate", "scores.csv", "--bootstrap", "0", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert part in done.stderr
