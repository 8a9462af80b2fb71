"""A store that the tree of before wrote: it opens with all it held, its runs go on, and no kill half-way harms it."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from sqlalchemy import create_engine, inspect

from nas_core.config import RunConfig
from nas_core.engine import Engine
from nas_core.spaces import Act
from nas_core.store import Store, StoreError, session_script
from nas_core.store import _schema as schema

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORD = json.loads(gzip.decompress((FIXTURES / "store_before_tasks.json.gz").read_bytes()))
"""By name of a run: what it held, and what the tree of before itself made of those left half-way."""

OPEN_AND_DIE = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine

@event.listens_for(Engine, "before_cursor_execute")
def die(connection, cursor, statement, *_):
    if sys.argv[2] in statement:
        os.kill(os.getpid(), signal.SIGKILL)

from nas_core.store import Store
Store(sys.argv[1])
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "store.db"
    path.write_bytes(gzip.decompress((FIXTURES / "store_before_tasks.db.gz").read_bytes()))
    return path


@pytest.fixture
def store(path):
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


def dump(path: Path) -> list[str]:
    """The tables and rows of a SQLite file as statements."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def open_and_die(path: Path, statement: str) -> int:
    command = [sys.executable, "-c", OPEN_AND_DIE, f"sqlite:///{path}", statement]
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode


def test_every_run_of_before_is_there_with_all_it_held(store):
    held = {run.name: run for run in store.runs()}
    assert held.keys() == RECORD["written"].keys()
    for name, before in RECORD["written"].items():
        run = held[name]
        assert (run.id, run.state, run.message) == tuple(before[key] for key in ("id", "state", "message"))
        assert run.config == RunConfig.stored(run.space, before["config"]) and not run.config.problem
        assert (run.asked, run.scored, run.failed) == (before["asked"], before["scored"], 0)
        assert run.acts == before["log"].get("act", 0)
        assert store.log_counts(run.id) == before["log"]
        entries = store.log(run.id)
        kinds = [entry.kind for entry in entries]
        assert {kind: kinds.count(kind) for kind in kinds} == before["log"]
        assert [entry.body for entry in entries if entry.kind == "loss"] == before["losses"]
        table = store.table(run.id)
        plain = table.astype(object).where(table.notna(), None).drop(columns="scored")
        assert plain.to_dict("list") == before["candidates"]
        assert run.weights_step == (store.task_state(run.id).get("training") or {}).get("step", 0)
        session_script(store, run.id)
    assert list(store.templates()) == ["Small"]
    assert store.check() == []


def test_log_lines_of_before_still_mean_each_other(store):
    (run,) = (run.id for run in store.runs() if run.name == "steered")
    lines = {entry.id: entry for entry in store.log(run)}
    answers = [entry.body for entry in lines.values() if entry.kind == "answer"]
    assert answers and all(lines[body["request"]].kind == "request" for body in answers)
    refused = [entry.body for entry in lines.values() if "refused" in entry.body]
    assert refused
    assert all(Act.from_dict(lines[body["refused"]].body).describe() == body["act"] for body in refused)
    asked = {entry.id for entry in lines.values() if entry.kind == "request"}
    still_open = asked - {body["request"] for body in answers}
    assert {entry.id for other, entry in store.requests() if other == run} == still_open
    exports = [body["file"] for body in answers if "file" in body]
    assert all(store.file(run, name) for name in exports)


COMPUTED_ANEW = {"naswot", "fisher", "az_trainability"}
"""Scores whose values are others than those of the program that wrote the store."""


def test_what_the_cache_of_before_held_is_known(store, path):
    before = sqlite3.connect(path.with_name("store.db.before-0003"))
    rows = before.execute("SELECT space, canonical, proxy, settings, value, layers FROM scores").fetchall()
    before.close()
    assert rows
    for space, canonical, proxy, settings, value, layers in rows:
        if value is not None:
            known = {(canonical, proxy): value} if proxy not in COMPUTED_ANEW else {}
            assert store.cached(space, [canonical], [proxy], settings) == known
        kept = json.loads(layers) if layers else None
        assert len(store.layers(space, canonical, proxy, settings)) == len(kept or [])


