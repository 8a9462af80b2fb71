"""`bench import` through real processes: every format, one line for bad input, bounded memory and a progress bar."""

from __future__ import annotations

import bz2
import json
import os
import pickle
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nas_core import bench
from tests import commands
from tests.published_results import (
    ARCHS,
    SPACE,
    write_csv,
    write_hardware,
    write_nats,
    write_nb201,
    write_suite_zero,
)

MEGABYTE = 2**20


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def helm(*arguments: object, **options) -> subprocess.CompletedProcess:
    return commands.run("bench", *arguments, timeout=120, **options)


def assert_one_line(done: subprocess.CompletedProcess, part: str) -> None:
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("error: ")
    assert part in done.stderr
    assert done.stdout == ""


def peak_memory_mb(script: str, *arguments: object) -> float:
    """Peak memory of a fresh process in MB, by its own account."""
    script += "\nimport resource; print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=True, timeout=300
    )
    return float(done.stdout.split("peak")[-1])


def write_large(path: Path, size: int) -> None:
    """A table of `size` bytes or a little more over all 15,625 cells, each many times."""
    cells = [SPACE.format(arch) for arch in SPACE.architectures()]
    block = "".join(f"{cell},{70 + k / 1000},{k},0.125\n" for k, cell in enumerate(cells)).encode()
    with path.open("wb") as file:
        file.write(b"arch,accuracy,step,latency\n")
        while file.tell() < size:
            file.write(block)


@pytest.mark.parametrize(
    ("write", "name", "column"),
    [
        (write_nats, "NATS-tss-v1_0-3ffb9-simple", "cifar10-valid/x-valid/accuracy@200"),
        (write_nb201, "NAS-Bench-201-v1_1-096897.pth", "cifar100/x-test/accuracy@12"),
        (write_suite_zero, "zc_nasbench201.json", "cifar10/jacov"),
        (write_hardware, "HW-NAS-Bench-v1_0.pickle", "ImageNet16-120/edgegpu_latency"),
        (write_csv, "results.csv", "accuracy"),
    ],
)
def test_a_published_file_becomes_a_table_of_truth(tmp_path, write, name, column):
    done = helm("import", write(tmp_path / name), "--space", "nb201")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    (stored,) = [table.name for table in bench.tables("nb201") if table.name != bench.PUBLISHED]
    assert f"{stored}.csv.gz: " in done.stderr
    table = bench.truth("nb201", stored)
    assert set(table.index) <= set(ARCHS)
    assert table[column].notna().all()


def test_the_report_is_json_for_machines_and_the_table_goes_where_told(tmp_path, home):
    source = write_csv(tmp_path / "results.csv")
    done = helm("import", source, "--out", tmp_path / "table.csv", "--json")
    report = json.loads(done.stdout)
    assert (report["format"], report["rows"], report["columns"]) == ("csv", 30, ["accuracy"])
    assert list(pd.read_csv(tmp_path / "table.csv")["arch"]) == ARCHS
    assert not home.exists()


