"""Importers read the structures of published benchmarks, keep tables true to them, and run nothing a file holds."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import math
import os
import pickle
import resource
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_core import bench, spaces
from nas_core.bench import _safe_pickle, importers
from nas_core.bench.importers import nats
from nas_core.bench.importers.suite_zero import cell
from nas_core.spaces import Decision, SearchSpace
from tests.published_results import (
    ARCHS,
    EVALUATIONS,
    SEEDS,
    SPACE,
    accuracy,
    naslib_key,
    nb201_content,
    write_csv,
    write_hardware,
    write_nats,
    write_nb201,
    write_suite_zero,
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Touch:
    """A hostile object: reading it back with the ordinary unpickler makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class Partial(Touch):
    def __reduce__(self):
        return functools.partial(os.system, f"touch {self.path}"), ()


class NumpyGadget(Touch):
    def __reduce__(self):
        from numpy.testing._private.utils import runstring

        return runstring, (f"import os; os.system('touch {self.path}')", {})


def _mean_accuracy(index: int, data_set: str, name: str, epochs: int) -> float:
    return float(np.mean([accuracy(index, data_set, name, epochs, seed) for seed in SEEDS]))


def _assert_trials(table: pd.DataFrame, indices: list[int], lengths: tuple[int, ...]) -> None:
    assert list(table.index) == [ARCHS[index] for index in indices]
    for data_set, names in EVALUATIONS.items():
        for epochs in lengths:
            for name in ("train", *names):
                expected = [_mean_accuracy(index, data_set, name, epochs) for index in indices]
                np.testing.assert_allclose(table[f"{data_set}/{name}/accuracy@{epochs}"], expected)
            assert (table[f"{data_set}/train/seconds@{epochs}"] == 2 * epochs).all()
            np.testing.assert_allclose(table[f"{data_set}/latency@{epochs}"], 0.02)
            np.testing.assert_allclose(table[f"{data_set}/flops@{epochs}"], [15.0 + index for index in indices])


def test_a_nats_folder_gives_the_last_epoch_mean_over_seeds(tmp_path):
    folder = write_nats(tmp_path / "NATS-tss-v1_0-3ffb9-simple")
    report = bench.import_results(folder, "nb201")
    assert (report.format, report.architectures, report.unknown) == ("nats", 20, 0)
    assert [table.name for table in bench.tables("nb201")] == ["published", "NATS-tss-v1_0-3ffb9-simple"]
    table = bench.truth("nb201", "NATS-tss-v1_0-3ffb9-simple")
    _assert_trials(table, [index for index in range(30) if index % 3 != 2], (12, 200))


class Widths(SearchSpace):
    """The size space of NATS-Bench: five widths joined by colons."""

    name = title = "widths"
    decisions = tuple(Decision(f"width {k}", tuple(map(str, range(8, 65, 8)))) for k in range(5))

    def parse(self, text):
        parts = text.split(":")
        if len(parts) != 5 or any(part not in self.decisions[0].choices for part in parts):
            raise ValueError(f"malformed widths {text!r}")
        return tuple(self.decisions[0].choices.index(part) for part in parts)

    def format(self, arch):
        return ":".join(self.decisions[0].choices[k] for k in arch)

    def canonical(self, arch):
        return arch

    def build(self, arch, *, image, classes, scale):
        raise NotImplementedError

    def graph(self, arch):
        raise NotImplementedError

    def encode(self, archs):
        return np.asarray(archs)


def test_a_nats_folder_of_sizes_serves_as_the_only_truth_of_its_space(tmp_path, own_members):
    spaces.register("widths")(Widths)
    archs = [f"{8 * k}:8:16:64:{8 * k}" for k in range(1, 7)]
    folder = write_nats(tmp_path / "NATS-sss-v1_0-50262-simple", archs, ("01", "12", "90"))
    assert bench.import_results(folder, "widths").architectures == 4
    table = bench.truth("widths")
    assert list(table.index) == [archs[index] for index in (0, 1, 3, 4)]
    assert {column.rpartition("@")[2] for column in table} == {"1", "12", "90"}
    bench.import_results(folder, "widths", name="again")
    assert [table.name for table in bench.tables("widths")] == ["NATS-sss-v1_0-50262-simple", "again"]
    pd.testing.assert_frame_equal(bench.truth("widths"), table)  # the first by name stays the default


