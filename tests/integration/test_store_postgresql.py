"""The store on a real PostgreSQL server, where this machine has one and psycopg to talk to it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="PostgreSQL needs psycopg")

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from nas_core.store import Asked, Outcome, Snapshot, Store, Structure
from nas_core.store import _schema as schema
from tests.runs import make_run


def _program(name: str) -> str:
    found = shutil.which(name) or next(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), "")
    if not found:
        pytest.skip(f"this machine has no {name}")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server of our own, without the name of a database."""
    programs = {name: _program(name) for name in ("initdb", "postgres")}
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        prefix: list[str] = []
        if os.getuid() == 0:  # PostgreSQL does not run as root
            shutil.chown(folder, "nobody")
            prefix = ["setpriv", "--reuid=nobody", "--clear-groups"]
        data = f"{folder}/data"
        made = [*prefix, programs["initdb"], "-D", data, "-A", "trust", "-U", "helm", "--no-sync", "-E", "UTF8"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder)
        process = subprocess.Popen(
            [*prefix, programs["postgres"], "-D", data, "-p", str(port), "-k", folder, "-c", "fsync=off"],
            cwd=folder,
            stderr=subprocess.DEVNULL,
        )
        url = f"postgresql+psycopg://helm@127.0.0.1:{port}"
        try:
            engine = create_engine(f"{url}/postgres", isolation_level="AUTOCOMMIT")
            for _ in range(300):
                try:
                    engine.connect().close()
                    break
                except Exception:
                    time.sleep(0.1)
            yield url
        finally:
            process.send_signal(signal.SIGINT)  # at once, whoever is connected still
            process.wait(60)


@pytest.fixture
def url(server, request) -> str:
    name = f"test_{abs(hash(request.node.name)) % 10**8}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


def test_a_run_is_carried_through(url):
    store = Store(url)
    run = make_run(store, "nb201", {"budget": 5})
    store.command(run, "start")
    assert store.lease("engine", 60) == run
    store.ask(run, [("a", "a"), Asked("a", "a", "training", 1, 2.5)], {"told": 0}, engine="engine")
    store.tell(run, [Outcome(0, {"zico": 1.0}, {"zico": 0.1}), Outcome(1, {}, failed="hung")], engine="engine")
    store.trained(run, b"weights", [{"train": 1.0}], {"told": 2}, "trained", engine="engine", step=4)
    for _ in range(2):
        store.remember("nb201", "a" * 2000, "s", {"zico": float("nan")}, {}, {"zico": [{"layer": "stem"}]})
    store.save_template({"name": "mine"})
    request = store.append(run, "request", {"what": "export"})
    assert [entry.id for _, entry in store.requests()] == [request]
    assert store.answer(run, request, {}) and not store.answer(run, request, {})
    pulse = store.pulse(run)
    assert (pulse.asked, pulse.scored, pulse.failed, pulse.weights_step) == (2, 1, 1, 4)
    assert store.check() == [] and store.health() == "" and store.info().evaluations == 2
    network = store.add_network("mine", {}, Structure([], {"zico": [{"layer": "fc"}]}), Snapshot(0, {"zico": 1.0}))
    store.add_snapshot(network.id, Snapshot(5, {"zico": 2.0}, {"zico": {"term": [float("nan")]}}))
    assert [row.taken for row in store.networks()] == [2] and store.watched().startswith("1-2-")
    assert [one.values["zico"] for one in store.snapshots(network.id)] == [1.0, 2.0] and store.check() == []
    store.delete_network(network.id)
    assert store.info().snapshots == 0
    assert store.vacuum()[0] > 0
    store.delete_run(run)
    assert store.runs() == [] and store.info().log_lines == 0
    store.close()


def test_a_reader_by_cursor_misses_nothing_of_commits_that_come_late(url):
    store = Store(url)
    run = make_run(store, "nb201", {})
    writers, ended, seen = 4, threading.Event(), []

    def write(name: int) -> None:
        own = Store(url)
        for number in range(50):
            own.append(run, "event", {"by": name, "number": number})
            (row,) = own.ask(run, [(f"{name}-{number}", "c")], {})
            own.tell(run, [(row.position, {"zico": 1.0}, {})])
        own.close()

    scored: list[int] = []

    def read() -> None:
        while True:
            last = ended.is_set()
            seen.extend(entry.id for entry in store.log(run, after=seen[-1] if seen else 0))
            scored.extend(row.scored or 0 for row in store.candidates(run, after=scored[-1] if scored else 0))
            if last:
                return

    threads = [threading.Thread(target=write, args=(k,)) for k in range(writers)]
    reader = threading.Thread(target=read)
    for thread in [reader, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    ended.set()
    reader.join()
    assert seen == scored == list(range(1, 50 * writers + 1))
    assert store.check() == []
    store.close()


def test_a_dead_engine_keeps_no_run_though_the_clock_was_set_back_by_an_hour(url):
    store = Store(url)
    run = make_run(store, "nb201", {})
    store.command(run, "start")
    assert store.lease("dead", seconds=0.3) == run
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE runs SET lease_until = lease_until + 3600"))
    engine.dispose()
    assert store.lease("other", seconds=0.3) is None
    time.sleep(0.5)
    assert store.lease("other", seconds=0.3) == run
    store.close()


def test_a_database_of_before_is_upgraded_once_by_whoever_is_first(url):
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(
            text(
                "INSERT INTO runs VALUES ('r', 'name', 'nb201', '{\"budget\": 2}', 'paused', '', "
                '\'{"told": 1, "training": {"step": 3}}\', NULL, 0, 1, 2)'
            )
        )
        connection.execute(
            text(
                "INSERT INTO candidates (run, position, arch, canonical, values, seconds, scored) "
                "VALUES ('r', 0, 'ä', 'a', '{\"zico\": 1.0}', '{}', 1), ('r', 1, 'b', 'b', NULL, NULL, NULL)"
            )
        )
        for kind, body in (("request", "{}"), ("request", "{}"), ("answer", '{"request": 1}')):
            connection.execute(
                text("INSERT INTO log (run, kind, body, time) VALUES ('r', :kind, :body, 1)"),
                {"kind": kind, "body": body},
            )
    engine.dispose()
    stores: list[Store] = []
    threads = [threading.Thread(target=lambda: stores.append(Store(url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 3
    store = stores[0]
    run = store.run("r")
    assert (run.asked, run.scored, run.weights_step, store.task_state("r")["told"]) == (2, 1, 3, 1)
    assert [entry.id for _, entry in store.requests()] == [2]
    assert store.ask("r", [("ä", "a"), ("c", "c")], {})[0].position == 2  # the first one is held: digests agree
    assert store.check() == []
    for one in stores:
        one.close()
