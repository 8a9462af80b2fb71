"""`store` and `runs` on the command line, through real processes."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess

import pytest

from nas_core.spaces import Act
from nas_core.store import Outcome, Store
from tests import commands
from tests.runs import make_run

CELLS = [f"|none~0|+|none~0|none~1|+|{op}~0|none~1|none~2|" for op in ("none", "skip_connect", "avg_pool_3x3")]


def helm(*arguments: str) -> subprocess.CompletedProcess:
    return commands.run(*arguments, timeout=120)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@pytest.fixture
def run(store):
    """A run with an act, two scored candidates and a failed one."""
    run = make_run(store, "nb201", {"proxies": ["zico"], "strategy": "scan", "budget": 3}, "three cells")
    store.append(run, "act", Act("prune", "*", ("nor_conv_3x3",)).to_dict())
    asked = store.ask(run, [(cell, cell) for cell in CELLS], {})
    told = [Outcome(0, {"zico": 1.5}, {"zico": 0.5}), Outcome(1, {}, failed="out of memory")]
    store.tell(run, [*told, Outcome(asked[2].position, {"zico": float("nan")}, {"zico": 0.25})])
    return run


def test_info_and_check_say_what_is_there(store, run):
    found = json.loads(helm("store", "info", "--json", "--store", store.url).stdout)
    assert (found["version"], found["runs"], found["candidates"], found["states"]) == ("0003", 1, 3, {"created": 1})
    assert found["size"] > 0 and found["journal"] > 0
    assert "copy with `store backup`" in helm("store", "info", "--store", store.url).stdout
    sound = helm("store", "check", "--store", store.url)
    assert (sound.returncode, sound.stdout) == (0, "the store is sound\n")
    connection = sqlite3.connect(store.path)
    connection.execute("UPDATE runs SET failed = 2")
    connection.commit()
    connection.close()
    wrong = helm("store", "check", "--json", "--store", store.url)
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["wrong"] == [f"run {run}: its counter of failed says 2, its rows 1"]


def test_backup_and_vacuum(store, run, tmp_path):
    target = tmp_path / "copy.db"
    assert helm("store", "backup", str(target), "--store", store.url).returncode == 0
    assert len(Store(f"sqlite:///{target}").candidates(run)) == 3
    again = helm("store", "backup", str(target), "--store", store.url)
    assert again.returncode == 2 and "exists; expected the name of a new file" in again.stderr
    store.keep_file(run, "weights", bytes(2_000_000))
    store.keep_file(run, "weights", b"")
    found = json.loads(helm("store", "vacuum", "--json", "--store", store.url).stdout)
    assert found["after"] <= found["before"] and found["after"] < 500_000


def test_runs_are_listed_and_shown_with_what_failed(store, run):
    (listed,) = json.loads(helm("runs", "list", "--json", "--store", store.url).stdout)
    assert (listed["id"], listed["name"], listed["scored"], listed["failed"]) == (run, "three cells", 2, 1)
    assert run in helm("runs", "list", "--store", store.url).stdout
    shown = helm("runs", "show", run, "--store", store.url).stdout
    assert "3 asked, 2 scored, 1 failed" in shown and f"{CELLS[1]}: out of memory" in shown
    assert "prune" in shown and 'strategy = "scan"' in shown
    found = json.loads(helm("runs", "show", run, "--json", "--store", store.url).stdout)
    assert found["failures"] == [{"position": 1, "arch": CELLS[1], "reason": "out of memory"}]
    assert len(found["acts"]) == 1 and found["config"]["budget"] == 3


def test_a_run_is_exported_as_csv_and_as_script(store, run, tmp_path):
    path = tmp_path / "run.csv"
    assert helm("runs", "export", run, "--out", str(path), "--store", store.url).returncode == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [row["arch"] for row in rows] == CELLS
    assert [row["zico"] for row in rows] == ["1.5", "", ""]
    assert [row["failed"] for row in rows] == ["", "out of memory", ""]
    assert [row["seconds"] for row in rows] == ["0.5", "0", "0.25"]
    script = json.loads(helm("runs", "export", run, "--script", "--store", store.url).stdout)
    assert script["format"] == "nas-helm-session/1" and script["space"] == "nb201"


def test_a_run_is_deleted_only_where_that_is_confirmed(store, run):
    refused = helm("runs", "delete", run, "--store", store.url)
    assert refused.returncode == 2 and "expected --yes" in refused.stderr
    assert store.status(run) is not None
    assert helm("runs", "delete", run, "--yes", "--store", store.url).returncode == 0
    assert store.status(run) is None and store.info().candidates == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["runs", "show", "nope"], "unknown run 'nope'"),
        (["runs", "delete", "nope", "--yes"], "unknown run 'nope'"),
        (["runs", "export", "nope"], "unknown run 'nope'"),
        (["store", "backup", "missing/copy.db"], "missing/copy.db cannot be written"),
    ],
)
def test_bad_input_is_one_line(store, arguments, part):
    done = helm(*arguments, "--store", store.url)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ") and part in line


def test_a_misspelt_store_is_not_made(tmp_path):
    for arguments in (["store", "info"], ["store", "check"], ["runs", "list"]):
        done = helm(*arguments, "--store", f"sqlite:///{tmp_path / 'misspelt.db'}")
        assert done.returncode == 2 and "there is no store" in done.stderr
    assert list(tmp_path.iterdir()) == []