def test_a_nats_file_of_another_architecture_is_refused(tmp_path):
    folder = write_nats(tmp_path / "simple")
    os.replace(folder / "000001.pickle.pbz2", folder / "000000.pickle.pbz2")
    with pytest.raises(ValueError, match=r"000000\.pickle\.pbz2 is of .* meta\.pickle\.pbz2 says"):
        bench.import_results(folder, "nb201")


@pytest.mark.parametrize("legacy", [True, False])
def test_a_pth_file_is_read_in_both_containers(tmp_path, legacy):
    path = write_nb201(tmp_path / "NAS-Bench-201-v1_1-096897.pth", legacy=legacy)
    report = bench.import_results(path, "nb201", name="trials")
    assert (report.format, report.architectures, report.not_finite) == ("nb201", 30, 0)
    _assert_trials(bench.truth("nb201", "trials"), list(range(30)), (12, 200))


def test_weights_in_a_pth_file_are_left_out(tmp_path):
    import torch

    content = nb201_content(ARCHS[:2])
    weights = OrderedDict(stem=torch.ones(3, 2), head=torch.arange(4))
    content["arch2infos"][0]["full"]["all_results"]["cifar10", 777]["net_state_dict"] = weights
    for legacy in (True, False):
        path = write_nb201(tmp_path / f"{legacy}.pth", legacy=legacy, content=content)
        bench.import_results(path, "nb201", name="weights")
        assert len(bench.truth("nb201", "weights")) == 2


def test_naslib_numbers_are_operations_and_edges_in_its_own_order(tmp_path):
    # Edge 0→1 is nor_conv_1x1, 0→2 skip, 0→3 none, 1→2 nor_conv_3x3, 1→3 pool, 2→3 none.
    text = "|nor_conv_1x1~0|+|skip_connect~0|nor_conv_3x3~1|+|none~0|avg_pool_3x3~1|none~2|"
    assert cell("(3, 0, 1, 2, 4, 1)") == text
    everything = [SPACE.format(arch) for arch in SPACE.architectures()]
    assert [cell(naslib_key(arch)) for arch in everything] == everything


def test_zero_cost_scores_keep_score_seconds_and_accuracy(tmp_path):
    path = write_suite_zero(tmp_path / "zc_nasbench201.json")
    report = bench.import_results(path, "nb201")
    assert (report.format, report.architectures, report.duplicates, report.not_finite) == ("suite-zero", 30, 0, 2)
    table = bench.truth("nb201", "zc_nasbench201")
    assert list(table.index) == ARCHS
    assert math.isnan(table["cifar10/synflow"].iloc[3])
    np.testing.assert_allclose(table["cifar10/jacov"], [-index for index in range(30)])
    assert (table["ImageNet16-120/synflow/seconds"] == 0.25).all()
    np.testing.assert_allclose(table["ImageNet16-120/val_accuracy"], [50 + index for index in range(30)])


def test_hardware_metrics_follow_the_configurations(tmp_path):
    path = write_hardware(tmp_path / "HW-NAS-Bench-v1_0.pickle", ARCHS[::-1])
    report = bench.import_results(path, "nb201")
    assert (report.format, report.architectures, len(report.columns)) == ("hw-nas-bench", 30, 9)
    table = bench.truth("nb201", "HW-NAS-Bench-v1_0").loc[ARCHS[::-1]]
    np.testing.assert_allclose(table["cifar100/edgegpu_latency"], [100 + index for index in range(30)])
    np.testing.assert_allclose(table["ImageNet16-120/eyeriss_energy"], np.arange(30) / 4)


@pytest.mark.parametrize("column", ["arch", "Architecture", "arch_str", "config"])
def test_the_column_of_architectures_is_guessed(tmp_path, column):
    report = bench.import_results(write_csv(tmp_path / "mine.csv", column=column), "nb201")
    assert (report.format, report.columns, report.skipped) == ("csv", ("accuracy",), ("note",))
    assert list(bench.truth("nb201", "mine").index) == ARCHS


def test_another_column_can_be_named(tmp_path):
    path = write_csv(tmp_path / "mine.csv", column="cell")
    with pytest.raises(ValueError, match="name one with --column, found: cell, accuracy, note"):
        bench.import_results(path, "nb201")
    assert bench.import_results(path, "nb201", column="cell").architectures == 30


