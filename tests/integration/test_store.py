"""The store: append-only log, cursor reads, leases and clear errors, on a real database."""

import math
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from nas_core import proxies
from nas_core.store import Asked, LogMoved, Outcome, Store, StoreError
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


# evaluations: conditions, failures, counters


def test_an_architecture_is_held_once_and_an_evaluation_once_for_its_conditions(store):
    run = make_run(store, "nb201", {})
    wanted = [
        Asked("a", "a"),
        Asked("a", "a", seed=1),
        Asked("a", "a", "training", budget=5),
        Asked("a", "a", "training", budget=10.0),
        Asked("a", "a", settings="v1;data=digits"),
        Asked("b", "b"),
    ]
    assert [row.position for row in store.ask(run, [*wanted, *wanted], {})] == [0, 1, 2, 3, 4, 5]
    assert store.ask(run, wanted, {}) == []
    more = store.ask(run, [Asked("b", "b", seed=3), Asked("c", "c"), Asked("a", "a", "training", budget=5.0)], {})
    assert [(row.position, row.arch, row.seed) for row in more] == [(6, "b", 3), (7, "c", 0)]
    assert [(row.fidelity, row.budget) for row in store.pending(run)[2:4]] == [("training", 5.0), ("training", 10.0)]
    assert (store.run(run).asked, store.info().candidates, store.info().evaluations) == (8, 3, 8)
    store.tell(run, [Outcome(2, {"trained": 80.0}, {}, 0.5)])
    (row,) = store.candidates(run)
    assert (row.arch, row.fidelity, row.budget, row.standard_error) == ("a", "training", 5.0, 0.5)
    assert store.table(run)["fidelity"].tolist() == ["training"]


def test_an_architecture_of_any_length_is_kept(store):
    run = make_run(store, "nb201", {})
    texts = ["x" * 100_000 + str(k) for k in range(3)]
    asked = store.ask(run, [(text, text) for text in [*texts, *texts]], {})
    assert [row.arch for row in asked] == texts == [row.arch for row in store.pending(run)]
    store.set_state(run, "failed", "y" * 5000)
    assert store.run(run).message == "y" * 5000


def test_a_failed_candidate_is_counted_read_by_the_cursor_and_left_out_of_the_table(store):
    run = make_run(store, "nb201", {})
    store.ask(run, [(text, text) for text in "abcd"], {})
    store.tell(run, [Outcome(1, {}, failed="out of memory"), Outcome(0, {"zico": 1.0})], summary={"best": 1.0})
    store.tell(run, [Outcome(1, {"zico": 5.0}), Outcome(2, {"zico": 2.0}), Outcome(2, {"zico": 3.0})])
    row = store.run(run)
    assert (row.asked, row.scored, row.failed, row.summary) == (4, 2, 1, {"best": 1.0})
    read = [(row.position, row.scored, row.values, row.failed) for row in store.candidates(run)]
    assert read == [(1, 1, {}, "out of memory"), (0, 2, {"zico": 1.0}, ""), (2, 3, {"zico": 2.0}, "")]
    assert store.table(run)["position"].tolist() == [0, 2]
    assert [row.position for row in store.candidates(run, after=2)] == [2]
    assert [row.position for row in store.pending(run)] == [3]
    store.tell_again(run, [Outcome(1, {"zico": 4.0}), Outcome(0, {}, failed="worker lost"), Outcome(3, {"zico": 1.0})])
    row = store.run(run)
    assert (row.scored, row.failed) == (2, 1) and store.log_counts(run) == {"rescored": 1}
    assert store.table(run)["scored"].tolist() == [1, 3]
    assert store.check() == []


