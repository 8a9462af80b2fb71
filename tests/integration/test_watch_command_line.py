"""`watch` and `networks` on the command line, through real processes: a function of a module of one's own."""

from __future__ import annotations

import json
import subprocess

import pytest

from nas_core.store import Store
from tests import commands

MODULE = """
import torch
from torch import nn

drawn = 0.5

def net():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)
    )

class Made:
    @staticmethod
    def net():
        return net()

def tokens():
    return nn.Sequential(nn.Embedding(20, 8), nn.Flatten(), nn.Linear(48, 5))

def sentences():
    draw = torch.Generator().manual_seed(0)
    return [(torch.randint(0, 20, (4, 6), generator=draw), torch.randint(0, 5, (4,), generator=draw)) for _ in range(2)]

def broken():
    raise RuntimeError("out of luck")
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my_networks.py").write_text(MODULE)
    return tmp_path


def helm(folder, *arguments: str) -> subprocess.CompletedProcess:
    url = f"sqlite:///{folder / 'store.db'}"
    return commands.run(*arguments, "--store", url, cwd=folder, timeout=120)


def test_a_network_is_watched_listed_and_deleted(folder):
    done = helm(folder, "watch", "my_networks:net", "--name", "mine", "--image-size", "16", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["name"] == "mine" and told["scores"]["params"] == 3 * 8 * 9 + 8 + 8 * 10 + 10
    assert told["scores"]["zico"] > 0
    store = Store(f"sqlite:///{folder / 'store.db'}")
    (row,) = store.networks()
    assert row.id == told["network"] and row.about["inputs"] == [[16, 3, 16, 16]] * 2
    again = json.loads(
        helm(folder, "watch", "my_networks:Made.net", "--image-size", "16", "--seed", "3", "--json").stdout
    )
    assert again["scores"] == told["scores"] and again["name"] == "Made.net"
    listed = json.loads(helm(folder, "networks", "list", "--json").stdout)
    assert {one["name"] for one in listed} == {"mine", "Made.net"}
    assert "mine" in helm(folder, "networks", "list").stdout
    assert helm(folder, "networks", "delete", row.id).returncode == 2
    assert helm(folder, "networks", "delete", row.id, "--yes").returncode == 0
    assert [one.name for one in store.networks()] == ["Made.net"]
    store.close()


def test_batches_of_ones_own_are_those_that_a_function_returns(folder):
    done = helm(folder, "watch", "my_networks:tokens", "--data", "my_networks:sentences", "--proxy", "zico")
    assert done.returncode == 0, done.stderr
    assert "'tokens' is watched" in done.stdout and "zico" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["my_networks"], "factory: got 'my_networks', expected package.module:function"),
        (["no_networks:net"], "factory: cannot import 'no_networks': No module named 'no_networks'"),
        (["my_networks:nets"], "factory: 'my_networks' has no 'nets'"),
        (["my_networks:drawn"], "factory: 'my_networks:drawn' is of type float, expected a function"),
        (["my_networks:broken"], "factory: 'my_networks:broken' failed: RuntimeError: out of luck"),
        (["my_networks:sentences"], "model: got list, expected a torch.nn.Module"),
        (["my_networks:net", "--data", "my_networks:net"], "batches: got Sequential"),
        (["my_networks:net", "--data", "digit"], "unknown data set 'digit'"),
        (["my_networks:net", "--data", "npz:none.npz"], "there is no 'none.npz'"),
        (["my_networks:net", "--proxy", "zicco"], "zicco"),
        (["my_networks:tokens"], "the model does not take the inputs of the first batch"),
        (["my_networks:net", "--loss", "my_networks"], "--loss: got 'my_networks', expected package.module:function"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, arguments, told):
    done = helm(folder, "watch", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr and done.stderr.count("\n") == 1