def test_semicolons_tabs_packing_and_a_byte_order_mark_are_read(tmp_path):
    text = write_csv(tmp_path / "plain.csv").read_text()
    variants = {
        "semicolon.csv": text.replace(",", ";").encode(),
        "tab.tsv": text.replace(",", "\t").encode(),
        "windows.csv": text.replace("\n", "\r\n").encode("utf-8-sig"),
        "packed.csv.gz": gzip.compress(text.encode()),
        "packed.csv.bz2": bz2.compress(text.encode()),
        "unended.csv": text.rstrip("\n").encode(),
    }
    bench.import_results(tmp_path / "plain.csv", "nb201")
    for file, content in variants.items():
        (tmp_path / file).write_bytes(content)
        bench.import_results(tmp_path / file, "nb201", name="variant")
        pd.testing.assert_frame_equal(bench.truth("nb201", "variant"), bench.truth("nb201", "plain"))


@pytest.mark.parametrize("name", ["", "Unnamed: 0"], ids=["as written", "as read and written again"])
def test_the_row_numbers_that_pandas_writes_are_no_results(tmp_path, name):
    frame = pd.DataFrame({"arch": ARCHS, "accuracy": np.arange(30.0)}).rename_axis(name or None)
    frame.to_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().startswith(f"{name},arch,accuracy\n")
    report = bench.import_results(tmp_path / "t.csv", "nb201")
    assert (report.columns, report.skipped) == (("accuracy",), ())
    assert bench.truth("nb201", "t")["accuracy"].tolist() == list(range(30))


def test_columns_without_a_name_are_left_out_wherever_they_stand(tmp_path):
    rows = [f"{arch},1,7,2,8" for arch in ARCHS]
    (tmp_path / "t.csv").write_text("\n".join(["arch,a,,b,", *rows]))
    assert bench.import_results(tmp_path / "t.csv", "nb201").columns == ("a", "b")
    assert bench.truth("nb201", "t").iloc[0].tolist() == [1, 2]


def test_unknown_duplicated_and_infinite_rows_are_counted(tmp_path):
    text = f"arch,a,b\n{ARCHS[0]},1,5\nfoo,9,9\n{ARCHS[1]},inf,nan\n{ARCHS[0]},3,\nbar,9,9\n{ARCHS[2]},x,1\n"
    (tmp_path / "t.csv").write_text(text)
    report = bench.import_results(tmp_path / "t.csv", "nb201")
    assert (report.rows, report.architectures, report.unknown, report.first_unknown) == (6, 3, 2, "foo")
    assert (report.duplicates, report.not_finite) == (1, 4)
    table = bench.truth("nb201", "t")
    assert table.loc[ARCHS[0]].tolist() == [2, 5]
    assert table.loc[ARCHS[1]].isna().all()
    assert "2 unknown architectures left out, the first 'foo'; 1 duplicated rows averaged" in report.describe()


def test_a_file_without_a_known_architecture_is_refused(tmp_path, home):
    (tmp_path / "t.csv").write_text("arch,a\nfoo,1\nbar,2\n")
    with pytest.raises(ValueError, match="no architecture of nb201: none of its 2 architectures, such as 'foo'"):
        bench.import_results(tmp_path / "t.csv", "nb201")
    assert not home.exists()


def test_numbers_come_back_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).normal(size=30) * 10.0 ** np.arange(-15, 15)
    lines = [f"{arch},{value!r}" for arch, value in zip(ARCHS, values.tolist(), strict=True)]
    (tmp_path / "t.csv").write_text("arch,a\n" + "\n".join(lines))
    bench.import_results(tmp_path / "t.csv", "nb201")
    assert bench.truth("nb201", "t")["a"].tolist() == values.tolist()


