"""The store: append-only log, cursor reads, leases and clear errors, on a real database."""

import math
import sqlite3
import subprocess
import sys
import threading

import pytest

from nas_core.store import LogMoved, Store, StoreError
from tests.runs import make_run


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def test_cursor_reads_return_only_what_is_new(store):
    run = make_run(store, "nb201", {})
    first = store.append(run, "act", {"kind": "pin"})
    second = store.append(run, "act", {"kind": "prune"})
    assert [entry.id for entry in store.log(run)] == [first, second]
    assert [entry.body["kind"] for entry in store.log(run, after=first)] == ["prune"]


def test_a_candidate_keeps_its_first_scores(store):
    run = make_run(store, "nb201", {})
    store.ask(run, [("a", "a"), ("b", "b")], {})
    store.tell(run, [(0, {"zico": 1.0}, {})])
    store.tell(run, [(0, {"zico": 2.0}, {}), (1, {"zico": math.nan}, {})])
    table = store.table(run)
    assert table["zico"].iloc[0] == 1.0
    assert math.isnan(table["zico"].iloc[1])
    assert store.pending(run) == []


def test_a_lease_is_exclusive_until_it_expires(store):
    run = make_run(store, "nb201", {})
    store.command(run, "start")
    assert store.lease("one", seconds=60) == run
    assert store.lease("two") is None
    store.release(run, "one")
    assert store.lease("two") == run
    assert not store.beat(run, "one")


def test_two_runs_do_not_see_each_other(store):
    one, two = make_run(store, "nb201", {}), make_run(store, "nb201", {})
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


def test_an_append_that_saw_an_older_log_writes_nothing(store):
    run = make_run(store, "nb201", {})
    store.append(run, "act", {"kind": "pin"}, seen=0)
    with pytest.raises(LogMoved):
        store.append(run, "act", {"kind": "prune"}, seen=0)
    store.append(run, "event", {"state": "running"})
    store.append(run, "act", {"kind": "prune"}, seen=1)
    assert [entry.body["kind"] for entry in store.log(run, kind="act")] == ["pin", "prune"]


def test_of_many_writers_that_saw_the_same_log_one_wins(store):
    run = make_run(store, "nb201", {})
    outcomes = []

    def write(number):
        try:
            store.append(run, "act", {"number": number}, seen=0)
            outcomes.append("written")
        except LogMoved:
            outcomes.append("moved")

    threads = [threading.Thread(target=write, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["moved"] * 7 + ["written"]
    assert len(store.log(run, kind="act")) == 1


def test_a_locked_database_is_named_with_what_to_do(store, tmp_path):
    run = make_run(store, "nb201", {})
    holder = sqlite3.connect(tmp_path / "store.db")
    holder.execute("BEGIN EXCLUSIVE")
    impatient = Store(f"sqlite:///{tmp_path / 'store.db'}", busy_seconds=0.1)
    try:
        with pytest.raises(StoreError, match="close that program or choose another --store") as error:
            impatient.append(run, "act", {"kind": "pin"})
        assert "\n" not in str(error.value)
    finally:
        holder.rollback()
        holder.close()
        impatient.close()
    store.append(run, "act", {"kind": "pin"})
    assert len(store.log(run)) == 1


FILL = """
import resource, sys
from nas_core.store import Store, StoreError
store = Store(sys.argv[1])
run = store.runs()[0].id
# The kernel refuses to let any file of this process grow further: a full disk, without filling one.
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
written = 0
try:
    while True:
        store.append(run, "event", {"text": "x" * 5000})
        written += 1
except StoreError as error:
    print(written, error)
"""


def test_a_full_disk_is_one_line_and_loses_nothing_written(store, tmp_path):
    run = make_run(store, "nb201", {})
    done = subprocess.run(
        [sys.executable, "-c", FILL, store.url], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    written, line = done.stdout.strip().split(" ", 1)
    assert "\n" not in line
    assert "nothing written so far is lost" in line
    assert int(written) > 0
    assert len(store.log(run)) == int(written)
    store.append(run, "event", {"text": "room again"})


def test_a_damaged_database_is_refused_in_one_line(store, tmp_path):
    run = make_run(store, "nb201", {})
    for number in range(200):
        store.append(run, "event", {"text": "x" * 2000, "number": number})
    store.close()
    path = tmp_path / "store.db"
    raw = bytearray(path.read_bytes())
    raw[4096 : len(raw) // 2] = b"\xa5" * (len(raw) // 2 - 4096)
    path.write_bytes(raw)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"store.db{suffix}").unlink(missing_ok=True)
    with pytest.raises(StoreError, match=r"restore a copy or choose another --store") as error:
        Store(store.url).log(run)
    assert "\n" not in str(error.value)


def test_scores_cached_together_keep_what_was_there_first(store):
    store.remember("nb201", "a", "s", {"zico": 1.0}, {"zico": 0.1})
    rows = [{"layer": "stem", "term": 2.0}]
    store.remember_all(
        "nb201", "s", [("a", {"zico": 9.0}, {}, {}), ("b", {"zico": 2.0}, {"zico": 0.2}, {"zico": rows})]
    )
    assert store.cached("nb201", ["a", "b"], ["zico"], "s") == {("a", "zico"): 1.0, ("b", "zico"): 2.0}
    assert store.layers("nb201", "b", "zico", "s").to_dict("records") == rows
