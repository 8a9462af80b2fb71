"""Bad input through real processes, beyond tests/integration/test_command_line.py: one line, exit code 2."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from nas_core import spaces
from nas_core.proxies import ScoreSettings
from nas_core.store import Store
from tests import commands

SPACE = spaces.get("nb201")
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
TINY = ["--image-size", "8", "--batch-size", "2", "--batches", "2", "--channels", "4"]


def helm(*arguments: str, **options) -> subprocess.CompletedProcess:
    return commands.run(*arguments, timeout=120, **options)


def assert_one_line(done: subprocess.CompletedProcess, part: str) -> None:
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert part in lines[0]
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["scan"], "Missing option '--out'"),
        (["scan", "--out", "x.csv", "--limit", "many"], "--limit"),
        (["score", CELL, "--preset", "huge"], "--preset"),
        (["score"], "no architecture given"),
        (["scan", "--out", "x.csv", "--pin", "foo"], "expected decision=choice"),
        (["scan", "--out", "x.csv", "--pin", "edge 9->9=none"], "unknown decision 'edge 9→9'"),
        (["scan", "--out", "x.csv", "--prune", "*=bogus"], "offers 'bogus'"),
        (["scan", "--out", "."], "is a folder"),
        (["scan", "--out", "missing/x.csv"], "missing/x.csv"),
    ],
)
def test_bad_arguments(tmp_path, arguments, part):
    assert_one_line(helm(*arguments, cwd=tmp_path), part)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"arch,zico\nfoo,1\nfoo,2\nfoo,3\n", "malformed cell 'foo'"),
        (b"arch,zico\n", "has no numeric column of scores"),
        (f"arch,zico\n{CELL},nan\n{CELL},\n{CELL},1\n".encode(), "fewer than 3 numbers in column 'zico'"),
        (b"cell,zico\nfoo,1\n", "has no column 'arch'"),
        (b"\xff\xfe\x00garbage", "is no CSV file"),
        (b"", "is no CSV file"),
    ],
)
def test_bad_tables(tmp_path, content, part):
    (tmp_path / "scores.csv").write_bytes(content)
    assert_one_line(helm("correlate", "scores.csv", cwd=tmp_path), part)


def test_a_list_of_architectures_that_is_no_text(tmp_path):
    (tmp_path / "cells.txt").write_bytes(b"\xff\xfe\x00")
    assert_one_line(helm("score", "--file", "cells.txt", cwd=tmp_path), "cells.txt is no text")


def test_a_database_that_is_none(tmp_path):
    (tmp_path / "runs.db").write_text("text where a database was expected, long enough to have a header" * 4)
    assert_one_line(helm("engine", "--once", "--store", f"sqlite:///{tmp_path}/runs.db"), "runs.db")


def test_a_resume_with_other_settings_is_refused_and_keeps_the_work(tmp_path):
    header = {"space": "nb201", "proxies": ["zico"], "settings": {"data": "noise"}}
    partial = tmp_path / "x.csv.partial.jsonl"
    partial.write_text(json.dumps(header) + "\n")
    before = partial.read_bytes()
    assert_one_line(helm("scan", "--out", "x.csv", "--limit", "2", *TINY, cwd=tmp_path), "other settings")
    assert partial.read_bytes() == before


def test_a_damaged_partial_is_refused(tmp_path):
    (tmp_path / "x.csv.partial.jsonl").write_bytes(b"\xff not json\n{}\n")
    assert_one_line(helm("scan", "--out", "x.csv", "--limit", "2", *TINY, cwd=tmp_path), "is damaged")


@pytest.mark.long
def test_a_torn_last_line_is_scored_again(tmp_path):
    scan = ["scan", "--limit", "20", "--workers", "1", *TINY, "--out"]
    assert helm(*scan, "whole.csv", cwd=tmp_path).returncode == 0
    settings = ScoreSettings(batches=2, batch_size=2, image_size=8, channels=4).to_dict()
    header = json.dumps({"space": "nb201", "proxies": ["zico"], "settings": settings})
    whole = pd.read_csv(tmp_path / "whole.csv")
    first, second = whole["canonical"].unique()[:2]
    value = float(whole.set_index("canonical")["zico"].groupby(level=0).first()[first])
    kept = json.dumps({"canonical": first, "values": {"zico": value}, "seconds": 0.5})
    torn = json.dumps({"canonical": second, "values": {"zico": 99.0}, "seconds": 0.5})[:-9]
    (tmp_path / "torn.csv.partial.jsonl").write_text(f"{header}\n{kept}\n{torn}")
    done = helm(*scan, "torn.csv", cwd=tmp_path)
    assert "20 networks, 19 scored now" in done.stderr
    columns = ["arch", "canonical", "zico"]
    pd.testing.assert_frame_equal(whole[columns], pd.read_csv(tmp_path / "torn.csv")[columns])


def test_a_full_disk_stops_the_scan_in_one_line_and_loses_nothing(tmp_path):
    scan = ["scan", "--out", "x.csv", "--limit", "40", "--workers", "1", *TINY]
    # The kernel refuses to let any file of the process grow further: a full disk, without filling one.
    full = helm(*scan, cwd=tmp_path, largest_file=3000)
    assert_one_line(full, "the disk is full; free some space and run the same command again")
    kept = (tmp_path / "x.csv.partial.jsonl").read_text().count("\n") - 1
    assert kept > 0
    again = helm(*scan, cwd=tmp_path)
    assert f"40 networks, {40 - kept} scored now" in again.stderr


def test_pins_and_prunes_in_either_spelling_bound_the_scan(tmp_path):
    steer = ["--pin", "edge 0->3=skip_connect|nor_conv_1x1", "--prune", "*=none", "--proxy", "params"]
    assert helm("scan", "--out", "x.csv", *steer, *TINY, cwd=tmp_path).returncode == 0
    archs = [SPACE.parse(text) for text in pd.read_csv(tmp_path / "x.csv")["arch"]]
    expected = [a for a in SPACE.architectures() if a[3] in (1, 2) and 0 not in a]
    assert archs == expected


def test_correlate_prints_strict_json_with_baselines_marked(tmp_path):
    rows = [f"{SPACE.format(arch)},1.0" for arch in list(SPACE.architectures())[::200]]
    (tmp_path / "flat.csv").write_text("arch,flat\n" + "\n".join(rows) + "\n")
    done = helm("correlate", "flat.csv", "--json", "--bootstrap", "5", cwd=tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    records = json.loads(done.stdout, parse_constant=refuse)
    assert {(r["score"], r["baseline"]) for r in records} == {
        ("flat", False),
        *((b, True) for b in ("params", "flops", "live_params", "sum_log_layer_size", "conv_layers")),
    }
    assert {r["data_set"] for r in records} == {"cifar10", "cifar100", "imagenet16-120"}
    assert next(r for r in records if r["score"] == "flat")["tau"]["value"] is None


def in_a_terminal(*arguments: str, cwd: Path) -> subprocess.Popen:
    """A command that hears Ctrl-C as in a terminal, wherever the tests run: with its workers, in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "nas_core", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize("delay", [0.0, 0.1, 1.5])