def test_a_pulse_says_what_the_rows_say(store):
    run = make_run(store, "nb201", {"budget": 9})
    store.append(run, "act", {"kind": "pin"})
    store.ask(run, [("a", "a"), ("b", "b")], {"told": 0})
    store.tell(run, [(0, {"zico": 1.0}, {})])
    store.set_state(run, "running", "on its way")
    store.lease("engine")
    store.trained(run, b"weights", [{"train": math.nan}], {"told": 1}, "trained 1 epoch", engine="engine", step=12)
    pulse = store.pulse(run)
    assert (pulse.state, pulse.message, pulse.budget) == ("running", "trained 1 epoch", 9)
    assert (pulse.asked, pulse.scored, pulse.failed, pulse.acts, pulse.weights_step) == (2, 1, 0, 1, 12)
    assert pulse.log_counts == {"act": 1, "event": 1, "loss": 1} == store.log_counts(run)
    assert store.task_state(run) == {"told": 1} and store.file(run) == b"weights"
    assert store.log(run, kind="loss")[0].body == {"train": None}
    for read in (store.pulse, store.task_state, store.run):
        with pytest.raises(StoreError, match="unknown run 'nope'"):
            read("nope")


def test_a_request_is_open_until_its_first_answer(store):
    one, two = make_run(store, "nb201", {}), make_run(store, "nb201", {})
    first = store.append(one, "request", {"what": "export"})
    second = store.append(two, "request", {"what": "distributions"})
    assert [(run, entry.id) for run, entry in store.requests()] == [(one, first), (two, second)]
    assert store.answer(one, first, {"message": "done"}) is not None
    assert store.answer(one, first, {"message": "done by another"}) is None
    assert [entry.body for entry in store.log(one, kind="answer")] == [{"request": first, "message": "done"}]
    store.delete_run(two)
    assert store.requests() == []
    with pytest.raises(StoreError, match="unknown run"):
        store.answer(two, second, {})


def test_a_reader_by_cursor_misses_nothing_of_writers_that_are_late(store):
    """Numbers are handed out in the transaction that holds the run: none appears behind one that was seen."""
    run = make_run(store, "nb201", {})
    ended = threading.Event()
    seen: list[int] = []

    def write(name):
        own = Store(store.url)
        for number in range(60):
            own.append(run, "event", {"by": name, "number": number})
        own.close()

    def read():
        while True:
            last = ended.is_set()
            seen.extend(entry.id for entry in store.log(run, after=seen[-1] if seen else 0))
            if last:
                return

    writers = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    reader = threading.Thread(target=read)
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    reader.join()
    assert seen == list(range(1, 181))


# leases


def set_clock(store, seconds):
    """The lease as it would be had the database's clock been that far ahead when it was taken."""
    connection = sqlite3.connect(store.path)
    connection.execute("UPDATE runs SET lease_until = lease_until + ?", (seconds,))
    connection.commit()
    connection.close()


def test_a_dead_engine_keeps_no_run_though_the_clock_was_set_back_by_an_hour(store):
    run = make_run(store, "nb201", {})
    store.command(run, "start")
    assert store.lease("dead", seconds=0.3) == run
    set_clock(store, 3600)
    assert store.lease("other", seconds=0.3) is None
    time.sleep(0.4)
    assert store.lease("other", seconds=0.3) == run
    assert not store.beat(run, "dead", seconds=0.3)


def test_a_living_engine_keeps_its_run_though_the_clock_was_set_back_by_an_hour(store):
    run = make_run(store, "nb201", {})
    store.command(run, "start")
    assert store.lease("living", seconds=0.4) == run
    set_clock(store, 3600)
    for _ in range(6):
        time.sleep(0.1)
        assert store.beat(run, "living", seconds=0.4)
        set_clock(store, 3600)
        assert store.lease("other", seconds=0.4) is None


def test_of_two_that_find_a_lease_over_one_takes_it(store):
    run = make_run(store, "nb201", {})
    store.command(run, "start")
    store.lease("dead", seconds=-1)
    taken = []
    threads = [threading.Thread(target=lambda k=k: taken.append(store.lease(f"engine {k}", 60))) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, taken)) == sorted([run, *["None"] * 5])


def test_an_engine_holds_several_runs_and_beats_for_all_at_once(store):
    runs = [make_run(store, "nb201", {}) for _ in range(3)]
    for run in runs:
        store.command(run, "start")
    held = []
    while (run := store.lease("engine", 60, besides=held)) is not None:
        held.append(run)
    assert held == runs
    store.release(runs[0], "engine")
    assert store.lease("other", 60) == runs[0]
    assert store.beat_all("engine", 60, dict.fromkeys(runs, 1.5)) == set(runs[1:])
    assert [store.run(run).busy_seconds for run in runs] == [0.0, 1.5, 1.5]


