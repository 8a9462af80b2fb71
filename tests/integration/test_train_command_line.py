"""`train` on the command line: one network alone, resumed, exported with its weights; a template as a space."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from nas_core import supernet
from nas_core.spaces.template import PRESETS
from tests import commands

NETWORK = "1|110|100|10|101|100"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    file = tmp_path_factory.mktemp("template") / "residual.json"
    file.write_text(json.dumps(PRESETS["Residual"]().to_dict()))
    return file


def run(*arguments, **options):
    return commands.run(*arguments, **options)


def test_one_network_is_trained_and_exported_with_its_weights(template, tmp_path):
    out = tmp_path / "alone.checkpoint"
    done = run("train", NETWORK, "--space", template, "--out", out, "--epochs", 5, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["held_out_accuracy"] > 0.5
    assert len(found["curve"]) == 5
    more = run("train", NETWORK, "--space", template, "--out", out, "--epochs", 6, "--json")
    assert json.loads(more.stdout)["curve"][:5] == found["curve"]
    exported = run("export", "--checkpoint", out, "--out", tmp_path / "network.py")
    assert exported.returncode == 0, exported.stderr
    assert "same outputs as the model" in exported.stdout


@pytest.mark.long
def test_a_template_is_searched_on_shared_weights_for_the_front_of_score_and_parameters(template, tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    options = ["--one-shot", 2, "--budget", 24, "--strategy", "pareto", "--cost", "params", "--prune", "L2 identity=on"]
    done = run("search", "--space", template, *options, "--store", url, "--json")
    assert done.returncode == 0, done.stderr
    best = json.loads(done.stdout)["best"]
    front = [row for row in best if row["front"]]
    assert front
    assert all(row["arch"].split("|")[1][1] == "0" for row in best)
    for one in front:
        assert not any(o["one_shot"] > one["one_shot"] and o["params"] <= one["params"] for o in front)


@pytest.mark.long
def test_a_killed_training_resumes_to_the_weights_of_an_undisturbed_one(template, tmp_path):
    killed, calm = tmp_path / "killed", tmp_path / "calm"
    arguments = ["--space", template, "--epochs", 16, "--save-every", 0]
    command = [sys.executable, "-m", "nas_core", "train", NETWORK, "--out", killed, *arguments]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        list(map(str, command)), env=one_thread, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not killed.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not supernet.load(killed).finished
    assert run("train", NETWORK, "--out", killed, *arguments).returncode == 0
    assert run("train", NETWORK, "--out", calm, *arguments).returncode == 0
    one, two = (supernet.load(path).supernet.state_dict() for path in (killed, calm))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "1|1", "--space", "{template}", "--out", "{out}"], "expected 6 layers, found 2"),
        (["train", NETWORK, "--space", "{template}", "--out", "{out}", "--epochs", "0"], "epochs: got 0.0"),
        (["train", NETWORK, "--space", "{template}", "--out", "{out}", "--data", "none"], "none"),
        (["export", "--out", "{out}.py"], "no architecture"),
        (["export", "--checkpoint", "{template}", "--out", "{out}.py"], "is no checkpoint"),
        (
            ["export", "--checkpoint", "{out}.pt", "--out", "{out}.py", "--to", "py", "--to", "state-dict"],
            "overwritten",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, template, tmp_path):
    filled = [argument.format(template=template, out=tmp_path / "x") for argument in arguments]
    done = run(*filled)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
