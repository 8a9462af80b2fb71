"""The engine on a real store with real worker processes: killed, commanded, steered and raced."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sqlalchemy.engine import make_url

from app.cockpit import Cockpit
from nas_core import scoring, spaces
from nas_core.engine import Engine
from nas_core.proxies.settings import ScoreSettings
from nas_core.search.random import RandomSearch
from nas_core.spaces import Act, Steering
from nas_core.store import LeaseLost, Store
from tests import processes
from tests.runs import make_run

SPACE = spaces.get("nb201")
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
TINY = {"image_size": 8, "batch_size": 2, "channels": 4}


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def store(url):
    store = Store(url)
    yield store
    store.close()


@pytest.fixture(scope="module")
def executor():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def start(store, *, proxy="zico", **changes):
    config = {"strategy": "evolution", "proxies": [proxy], "rank_by": proxy, "settings": TINY, "seed": 0, **changes}
    run = make_run(store, "nb201", config)
    store.command(run, "start")
    return run


def serve(engine):
    while engine.step():
        pass


def carry_out(store, **workers):
    """Serve with an engine of its own until nothing is to be done."""
    engine = Engine(store, **workers)
    try:
        serve(engine)
    finally:
        engine.close()


def scores(store, run):
    return store.table(run).drop(columns=["scored"])


def launch(url, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "nas_core", "engine", "--store", url, "--workers", "2", *arguments],
        env={**os.environ, "NAS_HELM_LEASE_SECONDS": "1"},
    )


def wait_until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_run_may_rank_by_the_aggregate_of_its_scores_and_resumes_it(store, executor):
    config = {
        "strategy": "evolution",
        "proxies": ["live_params", "sum_log_layer_size", "flops"],
        "rank_by": "aggregate",
        "budget": 120,
        "batch": 8,
        "seed": 1,
    }
    tables = []
    for pieces in (1, 3):
        run = make_run(store, "nb201", config)
        store.command(run, "start")
        for _ in range(pieces):  # a fresh engine goes on from the store alone
            engine = Engine(store, executor=executor, among=[run])
            for _ in range(6 if pieces > 1 else 200):
                engine.step()
            engine.close()
        last = Engine(store, executor=executor, among=[run])
        while last.step():
            pass
        tables.append(store.table(run))
        assert store.run(run).state == "finished"
    assert tables[0]["arch"].tolist() == tables[1]["arch"].tolist()
    early, late = tables[0].iloc[:50], tables[0].iloc[70:]
    assert late["live_params"].mean() > early["live_params"].mean()
    assert "aggregate" not in tables[0]
    view = Cockpit(store).view(run)
    assert view.rank_by == "aggregate"
    assert len(view.ranked) == 120
    assert view.ranked.argmax() == view.over_space("aggregate")[view.indices].argmax()


def test_a_run_reaches_its_budget_and_extends(store, executor):
    run = start(store, proxy="params", budget=20)
    engine = Engine(store, executor=executor)
    serve(engine)
    assert (store.run(run).state, store.run(run).scored) == ("finished", 20)
    store.command(run, "extend", budget=30)
    serve(engine)
    assert (store.run(run).state, store.run(run).scored) == ("finished", 30)
    engine.close()


def test_a_prune_takes_effect_at_the_next_ask_and_its_undo_too(store, executor):
    run = start(store, proxy="params", budget=200, strategy="random")
    engine = Engine(store, executor=executor)
    for _ in range(3):
        engine.step()
    asked = store.run(run).asked
    act = Act("prune", "*", ("none", "avg_pool_3x3"))
    store.append(run, "act", act.to_dict())
    for _ in range(4):
        engine.step()
    steering = Steering.fold(SPACE, [act])
    later = [SPACE.parse(text) for text in store.table(run)["arch"][asked:]]
    assert len(later) == 32
    assert steering.mask(later).all()
    store.append(run, "act", Act("undo", target=0).to_dict())
    engine.step()
    assert not steering.mask([SPACE.parse(text) for text in store.table(run)["arch"][-8:]]).all()
    engine.close()


def test_workers_yield_to_every_other_program(url, store):
    run = start(store, budget=2000)
    engine = launch(url)
    try:
        wait_until(lambda: store.run(run).scored > 0 and len(processes.workers(of=engine.pid)) == 2)
        workers = processes.workers(of=engine.pid)
        wait_until(lambda: [os.getsid(worker) for worker in workers] == workers)  # once it has started
        assert [os.getpriority(os.PRIO_PROCESS, worker) for worker in workers] == [10, 10]
        assert [os.getsid(worker) for worker in workers] == workers  # Linux weighs sessions before niceness
    finally:
        engine.terminate()
        assert engine.wait(timeout=30) == 0


def test_a_request_for_distributions_is_answered_even_at_rest_and_after_a_restart(store):
    cell = CELL
    run = make_run(store, "nb201", {"proxies": ["zico"], "rank_by": "zico", "settings": TINY, "seed": 0})
    requests = [
        store.append(run, "request", {"what": "distributions", "arch": arch, "proxy": proxy})
        for arch, proxy in ((cell, "zico"), ("nonsense", "zico"), (cell, "naswot"))
    ]
    for _ in range(2):
        carry_out(store, workers=1)
    answers = {entry.body["request"]: entry.body["message"] for entry in store.log(run, kind="answer")}
    assert sorted(answers) == requests and len(store.log(run, kind="answer")) == 3
    assert answers[requests[0]] == "" and "malformed cell" in answers[requests[1]]
    assert "no statistics of single weights" in answers[requests[2]]
    arch = SPACE.canonical(SPACE.parse(cell))
    settings = ScoreSettings(**TINY)
    table = store.layers("nb201", SPACE.format(arch), "zico:distributions", settings.key())
    scored = scoring.score_architecture(SPACE, arch, ["zico"], settings).layers["zico"]
    reached = {row["layer"]: row["weights"] for row in scored if row["term"] == row["term"]}
    assert dict(zip(table["layer"], table["weights"], strict=True)) == reached
    assert all(sum(row.counts) + row.zeros == row.weights for row in table.itertuples())


def test_a_request_of_a_run_deleted_meanwhile_holds_nobody_up(store, executor):
    engine = Engine(store, executor=executor)
    gone, kept = (make_run(store, "nb201", {"proxies": ["zico"], "settings": TINY}) for _ in range(2))
    for run, arch in ((gone, CELL), (kept, "nonsense")):
        store.append(run, "request", {"what": "distributions", "arch": arch, "proxy": "zico"})
    engine._answers.look()
    store.delete_run(gone)
    serve(engine)
    assert len(store.log(kept, kind="answer")) == 1
    run = start(store, proxy="params", budget=8)
    serve(engine)
    assert store.run(run).state == "finished"
    engine.close()


def test_an_act_in_conflict_is_reported_and_the_run_goes_on(store, executor):
    run = start(store, proxy="params", budget=16)
    store.append(run, "act", Act("pin", "edge 0→1", ("none",)).to_dict())
    store.append(run, "act", Act("prune", "edge 0→1", ("none",)).to_dict())
    carry_out(store, executor=executor)
    assert store.run(run).state == "finished"
    refused = [entry.body for entry in store.log(run, kind="event") if "refused" in entry.body]
    assert len(refused) == 1 and "last choice" in refused[0]["message"]
    assert all(SPACE.parse(text)[0] == 0 for text in store.table(run)["arch"])


def test_pause_and_resume_give_the_table_of_an_undisturbed_run(store, executor):
    quiet, paused = start(store, proxy="params", budget=120), start(store, proxy="params", budget=120)
    store.command(paused, "pause")
    engine = Engine(store, executor=executor)
    serve(engine)
    store.command(paused, "resume")
    for _ in range(5):
        engine.step()
    store.command(paused, "pause")
    serve(engine)
    assert (store.run(paused).state, store.run(paused).asked) == ("paused", 40)
    store.command(paused, "resume")
    carry_out(store, executor=executor)
    pd.testing.assert_frame_equal(scores(store, quiet), scores(store, paused))


def test_an_exhausted_space_finishes_the_run_with_the_reason(store, executor):
    run = start(store, proxy="params", strategy="scan", budget=1000)
    for decision in SPACE.decisions[:5]:
        store.append(run, "act", Act("pin", decision.name, ("nor_conv_3x3",)).to_dict())
    carry_out(store, executor=executor)
    row = store.run(run)
    assert row.state == "finished" and row.scored == 5
    assert "nothing new is left under the steering" in row.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": ["unheard_of"], "objective": {"score": "unheard_of"}}, "unknown proxy 'unheard_of'"),
        ({"strategy": "annealing"}, "unknown strategy 'annealing'"),
        ({"budget": "many"}, "budget: got 'many', expected a whole number"),
        ({"settings": {"data": "folder:/nowhere"}}, r"^data set 'folder:/nowhere': there is no '/nowhere'$"),
    ],
)
def test_a_stored_run_that_cannot_be_carried_out_says_why_and_the_next_one_is_served(store, executor, changes, message):
    bad = start(store, budget=8)
    stored = {**store.run(bad).config.to_dict(), **changes}  # as a store of before, or of another program, may hold it
    with sqlite3.connect(make_url(store.url).database) as database:
        database.execute("UPDATE runs SET config = ? WHERE id = ?", (json.dumps(stored), bad))
    good = start(store, proxy="params", budget=8)
    carry_out(store, executor=executor)
    assert store.run(bad).state == "failed"
    assert re.search(message, store.run(bad).message)
    assert store.run(good).state == "finished"


def test_a_run_that_the_store_cannot_keep_fails_and_holds_nobody_up(store, executor, monkeypatch):
    bad = start(store, budget=8, strategy="random")
    good = start(store, proxy="params", budget=8)
    monkeypatch.setattr(RandomSearch, "state", lambda _: {"drawn": np.int64(3)})
    carry_out(store, executor=executor)
    assert store.run(bad).state == "failed"
    assert store.run(bad).message == "the store cannot keep this: Object of type int64 is not JSON serializable"
    assert store.run(good).state == "finished"


def test_two_engines_never_hold_the_same_run(store, executor):
    run = start(store, proxy="params", budget=40)
    one, two = Engine(store, executor=executor), Engine(store, executor=executor)
    assert one.step()
    assert not two.step()
    other = start(store, proxy="params", budget=40)
    assert two.step()
    assert {store.run(run).engine, store.run(other).engine} == {one.name, two.name}
    for engine in (one, two):
        serve(engine)
        engine.close()
    assert [store.run(each).scored for each in (run, other)] == [40, 40]


def test_an_engine_that_lost_its_lease_writes_nothing(store):
    run = start(store)
    store.lease("old", seconds=-1)
    assert store.lease("new", seconds=60) == run
    with pytest.raises(LeaseLost):
        store.ask(run, [("a", "a")], {"told": 0}, engine="old")
    store.ask(run, [("a", "a")], {"told": 0}, engine="new")
    with pytest.raises(LeaseLost):
        store.tell(run, [(0, {"zico": 1.0}, {})], engine="old")
    assert [row.arch for row in store.pending(run)] == ["a"]


def test_scores_of_an_earlier_run_are_not_computed_again(store):
    first = start(store, budget=16)
    with ThreadPoolExecutor(1) as executor:
        carry_out(store, executor=executor)
    second = start(store, budget=16)
    closed = ProcessPoolExecutor(1)
    closed.shutdown()
    carry_out(store, executor=closed)  # an executor that could not score anything
    assert store.run(second).state == "finished"
    pd.testing.assert_frame_equal(scores(store, first), scores(store, second))
    settings = ScoreSettings.from_dict(TINY).key()
    assert len(store.layers("nb201", store.table(first)["canonical"][0], "zico", settings))


def test_a_lost_worker_loses_no_candidate(store):
    run = start(store, budget=60)
    engine = Engine(store, workers=2)
    engine.step()
    workers = processes.workers(of=os.getpid())
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    serve(engine)
    engine.close()
    table = store.table(run)
    assert store.run(run).state == "finished"
    assert list(table["position"]) == list(range(60))
    assert table["zico"].notna().all()


@pytest.mark.parametrize(("kills", "budget"), [(1, 40), pytest.param(20, 500, marks=pytest.mark.long)])
def test_an_engine_killed_again_and_again_ends_with_the_table_of_an_undisturbed_run(store, url, kills, budget):
    """No candidate lost, none scored twice; the score cache cannot help, since the quiet run comes last."""
    draw = random.Random(0)
    run = start(store, budget=budget)
    for kill in range(kills):
        before = store.run(run).scored
        process = launch(url)
        try:
            goal = min(before + draw.randrange(1, 24), budget - 10)
            wait_until(lambda goal=goal: store.run(run).scored >= goal)
            time.sleep(draw.random() * 0.05)
            workers = processes.workers(of=process.pid)
        finally:
            process.kill()
            process.wait()
        assert store.run(run).state == "running", f"over after {kill} kills"
    wait_until(lambda: not any(processes.alive(pid) for pid in workers), 10)
    process = launch(url)
    try:
        wait_until(lambda: store.run(run).state == "finished", 120)
    finally:
        process.terminate()
        process.wait(30)
    disturbed = store.table(run)
    assert list(disturbed["position"]) == list(range(budget))
    assert disturbed["arch"].is_unique and disturbed["scored"].is_unique
    quiet_store = Store(url.replace("store.db", "quiet.db"))
    quiet = start(quiet_store, budget=budget)
    engine = Engine(quiet_store, workers=2)
    serve(engine)
    engine.close()
    pd.testing.assert_frame_equal(disturbed.drop(columns=["scored"]), scores(quiet_store, quiet))
    quiet_store.close()


def test_the_engine_ends_with_the_program_that_started_it(store, url):
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys, time\n"
            f"engine = subprocess.Popen([sys.executable, '-m', 'nas_core', 'engine', '--store', {url!r}])\n"
            "print(engine.pid, flush=True)\n"
            "time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    engine = int(starter.stdout.readline())
    run = start(store, budget=5000)
    try:
        wait_until(lambda: store.run(run).scored > 0)
    finally:
        starter.kill()
        starter.wait()
    wait_until(lambda: not processes.alive(engine), 20)
    assert store.run(run).engine is None  # given back, so that another engine need not wait