def test_a_table_is_equal_however_it_is_cut_into_blocks(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    lines = [f"{ARCHS[k]},{rng.normal()}" for k in rng.integers(30, size=5000)]
    (tmp_path / "t.csv").write_text("arch,a\n" + "\n".join(lines))
    whole = pd.read_csv(tmp_path / "t.csv").groupby("arch", sort=False).mean()
    from nas_core.bench.importers import csv

    for size in (997, 4096, 2**22):
        monkeypatch.setattr(csv, "_PART", size)
        report = bench.import_results(tmp_path / "t.csv", "nb201")
        assert report.duplicates == 4970
        pd.testing.assert_frame_equal(bench.truth("nb201", "t"), whole, check_index_type=False)


def test_parquet_is_read_where_pyarrow_is_installed_and_said_where_not(tmp_path):
    frame = pd.DataFrame({"arch": ARCHS, "a": range(30), "note": ["x"] * 30})
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
        with pytest.raises(ValueError, match="needs the package pyarrow; install it with: pip install pyarrow"):
            bench.import_results(tmp_path / "t.parquet", "nb201")
        return
    frame.to_parquet(tmp_path / "t.parquet")
    report = bench.import_results(tmp_path / "t.parquet", "nb201")
    assert (report.format, report.columns, report.skipped) == ("parquet", ("a",), ("note",))
    assert bench.truth("nb201", "t")["a"].tolist() == list(range(30))


def test_every_format_is_recognised_by_its_contents_whatever_its_name(tmp_path):
    (tmp_path / "parquet").write_bytes(b"PAR1 and more")
    made = {
        "nats": write_nats(tmp_path / "folder"),
        "nb201": write_nb201(tmp_path / "a", ARCHS[:1]),
        "suite-zero": write_suite_zero(tmp_path / "b"),
        "hw-nas-bench": write_hardware(tmp_path / "c"),
        "csv": write_csv(tmp_path / "d"),
        "parquet": tmp_path / "parquet",
    }
    assert set(made) == set(importers.names())
    for name, path in made.items():
        assert [other for other in importers.names() if importers.get(other).recognises(path)] == [name]


@pytest.mark.parametrize("content", [b"", b"one line of prose\n", b"\x89PNG\r\n\x1a\n" + bytes(50), bytes(range(256))])
def test_a_file_in_no_known_format_is_refused(tmp_path, content):
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.bin is in no format that is known"):
        bench.import_results(tmp_path / "x.bin", "nb201")


def test_a_table_imported_anew_is_read_anew(tmp_path):
    write_csv(tmp_path / "t.csv")
    bench.import_results(tmp_path / "t.csv", "nb201")
    assert len(bench.truth("nb201", "t")) == 30
    write_csv(tmp_path / "t.csv", ARCHS[:5])
    bench.import_results(tmp_path / "t.csv", "nb201")
    assert len(bench.truth("nb201", "t")) == 5


# --- what columns are about ---------------------------------------------------------------------------------------


def about(table: str, space: str = "nb201") -> dict[str, tuple[str, str, bool, str]]:
    (found,) = [one for one in bench.tables(space) if one.name == table]
    return {c.name: (str(c.kind), c.unit, c.higher_is_better, c.data_set) for c in found.columns}


def test_importers_say_what_their_columns_are_about(tmp_path):
    bench.import_results(write_nats(tmp_path / "nats"), "nb201")
    found = about("nats")
    assert found["cifar10-valid/x-valid/accuracy@200"] == ("validation accuracy", "%", True, "cifar10-valid")
    assert found["cifar100/x-test/accuracy@12"] == ("test accuracy", "%", True, "cifar100")
    assert found["cifar10/train/accuracy@12"][0] == "training accuracy"
    assert found["cifar10/latency@12"] == ("latency", "s", False, "cifar10")
    assert found["cifar10/flops@12"] == ("flops", "M", False, "cifar10")
    assert found["cifar10/train/loss@12"][::2] == ("loss", False)
    assert found["cifar10/train/seconds@12"] == ("other", "s", False, "cifar10")
    bench.import_results(write_hardware(tmp_path / "hw.pickle"), "nb201")
    assert about("hw")["ImageNet16-120/edgegpu_latency"] == ("latency", "ms", False, "ImageNet16-120")
    assert about("hw")["cifar10/eyeriss_energy"] == ("energy", "mJ", False, "cifar10")
    bench.import_results(write_suite_zero(tmp_path / "zc.json"), "nb201")
    assert about("zc")["cifar10/val_accuracy"] == ("validation accuracy", "%", True, "cifar10")
    assert about("zc")["cifar10/synflow"] == ("other", "", True, "cifar10")
    assert about("zc")["cifar10/synflow/seconds"] == ("other", "s", False, "cifar10")


@pytest.mark.parametrize(
    ("name", "kind", "unit", "higher", "data_set"),
    [
        ("val_acc", "validation accuracy", "%", True, ""),
        ("cifar100_test_accuracy", "test accuracy", "%", True, "cifar100"),
        ("train-top1", "training accuracy", "%", True, ""),
        ("imagenet_top1", "validation accuracy", "%", True, "imagenet"),
        ("raspi4_latency", "latency", "ms", False, ""),
        ("edgegpu_energy", "energy", "mJ", False, ""),
        ("latency_ms_zcu102", "latency", "ms", False, ""),
        ("some_latency", "latency", "", False, ""),
        ("images_per_s_a100", "throughput", "images/s", True, ""),
        ("recorded_macs_M", "flops", "M", False, ""),
        ("params_M", "parameters", "M", False, ""),
        ("area_mm2", "area", "mm²", False, ""),
        ("peak_memory_mb", "memory", "MB", False, ""),
        ("train_seconds", "other", "s", False, ""),
        ("valid_loss", "loss", "", False, ""),
        ("goodness", "other", "", True, ""),
    ],
)
def test_a_column_of_a_csv_is_told_by_its_name(tmp_path, name, kind, unit, higher, data_set):
    rows = [f"{arch},{60 + k}" for k, arch in enumerate(ARCHS)]
    (tmp_path / "t.csv").write_text("\n".join([f"arch,{name}", *rows]))
    bench.import_results(tmp_path / "t.csv", "nb201")
    assert about("t") == {name: (kind, unit, higher, data_set)}


def test_accuracies_that_are_shares_are_not_called_percent(tmp_path):
    (tmp_path / "t.csv").write_text(
        "\n".join(["arch,accuracy", *(f"{arch},0.{k + 10}" for k, arch in enumerate(ARCHS))])
    )
    bench.import_results(tmp_path / "t.csv", "nb201")
    assert about("t")["accuracy"][1] == ""


def test_what_a_user_knows_better_is_kept_and_a_stray_correction_refused(tmp_path):
    rows = [f"{arch},{k},{k},{k}" for k, arch in enumerate(ARCHS)]
    (tmp_path / "t.csv").write_text("\n".join(["arch,chip_a,chip_b,rank", *rows]))
    given = bench.Corrections({"chip_*": bench.Kind.AREA}, {"chip_a": "mm²"}, {"chip_b": True, "rank": False})
    bench.import_results(tmp_path / "t.csv", "nb201", corrections=given)
    assert about("t") == {
        "chip_a": ("area", "mm²", False, ""),
        "chip_b": ("area", "", True, ""),
        "rank": ("other", "", False, ""),
    }
    with pytest.raises(ValueError, match=r"unit of 'chip_c': the table has no such column; expected one of: chip_a"):
        bench.import_results(tmp_path / "t.csv", "nb201", corrections=bench.Corrections(units={"chip_c": "mm²"}))


def test_a_table_of_before_opens_and_its_columns_are_told_by_their_names(home):
    path = home / "bench" / "nb201" / "old.csv.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt") as file:
        file.write(
            "\n".join(["arch,test_accuracy,pixel3_latency", *(f"{arch},90.5,{k}" for k, arch in enumerate(ARCHS))])
        )
    assert about("old") == {
        "test_accuracy": ("test accuracy", "%", True, ""),
        "pixel3_latency": ("latency", "ms", False, ""),
    }
    assert bench.column("nb201", "old/pixel3_latency")[ARCHS[4]] == 4


