"""Block fitness and the preview of a prune, held against counts and sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from app.preview import preview
from nas_core import spaces
from nas_core.predict import PRIOR_WEIGHT, block_fitness
from nas_core.spaces import Act, Decision, Steering

DECISIONS = (Decision("first", ("a", "b")),)


def fitness_of(archs, values):
    table = block_fitness(DECISIONS, np.array(archs), np.array(values, dtype=float))
    return table.set_index("choice")


def test_fitness_is_the_mean_rank_shrunk_to_the_overall_mean():
    table = fitness_of([[0], [0], [1], [1], [1]], [10, 20, 30, 40, 50])
    assert table.loc[0, "fitness"] == pytest.approx((0 + 0.25 + PRIOR_WEIGHT * 0.5) / (2 + PRIOR_WEIGHT))
    assert table.loc[1, "fitness"] == pytest.approx((0.5 + 0.75 + 1 + PRIOR_WEIGHT * 0.5) / (3 + PRIOR_WEIGHT))
    assert list(table["n"]) == [2, 3]


def test_fitness_depends_on_ranks_only():
    archs = [[0], [1], [0], [1]]
    assert fitness_of(archs, [1, 2, 3, 4])["fitness"].equals(fitness_of(archs, [1, 10, 100, 1e6])["fitness"])


def test_an_undefined_score_ranks_lowest():
    table = fitness_of([[0], [1]], [np.nan, -100])
    assert table.loc[0, "fitness"] < table.loc[1, "fitness"]


def test_a_block_without_support_has_the_mean_and_the_widest_interval():
    table = fitness_of([[0], [0]], [1, 2])
    assert (table.loc[1, "n"], table.loc[1, "fitness"]) == (0, 0.5)
    assert (table.loc[1, "low"], table.loc[1, "high"]) == (0, 1)


def test_an_interval_holds_its_fitness_and_narrows_with_support():
    rng = np.random.default_rng(3)

    def width(n):
        table = fitness_of(rng.integers(2, size=(n, 1)), rng.normal(size=n))
        assert ((table["low"] <= table["fitness"]) & (table["fitness"] <= table["high"])).all()
        return (table["high"] - table["low"]).max()

    assert width(2000) < width(40)


def blocks_held(n: int, copies: int, sets: int) -> tuple[float, float]:
    """How often the mean rank of a block over very many candidates lies in its interval, and the mean width; every
    network has so many isomorphic candidates, which differ in the last decision."""
    decisions = tuple(Decision(f"d{k}", ("a", "b", "c")) for k in range(3))
    rng = np.random.default_rng(n + copies)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        networks = np.repeat(np.arange(-(-count // copies)), copies)[:count]
        archs = rng.choice(3, size=(networks.max() + 1, 3), p=[0.6, 0.3, 0.1])[networks]
        archs[:, 2] = rng.integers(3, size=count)
        values = (0.6 * archs[:, 0] - 0.3 * archs[:, 1] + rng.normal(size=networks.max() + 1)[networks]) ** 3
        return archs, values, networks

    archs, values, _ = drawn(60_000)
    aim = block_fitness(decisions, archs, values)["fitness"].to_numpy()
    inside, widths = [], []
    for _ in range(sets):
        archs, values, networks = drawn(n)
        found = block_fitness(decisions, archs, values, networks=networks)
        seen = found["n"].to_numpy() > 0
        inside += list(((found["low"] <= aim) & (aim <= found["high"])).to_numpy()[seen])
        widths += list((found["high"] - found["low"]).to_numpy()[seen])
    return float(np.mean(inside)), float(np.mean(widths))


@pytest.mark.parametrize("copies", [1, 5])
@pytest.mark.parametrize("n", [20, 60, 300])
def test_the_interval_of_a_block_holds_its_mean_rank(n, copies):
    share, width = blocks_held(n, copies, 200)
    print(f"\n{n} candidates, {copies} of a network: {share:.3f} (width {width:.3f})")
    assert share >= 0.90  # more where a block is in few networks
    assert n < 300 or width < 0.4


def test_nothing_scored_gives_every_block_the_same_fitness():
    space = spaces.get("nb201")
    table = block_fitness(space.decisions, np.zeros((0, 6), dtype=int), np.zeros(0))
    assert len(table) == 30
    assert set(table["fitness"]) == {0.5}
    assert set(table["n"]) == {0}


def seen(scored, values, act=None):
    space = spaces.get("nb201")
    archs = np.array(list(space.architectures()))
    free = Steering.free(space)
    after = free.extended(space, act or Act("prune", "edge 0→1", ("none",)))
    return archs, preview(free, after, archs, np.array(scored, dtype=int), np.array(values, dtype=float))


def test_preview_counts_what_a_prune_removes():
    archs, found = seen([], [])
    assert (found.removed, found.share) == (3125, pytest.approx(0.2))
    assert np.array_equal(found.mask, archs[:, 0] == 0)
    assert found.sentence() == "removes 3,125 architectures (20%)"


def test_preview_counts_the_top_twenty_that_would_go():
    archs, _ = seen([], [])
    gone, kept = np.flatnonzero(archs[:, 0] == 0)[:7], np.flatnonzero(archs[:, 0] != 0)[:40]
    _, found = seen([*gone, *kept], [*range(100, 107), *range(40)])
    assert (found.top, found.top_of) == (7, 20)


@pytest.mark.parametrize(("best_goes", "chance"), [(True, "high"), (False, "low")])
def test_the_chance_of_losing_the_best_follows_the_best(best_goes, chance):
    archs, _ = seen([], [])
    gone, kept = np.flatnonzero(archs[:, 0] == 0)[:20], np.flatnonzero(archs[:, 0] != 0)[:20]
    first, second = (gone, kept) if best_goes else (kept, gone)
    _, found = seen([*first, *second], [*range(40, 20, -1), *range(20, 0, -1)])
    assert found.best_lost == pytest.approx(1.0 if chance == "high" else 0.0, abs=1e-6)
    words = "over 99%" if chance == "high" else "under 1%"
    assert found.sentence().endswith(f"{words} chance that the best of the 40 scored is among them")


def test_the_chance_is_the_share_of_resamples_whose_best_goes():
    archs, _ = seen([], [])
    gone, kept = np.flatnonzero(archs[:, 0] == 0)[:1], np.flatnonzero(archs[:, 0] != 0)[:99]
    _, found = seen([*gone, *kept], range(100, 0, -1))
    assert found.best_lost == pytest.approx(1 - (1 - 1 / 100) ** 100)
