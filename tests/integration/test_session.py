"""Sessions as scripts: what was steered by hand comes out the same again, and a twin shows what the steering gained."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nas_core import spaces
from nas_core.cli._session import compare_runs
from nas_core.engine import Engine
from nas_core.spaces import Act, Steering
from nas_core.store import Store, StoreError, replay, session_script, twin, twin_of
from tests import commands
from tests.runs import make_run

SPACE = spaces.get("nb201")


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@pytest.fixture(scope="module")
def executor():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def helm(*arguments: str) -> subprocess.CompletedProcess:
    return commands.run(*arguments)


def created(store: Store, **changes) -> str:
    config = {"strategy": "evolution", "proxies": ["flops"], "rank_by": "flops", "seed": 3, "budget": 150, "batch": 8}
    return make_run(store, "nb201", {**config, **changes}, "by hand")


def carried(store: Store, executor, run: str) -> list[str]:
    """Carry a run to its end, by a new engine every other generation; what was asked, in order."""
    if store.run(run).state == "created":
        store.command(run, "start")
    while store.run(run).state in ("queued", "running"):
        engine = Engine(store, executor=executor)
        for _ in range(3):  # the first step tells a strategy again what its predecessor was told
            engine.step()
        engine.close()
    return store.table(run)["arch"].tolist()


@pytest.fixture
def steered(store, executor):
    """A run steered by hand: pinned, undone, pruned, paused, extended."""
    run = created(store)
    store.command(run, "start")
    moves = {
        3: lambda: store.append(run, "act", Act("pin", "edge 0→1", ("nor_conv_1x1", "skip_connect")).to_dict()),
        6: lambda: store.append(run, "act", Act("undo", target=0).to_dict()),
        8: lambda: store.append(run, "act", Act("prune", "*", ("nor_conv_3x3",)).to_dict()),
        9: lambda: (store.command(run, "pause"), store.command(run, "resume")),
    }
    engine = Engine(store, executor=executor)
    for step in range(12):
        moves.get(step, lambda: None)()
        engine.step()
    engine.close()
    carried(store, executor, run)
    store.command(run, "extend", budget=177)
    carried(store, executor, run)
    return run


def test_a_replay_asks_the_same_candidates_and_makes_the_same_choice(store, executor, steered):
    script = json.loads(json.dumps(session_script(store, steered)))
    assert [entry["act"]["kind"] for entry in script["acts"]] == ["pin", "undo", "prune"]
    assert [entry["at"] for entry in script["acts"]] == [24, 48, 64]
    again = replay(store, script)
    assert carried(store, executor, again) == store.table(steered)["arch"].tolist()
    assert len(store.table(again)) == 177
    best = [store.table(run).sort_values("flops", kind="stable")["arch"].iloc[-1] for run in (steered, again)]
    assert best[0] == best[1]
    assert session_script(store, again)["acts"] == script["acts"]


def test_a_twin_is_the_same_run_without_the_acts(store, executor, steered):
    identifier = twin(store, steered)
    archs, other = store.table(steered)["arch"].tolist(), carried(store, executor, identifier)
    assert len(other) == len(archs) and other[:24] == archs[:24] and other[24:32] != archs[24:32]
    assert store.log(identifier, kind="act") == []
    assert twin_of(store, store.run(steered)).id == identifier == twin(store, steered)
    assert not any(state == "replay" for state in session_script(store, identifier)["acts"])


def test_the_scripted_analyst_prunes_once_a_generation_until_a_third_is_gone_even_if_engines_come_and_go(
    store, executor
):
    run = created(store, analyst=True, seed=5)
    carried(store, executor, run)
    acts = [Act.from_dict(entry.body) for entry in store.log(run, kind="act")]
    assert [act.kind for act in acts] == ["prune"] * 10 and {act.author for act in acts} == {"analyst"}
    assert all("lowest fitness" in act.note for act in acts)
    assert [entry["at"] for entry in session_script(store, run)["acts"]] == [8 * k for k in range(1, 11)]
    left = Steering.fold(SPACE, acts)
    assert sum(map(len, left.allowed)) == 20
    assert left.mask([SPACE.parse(text) for text in store.table(run)["arch"][80:]]).all()


@pytest.mark.parametrize("seeds", [3, pytest.param(10, marks=pytest.mark.long)])
def test_the_analyst_reaches_the_unsteered_best_ten_with_at_most_half_the_evaluations(store, executor, seeds):
    size = {"proxies": ["sum_log_layer_size"], "rank_by": "sum_log_layer_size"}
    shares = []
    for seed in range(seeds):
        run = created(store, **size, analyst=True, seed=seed, budget=400)
        carried(store, executor, run)
        other = twin(store, run)
        carried(store, executor, other)
        found = compare_runs(store, store.run(run), store.run(other))
        assert found.n == 400
        shares.append(np.inf if found.reached is None else found.reached / found.n)
    assert np.median(shares) <= 0.5


def test_replay_and_twin_on_the_command_line(store, executor, steered, tmp_path):
    path = tmp_path / "session.json"
    assert helm("replay", steered, "--script", str(path), "--store", store.url).returncode == 0
    again = json.loads(helm("replay", str(path), "--store", store.url, "--json").stdout)
    table = store.table(steered)
    assert again["scored"] == len(table)
    assert again["choice"] == table.sort_values("flops", ascending=False, kind="stable")["arch"].iloc[0]
    compared = helm("twin", steered, "--store", store.url)
    assert "difference" in compared.stdout and "median over 1 pairs" in compared.stdout


@pytest.mark.long
def test_an_aggregate_without_a_budget_is_replayed_and_its_paused_twin_carried_to_the_end(store, executor, tmp_path):
    config = {"strategy": "random", "proxies": ["flops", "params"], "rank_by": "aggregate", "seed": 1}
    act = Act("prune", "*", ("none", "skip_connect", "avg_pool_3x3")).to_dict()
    run = make_run(store, "nb201", config)
    store.append(run, "act", act)
    archs = carried(store, executor, run)
    assert len(archs) == 64  # all that the act leaves
    script = {**session_script(store, run), "config": config}
    (tmp_path / "s.json").write_text(json.dumps(script))
    again = json.loads(helm("replay", str(tmp_path / "s.json"), "--store", store.url, "--json").stdout)
    assert again["scored"] == 64
    assert SPACE.closed_forms([SPACE.parse(again["choice"])])["flops"].iloc[0] == store.table(run)["flops"].max()
    other = twin(store, run)
    engine = Engine(store, executor=executor)
    store.command(other, "start")
    engine.step()
    store.command(other, "pause")
    engine.step()
    engine.close()
    assert 0 < store.run(other).asked < 64
    (pair,) = json.loads(helm("twin", run, "--store", store.url, "--json").stdout)["pairs"]
    assert (pair["twin"], pair["n"]) == (other, 64)
    assert store.run(other).state == "finished"


def test_a_run_without_candidates_has_nothing_to_compare(store):
    done = helm("twin", created(store, budget=8), "--store", store.url)
    assert done.returncode == 2 and "has no candidates" in done.stderr


SCRIPT = '{"format": "nas-helm-session/1", "space": "nb201", "config": {}, %s}'


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("[]", "expected a JSON object"),
        ("not json", "is no session script"),
        ('{"format": "other/1", "space": "nb201", "config": {}, "acts": [], "asks": []}', "format is 'other/1'"),
        ('{"format": "nas-helm-session/1", "space": "nb201", "config": {}}', "acts is None"),
        (SCRIPT % '"acts": [{"at": 3}], "asks": []', "acts holds {'at': 3}; expected at"),
        (SCRIPT % '"acts": [], "asks": [[8]]', "asks holds [8]; expected"),
        (SCRIPT % '"acts": [], "asks": [], "trainings": [[3.0]]', "trainings holds [3.0]; expected"),
    ],
)
def test_what_is_no_script_is_one_line(tmp_path, content, part):
    (tmp_path / "session.json").write_text(content)
    done = helm("replay", str(tmp_path / "session.json"), "--store", f"sqlite:///{tmp_path / 'store.db'}")
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1 and part in done.stderr


def test_an_unknown_run_is_one_line(store):
    with pytest.raises(StoreError, match="unknown run 'nope'"):
        session_script(store, "nope")
    done = helm("twin", "nope", "--store", store.url)
    assert done.returncode == 2 and "unknown run 'nope'" in done.stderr