def test_our_own_table_can_be_imported_elsewhere_with_what_is_known_of_its_columns(tmp_path, home):
    write_csv(tmp_path / "t.csv")
    bench.import_results(
        tmp_path / "t.csv", "nb201", corrections=bench.Corrections({"accuracy": bench.Kind.MEMORY}, {"accuracy": "MB"})
    )
    bench.import_results(home / "bench" / "nb201" / "t.csv.gz", "nb201", name="again")
    assert about("again") == about("t") == {"accuracy": ("memory", "MB", False, "")}
    pd.testing.assert_frame_equal(bench.truth("nb201", "again"), bench.truth("nb201", "t"))


def test_a_damaged_table_is_listed_with_its_problem_and_hides_no_other(tmp_path, home):
    bench.import_results(write_csv(tmp_path / "good.csv"), "nb201")
    (home / "bench" / "nb201" / "bad.csv.gz").write_bytes(b"\x1f\x8bnothing")
    found = {table.name: table for table in bench.tables("nb201")}
    assert list(found) == ["published", "bad", "good"]
    assert "is damaged" in found["bad"].problem and not found["bad"].columns
    assert "good/accuracy" in bench.choices("nb201")


class Blocks(Widths):
    """Two blocks as in Accel-NASBench: expansion, kernel, layers and squeeze-and-excitation of each."""

    name = title = "blocks"
    decisions = tuple(
        Decision(f"block{b} {what}", choices)
        for b in range(2)
        for what, choices in (("e", ("1", "4", "6")), ("k", ("3", "5")), ("l", ("1", "2", "3")), ("se", ("0", "1")))
    )

    def parse(self, text):
        raise ValueError("no notation is needed")

    def format(self, arch):
        return " ".join(d.choices[k] for d, k in zip(self.decisions, arch, strict=True))