def test_runs_left_half_way_before_finish_as_they_would_have(store):
    executor = ThreadPoolExecutor(1)
    torch.set_num_threads(1)  # as in the workers that wrote the record: sums in another order are rounded otherwise
    for name, before in RECORD["finished"].items():
        run = before["id"]
        if store.run(run).state != "running":
            store.command(run, "resume" if store.run(run).state in ("paused", "stopped") else "start")
        engine = Engine(store, executor=executor, among=[run])
        while store.run(run).state in ("queued", "running"):
            engine.step()
        engine.close()
        found = store.run(run)
        assert (found.state, found.message) == (before["state"], before["message"]), name
        table = store.table(run).drop(columns="scored")
        assert table["arch"].tolist() == before["candidates"]["arch"], name
        trained = found.config.supernet is not None  # training makes much of a rounding on another processor
        for score in [] if trained else table.columns[3:]:
            expected = [float("nan") if value is None else value for value in before["candidates"][score]]
            assert table[score].tolist() == pytest.approx(expected, rel=1e-3, nan_ok=True), (name, score)
    executor.shutdown()
    assert store.check() == []


def test_a_store_of_a_newer_program_is_refused_with_exit_code_2(path):
    Store(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '0099'")
    connection.commit()
    connection.close()
    before = dump(path)
    commands = (["nas_core", "runs", "list"], ["nas_core", "engine", "--once"], ["app", "--no-engine", "--port", "0"])
    for command in commands:
        arguments = [sys.executable, "-m", *command, "--store", f"sqlite:///{path}"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.strip().splitlines()
        assert "0099" in line and "newer than this program" in line
    assert dump(path) == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO evaluations",
        "CREATE TABLE snapshots",
        pytest.param("CREATE TABLE evaluations", marks=pytest.mark.long),
        pytest.param("DROP TABLE old_log", marks=pytest.mark.long),
    ],
)
def test_an_upgrade_killed_half_way_leaves_the_store_of_before(path, statement):
    before = dump(path)
    for _ in range(2):
        assert open_and_die(path, statement) == -signal.SIGKILL
        assert dump(path) == before
    copies = list(path.parent.glob("store.db.before-0003*"))
    assert [copy.name for copy in copies] == ["store.db.before-0003"]
    assert dump(copies[0]) == before
    store = Store(f"sqlite:///{path}")
    assert len(store.runs()) == len(RECORD["written"]) and store.check() == []
    store.close()


def test_the_copy_of_before_is_complete_and_never_overwritten(path):
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("UPDATE runs SET message = 'only in the journal'")
    writer.commit()
    taken = path.with_name("store.db.before-0003")
    taken.write_bytes(b"a copy of another day")
    Store(f"sqlite:///{path}").close()
    writer.close()
    assert taken.read_bytes() == b"a copy of another day"
    copy = path.with_name("store.db.before-0003.2")
    assert sqlite3.connect(copy).execute("SELECT DISTINCT message FROM runs").fetchall() == [("only in the journal",)]


def test_of_programs_that_open_a_store_of_before_at_once_one_upgrades_it(path):
    code = "import sys; from nas_core.store import Store; print(len(Store(sys.argv[1]).runs()))"
    command = [sys.executable, "-c", code, f"sqlite:///{path}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=120)[0].strip() for process in processes] == [str(len(RECORD["written"]))] * 4
    assert [copy.name for copy in path.parent.glob("*before*")] == ["store.db.before-0003"]


def test_no_room_for_the_copy_is_one_line_and_leaves_the_store(path, monkeypatch):
    before = dump(path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(StoreError, match=r"must be upgraded, after a copy of it is kept.*No space left") as error:
        Store(f"sqlite:///{path}")
    assert "\n" not in str(error.value)
    assert dump(path) == before
    assert [file.name for file in path.parent.iterdir() if "before" in file.name] == []


def test_an_upgraded_store_has_the_tables_of_a_new_one(store, path, tmp_path):
    new = tmp_path / "new.db"
    Store(f"sqlite:///{new}").close()
    assert tables(path) == tables(new)
    for file in (path, new):
        connection = sqlite3.connect(file)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        connection.close()


def tables(path: Path) -> dict[str, object]:
    engine = create_engine(f"sqlite:///{path}")
    seen = inspect(engine)
    found = {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(name)],
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted(str(sorted(one.items(), key=str)) for one in seen.get_foreign_keys(name)),
            sorted((one["name"], one["column_names"]) for one in seen.get_unique_constraints(name)),
            sorted((one["name"], one["column_names"]) for one in seen.get_indexes(name)),
            "WITHOUT ROWID" in str(seen.get_table_options(name)) or seen.get_table_options(name),
        )
        for name in seen.get_table_names()
    }
    engine.dispose()
    return found


def test_the_newest_migration_is_the_version_of_the_tables():
    versions = Path(schema.__file__).with_name("migrations") / "versions"
    assert sorted(file.stem for file in versions.glob("v*.py"))[-1] == f"v{schema.VERSION}"
