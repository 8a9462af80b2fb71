"""Several runs on one engine: all of them move, by equal shares, and what a page asks for does not wait for them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from nas_core import spaces
from nas_core.config import RunConfig
from nas_core.engine import Engine
from nas_core.proxies.settings import ScoreSettings
from nas_core.search.objectives import Objective
from nas_core.store import Store
from tests.other_package import create, engine, install, left_behind, wait_until, workers_of

SPACE = spaces.get("nb201")
TINY = ScoreSettings(image_size=8, batch_size=2, channels=4)
COUNTED = '''
import hashlib, os, time
from nas_core.proxies import Needs, ProxyScore


class Counted:
    """Tells a file of every network that it is computed for."""

    name = "counted"
    higher_is_better = True
    needs = Needs.FORWARD
    summary = "counts how often it is computed"
    version = 1

    def score(self, model, batches):
        digest = hashlib.md5(repr(model).encode()).hexdigest()
        time.sleep(0.01)
        with open(os.environ["COUNTED"], "a") as file:
            file.write(f"{digest} {batches[0][0].flatten()[0].item()}\\n")
        return ProxyScore(float(int(digest[:8], 16)))
'''


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def serving(store, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "nas_core", "engine", "--store", store.url, "--workers", "2", *arguments]
    )


def started(store, config):
    run = store.create_run(config)
    store.command(run, "start")
    return run


def ended(process):
    process.terminate()
    assert process.wait(timeout=30) == 0


@pytest.mark.long
def test_three_runs_on_two_workers_all_advance_by_equal_shares(store):
    runs = [started(store, RunConfig(settings=TINY, seed=seed, strategy="random", budget=3000)) for seed in range(3)]
    process = serving(store)
    try:
        wait_until(lambda: all(store.run(run).scored for run in runs))
        before = [store.run(run).scored for run in runs]
        wait_until(lambda: min(store.run(run).scored - had for run, had in zip(runs, before, strict=True)) >= 120)
        shares = [store.run(run).scored - had for run, had in zip(runs, before, strict=True)]
    finally:
        ended(process)
    assert max(shares) < 1.2 * min(shares), shares


def test_a_training_and_a_second_search_go_on_beside_a_scan(store):
    scan = started(store, RunConfig(settings=TINY, strategy="scan", batch=32))
    process = serving(store)
    try:
        wait_until(lambda: store.run(scan).scored > 0)
        search = started(store, RunConfig(settings=TINY, seed=1, budget=40))
        arch = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
        alone = started(
            store,
            RunConfig(
                task="alone",
                scores=("trained",),
                objective=Objective(score="trained"),
                budget=1,
                supernet={"arch": arch, "epochs": 2, "channels": 4},
            ),
        )
        wait_until(lambda: all(store.run(run).state == "finished" for run in (search, alone)))
        assert store.run(scan).state == "running" and store.run(scan).scored < 6466
    finally:
        ended(process)


def test_an_export_asked_for_during_a_scan_arrives_within_fifteen_seconds(store):
    scan = started(store, RunConfig(strategy="scan", batch=32))
    process = serving(store)
    try:
        wait_until(lambda: store.run(scan).scored > 32)
        arch = store.candidates(scan)[0].arch
        began = time.monotonic()
        request = store.append(scan, "request", {"what": "export", "arch": arch, "kind": "py"})
        wait_until(lambda: bool(store.log(scan, kind="answer")), 60)
        took = time.monotonic() - began
        (answer,) = store.log(scan, kind="answer")
        assert answer.body["request"] == request and answer.body["message"] == ""
        assert b"class" in store.file(scan, answer.body["file"])
        assert store.run(scan).state == "running"
    finally:
        ended(process)
    assert took < 15, took


@pytest.mark.long
@pytest.mark.parametrize("kills", [2, 20])
def test_kills_of_engine_and_workers_lose_nothing_and_store_nothing_twice(tmp_path, kills):
    """Three runs at once; the undisturbed ones run in a store of their own, where no cache can help."""
    environment = install(tmp_path, "counting", COUNTED, ["Counted"])
    environment["COUNTED"] = str(tmp_path / "counted")
    budget = 30 * kills
    configs = [
        RunConfig.from_dict(
            {
                "strategy": strategy,
                "scores": ["counted"],
                "objective": {"score": "counted"},
                "settings": {**TINY.to_dict(), "seed": seed},
                "seed": seed,
                "budget": budget,
                "limits": {"tries": 5},
            }
        )
        for seed, strategy in enumerate(("evolution", "random", "genetic"))
    ]
    stores = [Store(f"sqlite:///{tmp_path / name}.db") for name in ("killed", "quiet")]
    runs = [[create(environment, store, config) for config in configs] for store in stores]
    computed = _killed(environment, stores[0], runs[0], kills, 3 * budget)
    process = engine(environment, stores[1], "--once")
    assert process.wait(timeout=600) == 0
    assert stores[0].check() == []
    for killed, quiet in zip(*runs, strict=True):
        assert stores[0].run(killed).state == stores[1].run(quiet).state == "finished"
        tables = [store.table(run).drop(columns=["scored"]) for store, run in zip(stores, (killed, quiet), strict=True)]
        pd.testing.assert_frame_equal(*tables)
        assert list(tables[0]["position"]) == list(range(budget))
    again = len(computed) - len(set(computed))
    print(f"{again} of {len(set(computed))} architectures computed more than once in {kills} kills")
    in_hand = 2 * 2 * 4  # two workers, two groups each, four candidates in a group
    assert again <= kills * in_hand, (again, kills)


def _killed(environment, store, runs, kills, total):
    """Kill the engine or a worker again and again while the runs go on, then let them end; what was computed."""
    draw = random.Random(0)
    process = engine(environment, store)
    for kill in range(kills):
        scored = sum(store.run(run).scored for run in runs)
        goal = min(scored + draw.randrange(3, 20), total - 20)
        wait_until(lambda goal=goal: sum(store.run(run).scored for run in runs) >= goal)
        time.sleep(draw.random() * 0.05)
        workers = workers_of(environment)
        if kill % 2 and workers:
            os.kill(draw.choice(workers), signal.SIGKILL)
        else:
            process.kill()
            process.wait()
            process = engine(environment, store)
    wait_until(lambda: all(store.run(run).state == "finished" for run in runs), 600)
    ended(process)
    wait_until(lambda: not left_behind(environment), 15)
    with open(environment["COUNTED"]) as file:
        return file.read().splitlines()


def test_an_engine_takes_up_the_runs_of_one_that_ended(store):
    runs = [started(store, RunConfig(settings=TINY, scores=("params",), objective=Objective(score="params"), seed=seed,
                                     budget=64)) for seed in range(3)]  # fmt: skip
    first = Engine(store, workers=1)
    for _ in range(4):
        first.step()
    first.close()
    assert all(store.run(run).engine is None for run in runs)
    second = Engine(store, workers=1)
    while second.step():
        pass
    second.close()
    assert [store.run(run).scored for run in runs] == [64, 64, 64]