def test_a_table_with_a_column_for_every_decision_is_imported(tmp_path, own_members):
    """An excerpt in the form of Accel-NASBench, with an empty cell and a row of another space."""
    spaces.register("blocks")(Blocks)
    heads = [f"block{b}_{what}" for b in range(2) for what in ("e", "k", "l", "se")]
    lines = [
        [*heads, "imagenet_top1", "params_M", "latency_ms_zcu102", "images_per_s_a100"],
        ["1", "3", "1", "0", "4", "5", "3", "1", "52.606", "3.8963", "2.335", "29733.59"],
        ["6", "5", "2", "1", "1", "3.0", "1", "0", "58.18", "3.6497", "", "21192.41"],
        ["2", "3", "1", "0", "4", "5", "3", "1", "50.0", "3.0", "2.0", "20000.0"],
    ]
    (tmp_path / "accel.csv").write_text("\n".join(",".join(line) for line in lines))
    report = bench.import_results(tmp_path / "accel.csv", "blocks")
    assert (report.architectures, report.unknown, report.first_unknown) == (2, 1, "2,3,1,0,4,5,3,1")
    table = bench.truth("blocks")
    assert list(table.index) == ["1 3 1 0 4 5 3 1", "6 5 2 1 1 3 1 0"]
    assert list(table) == ["imagenet_top1", "params_M", "latency_ms_zcu102", "images_per_s_a100"]
    assert table["latency_ms_zcu102"].isna().tolist() == [False, True]
    assert about("accel", "blocks")["images_per_s_a100"] == ("throughput", "images/s", True, "")
    with pytest.raises(ValueError, match="the decisions of the space are no columns of it; name one with --column"):
        bench.import_results(tmp_path / "accel.csv", "nb201")


def test_device_tables_import_where_they_are_at_hand(tmp_path):
    folder = os.environ.get("SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")
    source = Path(folder) / "nb201_hardware_cifar10.csv.gz"
    if not source.exists():
        pytest.skip("the table is not here")
    assert bench.import_results(source, "nb201", name="hw").architectures == 15_625
    assert {kind for kind, _, higher, _ in about("hw").values() if not higher} == {"latency", "energy"}
    assert next(iter(bench.choices("nb201"))) == "published/cifar10"


def test_an_imported_table_does_not_replace_the_published_truth(tmp_path):
    source = write_csv(tmp_path / "t.csv")
    bench.import_results(source, "nb201")
    assert list(bench.truth("nb201").columns) == ["cifar10", "cifar100", "imagenet16-120"]
    with pytest.raises(ValueError, match="'published' is that of the published results"):
        bench.import_results(source, "nb201", name="published")


@pytest.mark.parametrize("name", ["../outside", "/etc/x", "", "a/b", ".hidden", "x" * 200])
def test_a_name_cannot_leave_the_folder(tmp_path, name):
    write_csv(tmp_path / "t.csv")
    if name:
        with pytest.raises(ValueError, match="is no name of a table"):
            bench.import_results(tmp_path / "t.csv", "nb201", name=name)
    with pytest.raises(ValueError, match=r"is no name of a table|no column"):
        bench.truth("nb201", name)


def test_a_table_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(ValueError, match=r"no imported table 'x' for space 'nb201'.*none yet"):
        bench.truth("nb201", "x")
    bench.import_results(write_csv(tmp_path / "t.csv"), "nb201")
    with pytest.raises(ValueError, match="expected one of: t"):
        bench.truth("nb201", "x")


# --- what is never run -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Touch, Partial, NumpyGadget])
@pytest.mark.parametrize("protocol", range(6))
def test_a_hostile_pickle_is_refused_by_name_and_runs_nothing(tmp_path, kind, protocol):
    mark = tmp_path / "ran"
    content = pickle.dumps({"nasbench201": [1, kind(mark)]}, protocol=protocol)
    name = {Touch: r"\w+\.system", Partial: r"functools\.partial", NumpyGadget: r"numpy.*\.runstring"}[kind]
    with pytest.raises(_safe_pickle.RefusedPickle, match=f"asks for {name}, .*nothing was run"):
        _safe_pickle.load(io.BytesIO(content))
    assert not mark.exists()
    if kind is Touch:
        pickle.loads(content)
        assert mark.exists()  # the ordinary unpickler runs it: the file is hostile indeed


