"""Scores averaged over seeds: what they are, how settings name them, and where the values of single seeds are kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.laboratory import leader_board, single_seeds
from nas_core import bench, scoring, spaces
from nas_core.cli._seed_columns import columns_by_seed, seed_column
from nas_core.engine import Engine
from nas_core.proxies import ScoreSettings
from nas_core.store import Store
from tests.runs import make_run

SPACE = spaces.get("nb201")
TINY = ScoreSettings(batches=2, batch_size=2, image_size=8, channels=4)
CELLS = [(3, 2, 4, 1, 3, 2), (2, 3, 3, 1, 0, 2), (3, 3, 3, 3, 3, 3)]


def test_a_score_over_seeds_is_the_mean_of_the_scores_of_each():
    settings = replace(TINY, seed=4, seeds=3)
    found = scoring.score_architectures(SPACE, CELLS, ["zico", "naswot", "params"], settings)
    alone = [
        scoring.score_architectures(SPACE, CELLS, ["zico", "naswot"], replace(TINY, seed=seed)) for seed in (4, 5, 6)
    ]
    for k, one in enumerate(found):
        for name in ("zico", "naswot"):
            single = [scores[k].values[name] for scores in alone]
            assert one.by_seed[name] == pytest.approx(single) and len(set(single)) == 3
            assert one.values[name] == pytest.approx(np.mean(single))
        assert "params" not in one.by_seed and one.values["params"] > 0
        assert one.layers["zico"] == alone[0][k].layers["zico"]


def test_settings_name_their_seeds_and_one_seed_has_the_key_of_before():
    assert "seeds" not in TINY.key()
    several = replace(TINY, seed=2, seeds=3)
    assert ScoreSettings.from_key(several.key()) == several
    assert ScoreSettings.from_key(TINY.key()) == TINY
    assert several.difference(TINY) == "seed 2, seeds 3"
    assert several.single() == tuple(replace(TINY, seed=seed) for seed in (2, 3, 4))
    with pytest.raises(ValueError, match="seeds: got 0, expected at least 1"):
        replace(TINY, seeds=0)


def test_columns_of_single_seeds_are_told_from_scores():
    names = ["arch", "zico", seed_column("zico", 10), seed_column("zico", 9), "naswot", "x@seedy"]
    assert columns_by_seed(names) == {"zico": ["zico@seed9", "zico@seed10"]}


def test_a_run_over_seeds_keeps_every_seed_and_its_intervals_know_them(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    settings = replace(TINY, seeds=2)
    words = {"strategy": "random", "proxies": ["zico"], "rank_by": "zico", "settings": settings.to_dict(), "budget": 40}
    run = make_run(store, "nb201", words)
    store.command(run, "start")
    with ThreadPoolExecutor(1) as executor:
        engine = Engine(store, executor=executor)
        while engine.step():
            pass
        engine.close()
    rows = store.candidates(run)
    held = [store.scores("nb201", "zico", single.key()) for single in settings.single()]
    for row in rows:
        pair = [one[row.canonical] for one in held]
        assert row.values["zico"] == pytest.approx(np.mean(pair))
        assert row.standard_error == pytest.approx(abs(pair[0] - pair[1]) / 2)
    cockpit = Cockpit(store)
    view = cockpit.view(run)
    seeds = single_seeds(cockpit, view, "zico")
    assert np.mean(seeds, axis=0) == pytest.approx(view.oriented("zico"))
    truth = bench.truth("nb201")["cifar10"].to_numpy()[view.indices]
    everything = np.arange(len(view.indices))
    boards = [
        leader_board(view, truth, everything, view.aggregate, by_seed=given)[:] for given in ({}, {"zico": seeds})
    ]
    plain, wider = (next(row for row in board if row["score"] == "zico")["numbers"] for board in boards)
    assert wider["tau"] == plain["tau"]
    assert wider["tau_high"] - wider["tau_low"] > plain["tau_high"] - plain["tau_low"]
    store.close()
