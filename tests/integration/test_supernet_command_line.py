"""`supernet train` and `supernet rank` through real processes: killed, interrupted, steered, fed nonsense."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_core import cli
from nas_core.supernet import load
from tests import commands

TINY = ["--image-size", "8", "--batch-size", "16", "--channels", "4"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "nas_core", "supernet", *arguments]


def helm(*arguments: str, **options) -> subprocess.CompletedProcess:
    return commands.run("supernet", *arguments, timeout=120, env=ENVIRONMENT, **options)


def kill_once_written(arguments: list[str], out: Path, number: signal.Signals) -> tuple[int, str]:
    """Start a training, send the signal once it has written a checkpoint; returns its exit status and last words."""
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and not out.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    words = process.communicate(timeout=60)[1]
    return process.returncode, words


@pytest.mark.long
def test_a_killed_training_resumes_to_the_weights_and_curve_of_an_undisturbed_one(tmp_path):
    steered = ["--sampling", "fair", "--prune", "edge 0->1=none"]  # decks of uneven length: the most state there is
    train = ["train", *TINY, *steered, "--epochs", "0.8", "--seed", "2", "--save-every", "0.3", "--out"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert helm(*train, str(whole)).returncode == 0
    status, _ = kill_once_written([*train, str(killed)], killed, signal.SIGKILL)
    assert status == -signal.SIGKILL
    begun = load(killed).step_
    assert 0 < begun < load(whole).step_
    assert helm(*train, str(killed)).returncode == 0
    torch.set_num_threads(1)
    first, second = load(whole), load(killed)
    weights = first.supernet.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in second.supernet.state_dict().items())
    curves = [[(r.step, r.train, r.validation) for r in trainer.history_] for trainer in (first, second)]
    assert curves[0] == curves[1] and len(curves[0]) == 1


def test_ctrl_c_saves_and_says_in_one_line_how_to_resume(tmp_path):
    out = tmp_path / "x"
    train = ["train", *TINY, "--epochs", "1000", "--save-every", "0.2", "--out", str(out)]
    status, words = kill_once_written(train, out, signal.SIGINT)
    assert status == 130
    lines = [line for line in words.splitlines() if "stopped" in line]
    assert len(lines) == 1 and "run the same command to resume" in lines[0] and "Traceback" not in words
    assert f"step {load(out).step_}," in lines[0]


@pytest.mark.long
def test_a_finished_training_is_steered_and_gone_on_with(tmp_path):
    out = str(tmp_path / "x")
    assert helm("train", *TINY, "--plain-pools", "--epochs", "0.2", "--out", out).returncode == 0
    steered = helm("train", "--epochs", "0.4", "--prune", "*=nor_conv_3x3", "--out", out, "--json")
    report = json.loads(steered.stdout)
    assert report["settings"]["channels"] == 4 and report["steps"] == 34
    assert report["settings"]["normalise_pools"] is False
    other = helm("train", "--normalise-pools", "--epochs", "0.5", "--out", out)
    assert other.returncode == 2 and "holds a training with normalise_pools False, not True" in other.stderr
    assert [point["step"] for point in report["curve"]] == [17, 34]
    trainer = load(out)
    assert [act.describe() for act in trainer.acts] == ["prune everywhere = nor_conv_3x3"]
    assert helm("train", "--epochs", "0.5", "--free", "--warm-up", "3", "--out", out).returncode == 0
    assert load(out).acts == []


@pytest.mark.long
def test_rank_reports_trust_by_sampling_and_reads_kept_supernets_again(tmp_path):
    cells = ["--cells", "12", "--trust-cells", "8", "--bootstrap", "20", "--json"]
    done = helm("rank", *TINY, "--epochs", "0.3", "--seeds", "2", *cells, "--keep", str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [result["sampling"] for result in report["results"]] == ["uniform", "balanced"]
    for result in report["results"]:
        assert [run["seed"] for run in result["runs"]] == [0, 1]
        taus = [run["one_shot"]["tau"]["value"] for run in result["runs"]]
        assert result["median"]["one_shot"]["tau"] == pytest.approx(np.median(taus))
        for run in result["runs"]:
            assert 10 <= run["aggregate"]["pick"]["value"] <= 100
            assert run["one_shot"]["tau"]["low"] <= run["one_shot"]["tau"]["high"]
            assert sum(run["weights"].values()) > 0
    kept = sorted(map(str, tmp_path.iterdir()))
    assert len(kept) == 4
    few = ["--compare", "uniform", "--seeds", "1", "--few-shot", "edge 0->3", *cells]
    results = json.loads(helm("rank", *TINY, "--epochs", "0.3", *few).stdout)["results"]
    assert [result["sampling"] for result in results] == ["uniform", "uniform, few-shot on edge 0→3"]
    again = json.loads(helm("rank", *kept, *cells).stdout)
    found = {result["sampling"]: result["median"] for result in again["results"]}
    assert found == {result["sampling"]: result["median"] for result in report["results"]}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["train"], "Missing option '--out'"),
        (["train", "--out", "."], "is a folder"),
        (["train", "--out", "no/such/folder/x"], "lies in no folder"),
        (["train", "--out", "x", "--space", "nb101", "--sampling", "fair"], "constraints of nb101 forbid it"),
        (["train", "--out", "x", "--space", "nope"], "unknown search space 'nope'"),
        (["train", "--out", "x", "--data", "npz:/missing.npz"], "there is no"),
        (["train", "--out", "x", "--sampling", "nope"], "unknown sampling 'nope'"),
        (["train", "--out", "x", "--channels", "0"], "channels: got 0"),
        (["train", "--out", "x", "--pin", "edge 9->9=none"], "unknown decision 'edge 9→9'"),
        (["train", "--out", "x", "--pin", "*=none"], "no architecture with a live path"),
        (["train", "--out", "{garbage}"], "no checkpoint of a supernet"),
        (["rank", "{garbage}"], "no checkpoint of a supernet"),
        (["rank", "missing.supernet"], "missing.supernet"),
        (["rank", "--split", "edge 9->9"], "unknown decision 'edge 9→9'"),
        (["rank", "--cells", "15000", "--trust-cells", "700"], "only 15625 architectures"),
        (["rank", "--truth", "nope"], "--truth 'nope'"),
        (["rank", "--compare", "uniform,nope"], "unknown sampling 'nope'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys, arguments, part):
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\x80\x02garbage")
    monkeypatch.chdir(tmp_path)
    words = [argument.format(garbage=garbage) for argument in arguments]
    monkeypatch.setattr(sys, "argv", ["nas_core", "supernet", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    written = capsys.readouterr()
    lines = written.err.strip().splitlines()
    assert written.out == ""
    assert len(lines) == 1 and lines[0].startswith("error: ") and part in lines[0]