def test_without_a_folder_named_tables_lie_under_the_home_of_the_user(tmp_path, monkeypatch):
    monkeypatch.delenv("NAS_HELM_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert helm("import", write_csv(tmp_path / "results.csv"), "--name", "mine").returncode == 0
    assert (tmp_path / ".nas_helm" / "bench" / "nb201" / "mine.csv.gz").is_file()


def test_equal_inputs_give_equal_files(tmp_path):
    source = write_csv(tmp_path / "results.csv")
    for name in ("a", "b"):
        assert helm("import", source, "--name", name).returncode == 0
    folder = tmp_path / "home" / "bench" / "nb201"
    assert (folder / "a.csv.gz").read_bytes() == (folder / "b.csv.gz").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["missing.csv"], "there is no 'missing.csv'"),
        (["results.csv", "--space", "nowhere"], "unknown search space 'nowhere'"),
        (["results.csv", "--format", "xml"], "unknown format 'xml'; expected auto or one of: csv, hw-nas-bench"),
        (["results.csv", "--column", "cell"], "it has no column 'cell'; found: arch, accuracy, note"),
        (["results.csv", "--name", "../x"], "'../x' is no name of a table"),
        (["results.csv", "--out", "."], "is a folder"),
        (["results.csv", "--out", "missing/x.csv"], "there is no folder 'missing'"),
        (["results.csv", "--out", "x.txt"], "ends in .csv or .csv.gz"),
        (["results.csv", "--out", "x.csv", "--name", "x"], "exclude each other"),
        (["results.csv", "--format", "nats"], "results.csv cannot be read as nats"),
        (["results.csv", "--format", "hw-nas-bench"], "results.csv cannot be read as hw-nas-bench"),
        (["zc.json", "--column", "arch"], "--column 'arch' has no meaning"),
        (["other.csv"], "other.csv has no architecture of nb201"),
        (["empty.csv"], "empty.csv is in no format that is known"),
        ([], "Missing argument 'path'"),
        (["/"], "/ is in no format that is known"),
    ],
)
def test_bad_arguments(tmp_path, home, arguments, part):
    write_csv(tmp_path / "results.csv")
    write_suite_zero(tmp_path / "zc.json")
    write_csv(tmp_path / "other.csv", ["foo", "bar"])
    (tmp_path / "empty.csv").touch()
    before = sorted(tmp_path.iterdir())
    assert_one_line(helm("import", *arguments, cwd=tmp_path), part)
    assert sorted(tmp_path.iterdir()) == before


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_hostile_file_is_one_line_and_runs_nothing(tmp_path, home):
    hidden = {"12": [Touch(tmp_path / "ran")]}
    (tmp_path / "hw.pickle").write_bytes(pickle.dumps({"nasbench201": hidden}))
    folder = write_nats(tmp_path / "nats")
    (folder / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(hidden)))
    for path in (tmp_path / "hw.pickle", folder):
        assert_one_line(helm("import", path), "system, which is never loaded from a file; nothing was run")
    assert not (tmp_path / "ran").exists()
    assert not home.exists()


def test_without_a_command_one_line_says_so():
    assert_one_line(helm(), "Missing command")


def test_an_interrupted_import_leaves_nothing(tmp_path, home):
    write_large(tmp_path / "large.csv", 200 * MEGABYTE)
    terminal, inner = pty.openpty()
    # Whoever presses Ctrl-C is faster than the import, also where the machine is busy.
    command = ["nice", "-n", "19", sys.executable, "-m", "nas_core", "bench", "import", str(tmp_path / "large.csv")]
    process = subprocess.Popen(command, stderr=inner, stdin=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"})
    os.close(inner)
    shown = b""
    while b"large.csv" not in shown:
        shown += os.read(terminal, 4096)
    process.send_signal(signal.SIGINT)
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # Linux answers so when the other side has closed
        pass
    os.close(terminal)
    assert process.wait() == 130
    assert b"Traceback" not in shown
    assert not home.exists()


def test_a_failed_write_leaves_the_earlier_table(tmp_path, home):
    assert helm("import", write_csv(tmp_path / "t.csv")).returncode == 0
    before = (home / "bench" / "nb201" / "t.csv.gz").read_bytes()
    limited = f"ulimit -f 0; exec {sys.executable} -m nas_core bench import {write_csv(tmp_path / 't.csv', ARCHS[:9])}"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert [file.name for file in (home / "bench" / "nb201").iterdir()] == ["t.csv.gz"]
    assert (home / "bench" / "nb201" / "t.csv.gz").read_bytes() == before


@pytest.mark.long
def test_a_table_of_200_mb_is_imported_in_bounded_memory(tmp_path):
    write_large(tmp_path / "small.csv", MEGABYTE)
    write_large(tmp_path / "large.csv", 200 * MEGABYTE)
    script = "import sys\nfrom nas_core import bench\nprint(bench.import_results(sys.argv[1], 'nb201').to_dict())"
    idle = peak_memory_mb("from nas_core import bench, spaces; spaces.get('nb201')")
    small, large = (peak_memory_mb(script, tmp_path / f"{size}.csv") for size in ("small", "large"))
    print(f"\npeak memory: {idle:.0f} MB idle, {small:.0f} MB for 1 MB, {large:.0f} MB for 200 MB")
    assert large - idle < 150
    pd.testing.assert_frame_equal(bench.truth("nb201", "large"), bench.truth("nb201", "small"))


def test_a_terminal_shows_how_far_the_import_is(tmp_path):
    write_large(tmp_path / "large.csv", 30 * MEGABYTE)
    terminal, inner = pty.openpty()
    command = [sys.executable, "-m", "nas_core", "bench", "import", str(tmp_path / "large.csv")]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stderr=inner, stdin=subprocess.DEVNULL, env=environment)
    os.close(inner)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # Linux answers so when the other side has closed
        pass
    os.close(terminal)
    assert process.wait() == 0
    text = shown.decode()
    assert "import large.csv" in text
    assert len({share for share in range(1, 100) if f" {share}%" in text}) >= 3


