"""A store that fails under a running program: deleted, replaced, full, read-only, corrupt: told in one line."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import top_bar
from app.cockpit import Cockpit
from app.live import pulse_of
from nas_core.store import Store, StoreError
from tests.runs import make_run


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """A disk of its own, where this machine lets us have one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk to fill or to lock needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def assert_told(store: Store, run: str, part: str) -> None:
    """The page's status says so at the next poll, in one line, and shows no progress."""
    line = store.health()
    assert part in line and store.url in line and "\n" not in line
    pulse = pulse_of(Cockpit(store), run)
    assert part in pulse["error"] and "scored" not in pulse
    assert part in top_bar.told(Cockpit(store), pulse)


def test_a_deleted_store_is_told_and_never_written_on(store):
    run = make_run(store, "nb201", {})
    assert store.health() == ""
    os.unlink(store.path)
    assert_told(store, run, "the file is gone")
    for work in (store.runs, lambda: store.append(run, "act", {}), lambda: store.lease("engine")):
        with pytest.raises(StoreError, match="put it back, or start again"):
            work()
    assert not store.path.exists()  # no empty store in its place


def test_a_deleted_store_that_is_put_back_goes_on(store, tmp_path):
    run = make_run(store, "nb201", {})
    store.path.rename(tmp_path / "moved.db")
    assert "the file is gone" in store.health()
    (tmp_path / "moved.db").rename(store.path)
    assert store.health() == ""
    store.append(run, "act", {})


def test_a_replaced_store_is_told_and_the_other_file_left_alone(store, tmp_path):
    run = make_run(store, "nb201", {})
    other = Store(f"sqlite:///{tmp_path / 'other.db'}")
    other.close()
    before = (tmp_path / "other.db").read_bytes()
    os.replace(tmp_path / "other.db", store.path)
    assert_told(store, run, "replaced by another")
    with pytest.raises(StoreError, match="replaced by another"):
        store.append(run, "act", {})
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("change", ["ALTER TABLE runs DROP COLUMN busy_seconds", "DROP TABLE evaluations"])
def test_a_store_that_lacks_a_part_is_refused_when_it_is_opened(store, change):
    store.close()
    other = sqlite3.connect(store.path)
    other.execute(change)
    other.close()
    with pytest.raises(StoreError, match=r"no such (column|table): (runs.busy_seconds|evaluations); .*restore a copy"):
        Store(store.url)
    command = [sys.executable, "-m", "app", "--no-engine", "--port", "0", "--store", store.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: store ")


def test_a_full_disk_is_told_and_what_was_written_is_kept(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        store = Store(f"sqlite:///{disk / 'store.db'}")
        run = make_run(store, "nb201", {})
        assert store.health() == ""
        written = 0
        with pytest.raises(StoreError, match=r"full|disk I/O"):
            while True:
                store.append(run, "event", {"text": "x" * 20_000})
                written += 1
        assert_told(store, run, "the disk is full")
        assert len(store.log(run)) == written > 0
        store.close()


def test_a_disk_that_becomes_read_only_is_told(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        store = Store(f"sqlite:///{disk / 'store.db'}")
        run = make_run(store, "nb201", {})
        store.close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert_told(store, run, "cannot be written")
        with pytest.raises(StoreError):
            store.append(run, "act", {})
        done = subprocess.run(
            [sys.executable, "-m", "nas_core", "engine", "--once", "--store", store.url], capture_output=True, text=True
        )
        assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_overwritten_pages_are_told(store):
    run = make_run(store, "nb201", {})
    for number in range(100):
        store.append(run, "event", {"text": "x" * 2000, "number": number})
    store._checkpoint()
    with store.path.open("r+b") as file:
        file.write(b"\xa5" * store.path.stat().st_size)
    assert_told(store, run, "no SQLite database")


def test_damage_that_a_poll_does_not_meet_is_found_by_the_check(store):
    run = make_run(store, "nb201", {})
    for number in range(100):
        store.append(run, "event", {"text": "x" * 2000, "number": number})
    store.close()
    size = store.path.stat().st_size
    with store.path.open("r+b") as file:
        file.seek(size - 40 * 4096)
        file.write(b"\xa5" * 20 * 4096)
    store = Store(store.url)
    try:
        wrong = store.check()
    except StoreError as error:
        wrong = [str(error)]
    assert any("damaged" in line or "malformed" in line for line in wrong)


def test_counters_that_say_other_than_the_rows_are_found_by_the_check(store):
    run = make_run(store, "nb201", {})
    asked = store.ask(run, [(text, text) for text in "abc"], {})
    store.tell(run, [(row.position, {"zico": 1.0}, {}) for row in asked])
    assert store.check() == []
    connection = sqlite3.connect(store.path)
    connection.execute("UPDATE runs SET scored = 7, log_counts = '{\"act\": 3}'")
    connection.execute("UPDATE evaluations SET scored = 2 WHERE position = 2")
    connection.commit()
    connection.close()
    wrong = "\n".join(store.check())
    assert "counter of scored says 7, its rows 3" in wrong
    assert "counters of log lines" in wrong
    assert "given twice" in wrong
