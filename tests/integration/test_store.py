"""The store: append-only log, cursor reads, leases and clear errors, on a real database."""

import math

import pytest

from nas_core.store import Store, StoreError


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def test_cursor_reads_return_only_what_is_new(store):
    run = store.create_run("nb201", {})
    first = store.append(run, "act", {"kind": "pin"})
    second = store.append(run, "act", {"kind": "prune"})
    assert [entry.id for entry in store.log(run)] == [first, second]
    assert [entry.body["kind"] for entry in store.log(run, after=first)] == ["prune"]


def test_a_candidate_keeps_its_first_scores(store):
    run = store.create_run("nb201", {})
    store.ask(run, [("a", "a"), ("b", "b")], {})
    store.tell(run, [(0, {"zico": 1.0}, {})])
    store.tell(run, [(0, {"zico": 2.0}, {}), (1, {"zico": math.nan}, {})])
    table = store.table(run)
    assert table["zico"].iloc[0] == 1.0
    assert math.isnan(table["zico"].iloc[1])
    assert store.pending(run) == []


def test_a_lease_is_exclusive_until_it_expires(store):
    run = store.create_run("nb201", {})
    store.command(run, "start")
    assert store.lease("one", seconds=60) == run
    assert store.lease("two") is None
    store.release(run, "one")
    assert store.lease("two") == run
    assert not store.beat(run, "one")


def test_two_runs_do_not_see_each_other(store):
    one, two = store.create_run("nb201", {}), store.create_run("nb201", {})
    store.append(one, "act", {"kind": "pin"})
    store.ask(one, [("a", "a")], {})
    assert store.log(two) == []
    assert store.pending(two) == []


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path):
    path = tmp_path / "broken.db"
    path.write_bytes(b"not a database at all" * 500)
    with pytest.raises(StoreError, match="no SQLite database") as error:
        Store(f"sqlite:///{path}")
    assert "\n" not in str(error.value)


def test_a_malformed_url_is_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot open store"):
        Store("nonsense")
