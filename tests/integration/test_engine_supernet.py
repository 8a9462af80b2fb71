"""Shared weights in the engine: trained, killed, steered, searched, replayed; and one network trained alone."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch

from nas_core import spaces
from nas_core.engine import Engine
from nas_core.spaces import Act, ImageShape
from nas_core.spaces.template import PRESETS
from nas_core.store import Store, StoreError, replay, session_script
from nas_core.supernet import Ranker, loads
from tests.runs import make_run

DOCUMENT = PRESETS["Residual"]().to_dict()
SPACE = spaces.define(DOCUMENT)
CONFIG = {
    "strategy": "evolution",
    "proxies": ["one_shot", "hits"],
    "rank_by": "one_shot",
    "budget": 24,
    "batch": 8,
    "template": DOCUMENT,
    "supernet": {"data": "digits", "sampling": "uniform", "epochs": 6},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")


@pytest.fixture(scope="module")
def engine(store):
    engine = Engine(store, workers=2)
    yield engine
    engine.close()


def work(store, engine, run):
    store.command(run, "start")
    while store.run(run).state in ("queued", "running"):
        engine.step()
    return store.run(run)


@pytest.fixture(scope="module")
def searched(store, engine):
    """A run whose weights were trained and whose candidates were scored on them."""
    run = make_run(store, SPACE.name, CONFIG)
    assert work(store, engine, run).state == "finished"
    return run


def weights_of(store, run):
    return loads(store.file(run)).supernet.state_dict()


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_weights_are_trained_first_and_candidates_scored_on_them(store, searched):
    losses = [entry.body for entry in store.log(searched, kind="loss")]
    assert [loss["epoch"] for loss in losses] == [1, 2, 3, 4, 5, 6]
    assert losses[-1]["validation"] < losses[0]["validation"]
    table = store.table(searched)
    assert len(table) == 24
    assert table["one_shot"].notna().all()
    assert table["hits"].between(0, 1).all()
    assert set(table["weights_step"]) == {losses[-1]["step"]}


def test_one_shot_scores_are_not_kept_for_other_weights(store, searched):
    assert store.settings(SPACE.name, "one_shot") == {}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(("kills", "epochs"), [(1, 6), (3, 25)])
def test_training_killed_again_and_again_ends_in_the_same_weights(store, searched, kills, epochs):
    """Promise 5 of the supernet, in the engine: the loss curve goes on, equal seeds give equal weights."""
    run = make_run(store, SPACE.name, {**CONFIG, "budget": 8, "supernet": {**CONFIG["supernet"], "epochs": epochs}})
    calm = make_run(store, SPACE.name, {**CONFIG, "budget": 8, "supernet": {**CONFIG["supernet"], "epochs": epochs}})
    store.command(run, "start")
    command = [sys.executable, "-m", "nas_core", "engine", "--store", store.url, "--workers", "1"]
    environment = {**os.environ, "NAS_HELM_LEASE_SECONDS": "1"}
    killed = 0
    deadline = time.monotonic() + 1500
    while store.run(run).state in ("queued", "running") and time.monotonic() < deadline:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        before = len(store.log(run, kind="loss"))
        while store.run(run).state in ("queued", "running") and len(store.log(run, kind="loss")) == before:
            time.sleep(0.05)
        if killed < kills and store.run(run).scored == 0:
            process.send_signal(signal.SIGKILL)
            killed += 1
        else:
            while store.run(run).state in ("queued", "running") and time.monotonic() < deadline:
                time.sleep(0.1)
            process.terminate()
        process.wait(timeout=60)
    assert killed == kills
    assert store.run(run).state == "finished"
    undisturbed = Engine(store, workers=1, among=[calm])
    work(store, undisturbed, calm)
    undisturbed.close()
    steps = [entry.body["step"] for entry in store.log(run, kind="loss")]
    assert steps == sorted(set(steps))
    assert steps == [entry.body["step"] for entry in store.log(calm, kind="loss")]
    assert equal(weights_of(store, run), weights_of(store, calm))
    assert store.table(run)["one_shot"].tolist() == store.table(calm)["one_shot"].tolist()


def test_a_block_pruned_in_training_is_never_trained_again_and_never_asked_for(store, engine):
    act = Act("prune", SPACE.decisions[1].name, ("on",)).to_dict()
    script = {"acts": [{"at": 0, "step": 25, "act": act}], "asks": []}
    run = make_run(store, SPACE.name, {**CONFIG, "script": script})
    work(store, engine, run)
    assert store.task_state(run)["course"]["steps"] == [[25, 1]]
    assert all(SPACE.parse(arch)[1] == 0 for arch in store.table(run)["arch"])
    trainer = loads(store.file(run))
    pruned = [weight.detach().clone() for weight in trainer.supernet.weights_of(1, 1)]
    trainer.extend(8)
    for _ in range(5):
        trainer.step()
    assert all(torch.equal(a, b) for a, b in zip(pruned, trainer.supernet.weights_of(1, 1), strict=True))


def test_a_steered_session_repeats_exactly_with_acts_in_training_and_training_in_between(store, engine):
    acts = [
        {"at": 0, "step": 25, "act": Act("prune", SPACE.decisions[3].name, ("on",)).to_dict()},
        {"at": 16, "step": None, "act": Act("pin", SPACE.decisions[1].name, ("on",)).to_dict()},
    ]
    run = make_run(store, SPACE.name, {**CONFIG, "script": {"acts": acts, "asks": []}})
    work(store, engine, run)
    ends = []
    for epochs in (7, 9):  # twice in a row: the learning rate fell twice
        ends.append(store.log(run, kind="loss")[-1].body["step"])
        store.command(run, "train", epochs=epochs)
        work(store, engine, run)
    store.command(run, "extend", budget=40)
    work(store, engine, run)
    budgets = store.task_state(run)["course"]["trainings"]
    assert budgets == [[0, 0, 6.0], [24, ends[0], 7.0], [24, ends[1], 9.0]]
    script = session_script(store, run)
    written = {name: script["config"]["supernet"][name] for name in ("epochs", "learning_rate", "normalise_pools")}
    assert written == {"epochs": 9.0, "learning_rate": 0.3, "normalise_pools": True}  # two of them defaults of the day
    again = replay(store, script)
    work(store, engine, again)
    first, second = store.table(run), store.table(again)
    assert len(first) == 40
    assert first["arch"].tolist() == second["arch"].tolist()
    assert first["one_shot"].tolist() == second["one_shot"].tolist()
    assert set(first["weights_step"]) == {store.log(run, kind="loss")[-1].body["step"]}
    assert equal(weights_of(store, run), weights_of(store, again))
    # Half of it was scored before the weights were trained on, and again after.
    assert sum(entry.body["candidates"] for entry in store.log(run, kind="rescored")) == 2 * 24
    ranker = Ranker(loads(store.file(run)))
    on_these_weights = ranker.scores([SPACE.parse(arch) for arch in first["arch"][:8]])["one_shot"]
    assert first["one_shot"][:8].tolist() == pytest.approx(on_these_weights.tolist(), rel=1e-5)
    told = store.task_state(run)["strategy"]["population"]  # as it was before the last generation was told
    assert [tuple(arch) for arch, _ in told] == [SPACE.parse(arch) for arch in first["arch"][:32]]
    assert [value for _, value in told] == first["one_shot"][:32].tolist()


@pytest.mark.long
def test_a_budget_raised_in_mid_training_repeats_exactly_and_a_replay_trains_on(store, engine):
    run = make_run(store, SPACE.name, CONFIG)
    store.command(run, "start")
    while not store.log(run, kind="loss"):
        engine.step()
    store.command(run, "train", epochs=9)
    work(store, engine, run)
    (_, (asked, step, epochs)) = store.task_state(run)["course"]["trainings"]
    assert (asked, epochs) == (0, 9.0) and 0 < step < store.log(run, kind="loss")[-1].body["step"]
    script = session_script(store, run)
    older = {**script, "trainings": [[0, 9.0]]}  # as written before steps were kept
    assert work(store, engine, replay(store, older)).state == "finished"
    again = replay(store, script)
    work(store, engine, again)
    assert equal(weights_of(store, run), weights_of(store, again))
    assert store.table(run)["one_shot"].tolist() == store.table(again)["one_shot"].tolist()
    store.command(again, "train", epochs=10)
    work(store, engine, again)
    assert not equal(weights_of(store, run), weights_of(store, again))


def pause_once_scored_again(store, run):
    while "again" not in store.run(run).message:
        time.sleep(0.005)
    store.command(run, "pause")


def test_values_on_new_weights_are_told_also_where_scoring_them_was_interrupted(store, engine):
    run = make_run(store, SPACE.name, CONFIG)
    work(store, engine, run)
    store.command(run, "train", epochs=7)
    store.command(run, "extend", budget=32)
    pausing = threading.Thread(target=pause_once_scored_again, args=(store, run))
    pausing.start()
    while store.run(run).state in ("queued", "running"):
        engine.step()
    pausing.join()
    assert store.run(run).state == "paused"
    assert store.table(run)["weights_step"].nunique() == 1  # what workers had in hand is written: nothing is left
    work(store, engine, run)
    told = store.task_state(run)["strategy"]["population"]
    assert [value for _, value in told] == store.table(run)["one_shot"][:24].tolist()


def test_a_network_trained_alone_has_a_curve_weights_and_an_accuracy(store, engine):
    arch = "1|100|100|10|100|100"
    supernet = {"data": "digits", "epochs": 6, "arch": arch, "learning_rate": 0.1}
    config = {**CONFIG, "proxies": ["trained"], "rank_by": "trained", "budget": 1, "supernet": supernet}
    run = make_run(store, SPACE.name, config)
    assert work(store, engine, run).state == "finished"
    (accuracy,) = store.table(run)["trained"]
    assert accuracy > 50
    assert store.table(run)["arch"].tolist() == [arch]
    curve = [entry.body for entry in store.log(run, kind="loss")]
    assert len(curve) == 6
    assert curve[-1]["accuracy"] > curve[0]["accuracy"]
    alone = {name.removeprefix("network."): value for name, value in weights_of(store, run).items()}
    SPACE.build(SPACE.parse(arch)).load_state_dict(alone)
    store.command(run, "train", epochs=12)
    assert work(store, engine, run).state == "finished"
    assert store.table(run)["trained"].tolist() != [accuracy]
    assert store.table(run)["scored"].tolist() == [1]


def exported(store, engine, run, arch):
    """Name and content of the file that the engine answers a page's request with."""
    request = store.append(run, "request", {"what": "export", "arch": arch, "kind": "state-dict"})
    while not (told := [entry.body for entry in store.log(run, kind="answer") if entry.body["request"] == request]):
        engine.step()
    assert told[0]["message"] == ""
    return told[0]["filename"], store.file(run, told[0]["file"])