def test_hostile_files_of_every_pickled_format_run_nothing(tmp_path, home):
    mark = tmp_path / "ran"
    hidden = OrderedDict(a=[defaultdict(list, b=Touch(mark))])
    (tmp_path / "hw.pickle").write_bytes(pickle.dumps({"nasbench201": hidden}))
    write_nb201(tmp_path / "legacy.pth", content={"meta_archs": [Touch(mark)]})
    write_nb201(tmp_path / "zip.pth", content={"meta_archs": [Touch(mark)]}, legacy=False)
    meta, member = write_nats(tmp_path / "meta"), write_nats(tmp_path / "member")
    (meta / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(hidden)))
    (member / "000003.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"12": hidden})))
    for path in (tmp_path / "hw.pickle", tmp_path / "legacy.pth", tmp_path / "zip.pth", meta, member):
        with pytest.raises(ValueError, match=r"\w+\.system, which is never loaded from a file; nothing was run"):
            bench.import_results(path, "nb201")
    assert not mark.exists()
    assert not home.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cbuiltins\ngetattr\n.",
        b"c__builtin__\nexec\n.",
        b"cbuiltins\nstr\n.",
        b"cbuiltins\nbytearray\n(I99\ntR.",
        b"cbuiltins\nbytes\n(I99\ntR.",
        b"cnumpy\nload\n.",
        b"cnumpy.f2py.capi_maps\nload_f2cmap_file\n.",
        b"ccopyreg\n_reconstructor\n.",
        b"c_codecs\ndecode\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"(S'x'\nios\nsystem\n.",
        b"c_codecs\nencode\n(Vx\nVrot13\ntR.",
        b"ccollections\ndefaultdict\n(cnumpy\ndtype\ntR.",
        b"cnumpy\ndtype\n(S'O8'\ntR.",
        b"cnumpy\ndtype\n(S'V999999999'\ntR.",
    ],
)
def test_no_other_global_is_reached(content):
    with pytest.raises(_safe_pickle.RefusedPickle):
        _safe_pickle.load(io.BytesIO(content))


@pytest.mark.parametrize(
    "content",
    [
        # BUILD on the stand-in for collections.defaultdict: its attributes, and by slots.
        b"\x80\x02ccollections\ndefaultdict\n}U\x09_functionK\x01sb.",
        b"\x80\x02ccollections\ndefaultdict\nN}U\x09_functioncbuiltins\nlist\ns\x86b.",
        b"\x80\x02cbuiltins\nlist\n}U\x01xK\x01sb.",
        b"\x80\x02ccollections\nOrderedDict\nN}U\x05itemsK\x01s\x86b.",
    ],
)
def test_a_pickle_cannot_change_the_reader(content):
    with pytest.raises(ValueError):
        _safe_pickle.load(io.BytesIO(content))
    table = defaultdict(list, a=[1])
    assert _safe_pickle.load(io.BytesIO(pickle.dumps(table))) == table


def test_arrays_of_objects_are_refused():
    array = np.array([{"a": 1}, None], dtype=object)
    for protocol in range(2, 6):
        with pytest.raises(_safe_pickle.RefusedPickle):
            _safe_pickle.load(io.BytesIO(pickle.dumps(array, protocol=protocol)))


@pytest.mark.parametrize("protocol", range(6))
def test_plain_results_come_back_as_they_were(protocol):
    content = {
        "numbers": [1, 2.5, True, None, -3, 2**80],
        "nested": OrderedDict([("b", {1, 2}), ("a", (frozenset({3}), b"raw"))]),
        "default": defaultdict(list, x=[1]),
        "scalars": [np.float32(0.5), np.float64(1.5), np.int64(-7), np.bool_(True)],
    }
    arrays = [
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.asfortranarray(np.linspace(0, 1, 6).reshape(3, 2)),
        np.array([1.0, np.nan], dtype=">f8"),
        np.zeros((0, 3)),
    ]
    found = _safe_pickle.load(io.BytesIO(pickle.dumps({**content, "arrays": arrays}, protocol=protocol)))
    read = found.pop("arrays")
    assert found == content
    for before, after in zip(arrays, read, strict=True):
        assert (after.dtype.kind, after.dtype.itemsize) == (before.dtype.kind, before.dtype.itemsize)
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("cut", [0, 1, 10, 200, -1])
def test_a_torn_pickle_is_said_to_be_unreadable(tmp_path, cut):
    content = write_hardware(tmp_path / "hw.pickle").read_bytes()[:cut]
    with pytest.raises(ValueError, match="no readable pickle"):
        _safe_pickle.load(io.BytesIO(content))