def test_an_interrupt_is_one_line_that_says_how_to_resume(tmp_path, delay):
    process = in_a_terminal("scan", "--out", "x.csv", "--workers", "2", *TINY, cwd=tmp_path)
    partial = tmp_path / "x.csv.partial.jsonl"
    deadline = time.monotonic() + 60
    while not partial.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "run the same command to resume" in errors
    assert not (tmp_path / "x.csv").exists()


SEARCH = ["search", "--budget", "64", "--workers", "2", "--json", "--image-size", "8", "--batch-size", "2"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    place = tmp_path_factory.mktemp("undisturbed")
    return json.loads(helm(*SEARCH, "--channels", "4", "--store", f"sqlite:///{place}/s.db", cwd=place).stdout)


@pytest.mark.long
@pytest.mark.parametrize("scored", [0, 3])
def test_an_interrupted_search_is_paused_and_goes_on_to_the_same_end(undisturbed, tmp_path, scored):
    url = f"sqlite:///{tmp_path}/s.db"
    process = in_a_terminal(*SEARCH, "--channels", "4", "--store", url, cwd=tmp_path)
    records, deadline = Store(url), time.monotonic() + 60
    while not [run for run in records.runs() if run.state != "created" and run.scored >= scored]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert (process.returncode, printed) == (130, "")
    run = records.runs()[0]
    assert run.state == "paused" and run.scored < 64
    assert errors.split("\n")[0] == f"paused; go on with: search --resume {run.id}"
    resumed = helm("search", "--resume", run.id, "--json", "--store", url, cwd=tmp_path)
    assert json.loads(resumed.stdout) == {**undisturbed, "run": run.id}


def test_an_interrupt_of_executed_text_leaves_the_exit_code_to_us(tmp_path):
    code = """
import typer
from nas_core.cli import _main

def interrupted(**_):
    try:
        exec("raise KeyboardInterrupt")  # as the import of a dataclass does
    except KeyboardInterrupt:
        raise typer.Abort

_main.app = interrupted
_main.main()
"""
    (tmp_path / "interrupted.py").write_text(code)
    command = [sys.executable, "-m", "interrupted"]
    assert subprocess.run(command, cwd=tmp_path, check=False, timeout=60).returncode == 130


def test_help_is_help(tmp_path):
    for arguments in (["--help"], ["scan", "--help"]):
        done = helm(*arguments, cwd=tmp_path)
        assert done.returncode == 0
        assert "Usage" in done.stdout
        assert done.stderr == ""