def test_an_untrained_candidate_is_exported_for_the_images_of_its_run(store, engine, searched):
    arch = store.table(searched)["arch"].iloc[0]
    name, data = exported(store, engine, searched, arch)
    weights = torch.load(io.BytesIO(data), weights_only=True)
    other, _ = exported(store, engine, searched, store.table(searched)["arch"].iloc[1])
    assert name.startswith(f"fresh-{searched}-") and name != other
    SPACE.build(SPACE.parse(arch), input=ImageShape(1, 8, 8)).load_state_dict(weights)


def test_a_training_is_paused_and_goes_on(store, engine):
    run = make_run(store, SPACE.name, {**CONFIG, "supernet": {**CONFIG["supernet"], "epochs": 60}})
    store.command(run, "start")
    while not store.log(run, kind="loss"):
        engine.step()
    store.command(run, "pause")
    engine.step()
    seen = len(store.log(run, kind="loss"))
    engine.step()
    assert store.run(run).state == "paused"
    assert len(store.log(run, kind="loss")) == seen
    store.command(run, "resume")
    engine.step()
    engine.step()
    assert len(store.log(run, kind="loss")) > seen
    store.command(run, "stop")
    engine.step()


def test_bad_settings_fail_the_run_with_one_sentence(store, engine):
    run = make_run(store, SPACE.name, {**CONFIG, "supernet": {"data": "npz:/nothing.npz", "epochs": 1}})
    failed = work(store, engine, run)
    assert failed.state == "failed"
    assert failed.message == "data set 'npz:/nothing.npz': there is no '/nothing.npz'"
    with pytest.raises(ValueError, match=r"supernet\.data: got 'nothing', expected one of: digits"):
        make_run(store, SPACE.name, {**CONFIG, "supernet": {"data": "nothing", "epochs": 1}})
    with pytest.raises(ValueError, match="scores: one_shot needs trained weights"):
        make_run(store, "nb201", {**CONFIG, "template": None, "supernet": None})
    with pytest.raises(ValueError, match="no template"):
        make_run(store, "template:x", {**CONFIG, "template": {"format": "x"}})
    with pytest.raises(StoreError, match="unknown command"):
        store.command(run, "fly")