def test_a_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(nats, "FILE_LIMIT", 2**20)
    folder = write_nats(tmp_path / "bomb")
    bomb = b"\x80\x04]" + b"K\x01a" * 2_000_000 + b"."
    (folder / "000000.pickle.pbz2").write_bytes(bz2.compress(bomb))
    assert (folder / "000000.pickle.pbz2").stat().st_size < 10_000
    with pytest.raises(ValueError, match=r"000000\.pickle\.pbz2: it holds more than 1,048,576 bytes"):
        bench.import_results(folder, "nb201")


def test_a_pickle_that_asks_for_memory_without_end_is_refused(tmp_path):
    # LONG_BINPUT: remember None at place 2**29, which makes the reader lay out a list of 8 GB.
    (tmp_path / "hw.pickle").write_bytes(b"\x80\x02Nr\x00\x00\x00\x20.")
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(ValueError, match="it asks for more memory than the 4,294,967,296 bytes allowed"):
        bench.import_results(tmp_path / "hw.pickle", "nb201")
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 6 * 2**20  # kilobytes


def test_a_pth_file_too_large_for_the_memory_is_refused_before_it_is_read(tmp_path):
    path = write_nb201(tmp_path / "NAS-Bench-201.pth", ARCHS[:1])
    with path.open("r+b") as file:
        file.truncate(2**40)  # sparse: it takes no space
    with pytest.raises(ValueError, match=r"takes about 7697 GB of memory and \d+ GB are free; a folder NATS-tss"):
        bench.import_results(path, "nb201")


def test_a_line_without_end_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(f"arch,a\n{ARCHS[0]},1\n".encode() + b"x" * 9_000_000)
    with pytest.raises(ValueError, match=r"a line of it has more than 4,194,304 bytes"):
        bench.import_results(tmp_path / "t.csv", "nb201")


def _bad_nats(path: Path) -> Path:
    (write_nats(path) / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"12": {"all_results": 3}})))
    return path


def _json(content: object):
    def write(path: Path) -> Path:
        path.write_text(json.dumps(content))
        return path

    return write


def _bytes(content: bytes):
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def _zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"nothing")
    return path


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (_bad_nats, "read as nats: 000000.pickle.pbz2: an architecture has no dictionary 'all_results'"),
        (_json({"cifar10": [1]}), "read as suite-zero: 'cifar10' is no dictionary of architectures; expected"),
        (_json({"cifar10": {"(1)": 3}}), "read as suite-zero: 'cifar10' is no dictionary of architectures; expected"),
        (_bytes(b'{"cifar10": {'), "read as suite-zero: Expecting property name"),
        (_bytes(pickle.dumps([1, 2])), "read as hw-nas-bench: it has no dictionary 'nasbench201'"),
        (_bytes(pickle.dumps({"nasbench201": {"c": {"x": [1]}}})), "data set 'c' has no list 'config'"),
        (_bytes(pickle.dumps({"nasbench201": {"c": {"config": [1], "x": [1, 2]}}})), "'x' has 2 values for 1"),
        (_zip, "read as nb201: it is no readable pickle"),
        (_bytes(b"arch,a\nfoo,1,2\n"), "read as csv: a row from line 2 on has more fields than the header"),
        (_bytes(b"arch,a\nfoo,1\nfoo,2,3,4\n"), "read as csv: Expected 2 fields in line 3, saw 4"),
        (_bytes(b"arch,a,a\nfoo,1,2\n"), "read as csv: it names column 'a' twice"),
        (_bytes(b"arch,a\nfoo,bar\n"), "read as csv: it has no column of numbers beside 'arch'"),
        (_bytes(b"arch,a\n"), "has no architecture of nb201: it has no rows"),
        (_bytes(b"arch,a\nfoo,1\n\xff\xfe,2\n" + bytes(5000)), "is in no format"),
        (_bytes(b"arch,a\n" + b"foo,1\n" * 2000 + b"\xff\xfe,2\n"), "read as csv: it is no UTF-8 text"),
    ],
)
def test_damaged_files_are_refused_with_the_reason(tmp_path, home, write, reason):
    with pytest.raises(ValueError) as refusal:
        bench.import_results(write(tmp_path / "input"), "nb201")
    assert reason in str(refusal.value)
    assert str(tmp_path / "input") in str(refusal.value)
    assert not home.exists()