# the score cache


def test_scores_of_another_version_or_another_machine_are_other_scores(store, monkeypatch):
    store.remember("nb201", "a", "s", {"zico": 1.0}, {})
    store.remember("nb201", "a", "s", {"zico": 2.0}, {}, compute="NVIDIA H100")
    assert store.scores("nb201", "zico", "s") == {"a": 1.0}
    assert store.scores("nb201", "zico", "s", compute="NVIDIA H100") == {"a": 2.0}
    monkeypatch.setattr(proxies, "version", lambda name: {"zico": 2}.get(name, 1), raising=False)
    assert store.cached("nb201", ["a"], ["zico"], "s") == {} == store.settings("nb201", "zico")
    store.remember("nb201", "a", "s", {"zico": 3.0, "zico:distributions": math.nan}, {})
    assert store.cached("nb201", ["a"], ["zico"], "s") == {("a", "zico"): 3.0}
    monkeypatch.undo()
    assert store.cached("nb201", ["a"], ["zico", "zico:distributions"], "s") == {("a", "zico"): 1.0}


# the file


def test_deleting_a_run_frees_its_bytes(store):
    kept, gone = make_run(store, "nb201", {}), make_run(store, "nb201", {})
    for run in (kept, gone):
        asked = store.ask(run, [(f"arch {k}", f"arch {k}") for k in range(500)], {})
        store.tell(run, [(row.position, {"zico": 1.0}, {}) for row in asked])
    store._checkpoint()
    before = store.path.stat().st_size
    store.keep_file(gone, "weights", bytes(5_000_000))
    store._checkpoint()
    assert store.path.stat().st_size > before + 5_000_000
    store.delete_run(gone)
    assert store.path.stat().st_size < before
    assert store.check() == [] and [run.id for run in store.runs()] == [kept]
    assert len(store.table(kept)) == 500


def test_a_plain_copy_of_a_store_at_rest_is_whole(store, tmp_path):
    run = make_run(store, "nb201", {})
    for number in range(20):
        store.append(run, "event", {"number": number})
    store.close()
    (tmp_path / "copy.db").write_bytes(store.path.read_bytes())
    copy = Store(f"sqlite:///{tmp_path / 'copy.db'}")
    assert len(copy.log(run)) == 20
    copy.close()


def test_a_program_that_ends_without_a_word_leaves_a_store_whose_copy_is_whole(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    code = (
        "import sys\nfrom nas_core.config import RunConfig\nfrom nas_core.store import Store\n"
        "store = Store(sys.argv[1])\nstore.create_run(RunConfig())"
    )
    subprocess.run([sys.executable, "-c", code, url], check=True, timeout=60)
    assert [file.name for file in tmp_path.iterdir()] == ["store.db"]
    assert len(Store(url).runs()) == 1


def test_a_backup_of_a_live_store_is_complete_and_overwrites_nothing(store, tmp_path):
    run = make_run(store, "nb201", {})
    for number in range(20):
        store.append(run, "event", {"number": number})
    target = tmp_path / "backup.db"
    assert store.backup(target) == target.stat().st_size
    assert sorted(file.name for file in tmp_path.iterdir()) == ["backup.db", "store.db", "store.db-shm", "store.db-wal"]
    copy = Store(f"sqlite:///{target}")
    assert copy.log(run) == store.log(run) and copy.check() == []
    copy.close()
    before = target.read_bytes()
    with pytest.raises(StoreError, match="exists; expected the name of a new file"):
        store.backup(target)
    assert target.read_bytes() == before


def test_a_database_of_another_kind_is_refused(tmp_path):
    with pytest.raises(StoreError, match="expected a URL of sqlite or postgresql"):
        Store("mysql://nobody@nowhere/none")
    with pytest.raises(StoreError, match="there is no store"):
        Store(f"sqlite:///{tmp_path / 'none.db'}", create=False)
    assert list(tmp_path.iterdir()) == []