def write_devices(path: Path) -> Path:
    rows = [f"{arch},{100 - k},{k}" for k, arch in enumerate(ARCHS)]
    path.write_text("\n".join(["arch,chip,edgegpu_energy", *rows]))
    return path


def test_tables_are_listed_with_kind_unit_and_rows_corrected_by_options_and_removed(tmp_path):
    source = write_devices(tmp_path / "hw.csv")
    done = helm("import", source, "--kind", "chip=latency", "--unit", "chip=ms", "--higher", "edgegpu_*")
    assert done.returncode == 0, done.stderr
    listed = {(row["table"], row["column"]): row for row in json.loads(helm("list", "nb201", "--json").stdout)}
    assert list(listed)[:3] == [("published", name) for name in ("cifar10", "cifar100", "imagenet16-120")]
    assert listed["hw", "chip"] == {
        "space": "nb201", "table": "hw", "column": "chip", "kind": "latency", "unit": "ms", "higher_is_better": False,
        "data_set": "", "rows": 30, "known": 30,
    }  # fmt: skip
    assert listed["hw", "edgegpu_energy"]["unit"] == "mJ" and listed["hw", "edgegpu_energy"]["higher_is_better"]
    assert "chip" in helm("list").stdout
    assert_one_line(helm("remove", "nb201", "hw"), "confirm with --yes")
    assert_one_line(helm("remove", "nb201", "published", "--yes"), "comes with the program")
    assert_one_line(helm("remove", "nb201", "gone", "--yes"), "no imported table 'gone'")
    assert helm("remove", "nb201", "hw", "--yes").returncode == 0
    assert [table.name for table in bench.tables("nb201")] == ["published"]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--kind", "chip=warmth"], "--kind chip=warmth: expected one of: validation accuracy, test accuracy"),
        (["--unit", "chip"], "--unit 'chip': expected COLUMN=VALUE"),
        (["--lower", "chap"], "direction of 'chap': the table has no such column"),
        (["--lower", "chip", "--higher", "chip"], "exclude each other"),
    ],
)
def test_corrections_that_mean_nothing_write_nothing(tmp_path, home, options, part):
    assert_one_line(helm("import", write_devices(tmp_path / "hw.csv"), *options), part)
    assert not home.exists()


def test_scores_are_correlated_with_any_column_of_any_table(tmp_path):
    assert helm("import", write_devices(tmp_path / "hw.csv"), "--kind", "chip=latency").returncode == 0
    frame = pd.DataFrame({"arch": ARCHS, "speed": range(len(ARCHS))})
    frame.to_csv(tmp_path / "scores.csv", index=False)
    correlate = ["correlate", tmp_path / "scores.csv", "--bootstrap", 0]

    def correlated(*options: str) -> dict:
        done = commands.run(*correlate, *options, "--json", timeout=120)
        assert done.returncode == 0, done.stderr
        rows = [row for row in json.loads(done.stdout) if row["score"] == "speed"]
        return {row["data_set"]: row for row in rows}

    found = correlated("--truth", "hw/chip,cifar100", "--truth", "hw/edgegpu_energy")
    assert list(found) == ["hw/chip", "cifar100", "hw/edgegpu_energy"]
    assert found["hw/chip"]["tau"]["value"] == 1.0  # the latency falls as the score grows
    assert found["hw/edgegpu_energy"]["tau"]["value"] == -1.0
    assert found["hw/chip"]["truth"]["kind"] == "latency" and not found["hw/chip"]["truth"]["higher_is_better"]
    assert list(correlated()) == ["cifar10", "cifar100", "imagenet16-120"]
    done = commands.run(*correlate, "--truth", "hw/chap", timeout=120)
    assert_one_line(done, "table 'hw' has no column 'chap'; expected one of: chip, edgegpu_energy")
