"""Watched networks in the store: names, films of a bounded size, what is refused, deletion, and stores of before."""

from __future__ import annotations

import itertools
import math
import sqlite3

import pytest

from nas_core.store import MOST_LAYERS, MOST_SNAPSHOTS, Snapshot, Store, StoreError, Structure
from nas_core.store import _networks as records
from tests.runs import make_run

STRUCTURE = Structure(
    [
        {"name": "", "kind": "Net", "weights": 0, "called": 0},
        {"name": "fc", "kind": "Linear", "weights": 6, "called": 1},
    ],
    {"zico": [{"layer": "fc", "kind": "Linear", "shape": "2x3", "weights": 6}]},
)


def snapshot(step, value=1.0):
    return Snapshot(step, {"zico": value, "naswot": math.nan}, {"zico": {"term": [value]}}, {"naswot": "no ReLU"})


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def test_a_network_and_its_snapshots_come_back_as_they_were(store):
    row = store.add_network(" mine ", {"inputs": [[4, 3]]}, STRUCTURE, snapshot(0))
    assert store.add_snapshot(row.id, snapshot(10, 0.1 + 0.2)) == 2
    assert store.add_snapshot(row.id, Snapshot(20, {"zico": math.inf}, {"zico": {"term": [math.nan]}})) == 3
    (found,) = store.networks()
    assert (found.name, found.taken, found.step, found.about) == ("mine", 3, 20, {"inputs": [[4, 3]]})
    assert store.structure(row.id) == STRUCTURE
    first, second, third = store.snapshots(row.id)
    assert (first.step, first.number, first.values["zico"], first.reasons) == (0, 1, 1.0, {"naswot": "no ReLU"})
    assert math.isnan(first.values["naswot"]) and first.time > 0
    assert second.values["zico"] == 0.1 + 0.2 and second.layers == {"zico": {"term": [0.3]}}
    assert math.isnan(third.values["zico"]) and math.isnan(third.layers["zico"]["term"][0])
    assert [one.number for one in store.snapshots(row.id, after=2)] == [3]
    assert store.check() == [] and (store.info().networks, store.info().snapshots) == (1, 3)


def test_a_taken_name_gets_a_number(store):
    names = [store.add_network("mine", {}, STRUCTURE, snapshot(0)).name for _ in range(3)]
    assert names == ["mine", "mine 2", "mine 3"]


def test_a_full_film_keeps_its_ends_and_stays_spread_over_the_training(store, monkeypatch):
    monkeypatch.setattr(records, "MOST_SNAPSHOTS", 16)
    assert MOST_SNAPSHOTS > 16
    row = store.add_network("long", {}, STRUCTURE, snapshot(0))
    for step in range(1, 100):
        store.add_snapshot(row.id, snapshot(step))
        assert len(store.snapshots(row.id)) <= 16
    steps = [one.step for one in store.snapshots(row.id)]
    assert steps[0] == 0 and steps[-1] == 99
    gaps = [after - before for before, after in itertools.pairwise(steps)]
    assert len(steps) >= 12 and max(gaps) <= 2 * 99 / 12
    assert store.check() == []


def test_what_differs_is_told_to_polls(store):
    seen = [store.watched()]
    row = store.add_network("mine", {}, STRUCTURE, snapshot(0))
    seen.append(store.watched())
    store.add_snapshot(row.id, snapshot(1))
    seen.append(store.watched())
    assert store.watched() == seen[-1]
    store.delete_network(row.id)
    seen.append(store.watched())
    assert len({*seen[:3]}) == 3 and seen[3] == seen[0]


def test_a_deleted_network_takes_its_snapshots_along_and_leaves_runs(store):
    run = make_run(store, "nb201", {"budget": 5})
    gone, stays = (store.add_network(name, {}, STRUCTURE, snapshot(0)) for name in ("gone", "stays"))
    store.delete_network(gone.id)
    assert [row.id for row in store.networks()] == [stays.id] and store.snapshots(gone.id) == []
    assert [row.id for row in store.runs()] == [run] and store.info().snapshots == 1
    for ask in (store.delete_network, store.structure, lambda one: store.add_snapshot(one, snapshot(1))):
        with pytest.raises(StoreError, match=f"unknown network '{gone.id}'"):
            ask(gone.id)


def test_what_is_too_large_or_does_not_fit_is_refused(store):
    row = store.add_network("mine", {}, STRUCTURE, snapshot(0))
    with pytest.raises(ValueError, match="term of zico has 2 layers, expected 1"):
        store.add_snapshot(row.id, Snapshot(1, {}, {"zico": {"term": [1.0, 2.0]}}))
    many = [STRUCTURE.modules[0]] * (MOST_LAYERS + 1)
    with pytest.raises(ValueError, match="modules: got 2,001, expected at most 2,000"):
        store.add_network("large", {}, Structure(many, {}), snapshot(0))
    for name in ("", "  ", "x" * 121):
        with pytest.raises(ValueError, match=r"name: got \d+ letters, expected 1 to 120"):
            store.add_network(name, {}, STRUCTURE, snapshot(0))
    assert [one.step for one in store.snapshots(row.id)] == [0] and len(store.networks()) == 1


def test_a_counter_that_says_other_than_its_rows_is_told(store):
    row = store.add_network("mine", {}, STRUCTURE, snapshot(0))
    connection = sqlite3.connect(store.path)
    connection.execute("UPDATE networks SET taken = 4")
    connection.commit()
    connection.close()
    assert store.check() == [f"network {row.id}: its counter of snapshots says 4, its last one is 1"]


def test_a_store_of_before_gets_the_new_tables_and_keeps_what_it_held(tmp_path):
    path = tmp_path / "store.db"
    before = Store(f"sqlite:///{path}")
    run = make_run(before, "nb201", {"budget": 5}, "of before")
    before.close()
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE snapshots; DROP TABLE networks;")
    connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.commit()
    connection.close()
    store = Store(f"sqlite:///{path}")
    assert [(row.id, row.name) for row in store.runs()] == [(run, "of before")]
    assert store.networks() == [] and store.info().version == "0003"
    row = store.add_network("mine", {}, STRUCTURE, snapshot(0))
    assert store.snapshots(row.id)[0].step == 0 and store.check() == []
    store.close()
    copy = sqlite3.connect(path.with_name("store.db.before-0003"))
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
    copy.close()
