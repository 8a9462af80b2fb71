"""Scoring one architecture: the same value in every order, process and spelling of a cell; dead cells stay finite."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
import torch

from nas_core import proxies, scoring, spaces
from nas_core.proxies import ScoreSettings

SPACE = spaces.get("nb201")
SETTINGS = ScoreSettings(batches=2, batch_size=4, image_size=8, channels=4)
CELLS = [(3, 2, 4, 1, 3, 2), (0, 0, 0, 0, 0, 0), (1, 1, 1, 1, 1, 1), (3, 3, 3, 3, 3, 3)]
NAMES = ["zico", "grad_norm", "naswot"]
PROGRAM = """
import json, sys
from nas_core import scoring
from nas_core.proxies import ScoreSettings
scoring.start_worker()
cells, names, settings = json.loads(sys.argv[1])
settings = ScoreSettings.from_dict(settings)
found = {str(cell): scoring.score_architecture("nb201", tuple(cell), names, settings).values for cell in cells}
print(json.dumps(found))
"""


def _in_a_process(cells: list[tuple[int, ...]], names: list[str]) -> dict[str, dict[str, float]]:
    job = json.dumps([cells, names, SETTINGS.to_dict()])
    ran = subprocess.run([sys.executable, "-c", PROGRAM, job], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_two_processes_and_two_orders_give_identical_values():
    assert _in_a_process(CELLS, NAMES) == _in_a_process(CELLS[::-1], NAMES[::-1])


def test_cells_that_are_the_same_network_share_one_score():
    cell = next(arch for arch in SPACE.architectures() if SPACE.canonical(arch) != arch and arch[3] == 3)
    first, second = (scoring.score_architecture(SPACE, a, ["zico"], SETTINGS) for a in (cell, SPACE.canonical(cell)))
    assert first.values == second.values and first.canonical == SPACE.format(SPACE.canonical(cell))


def test_the_seed_matters_and_the_callers_generator_does_not():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = scoring.score_architecture(SPACE, CELLS[0], ["zico"], SETTINGS).values
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert scoring.score_architecture(SPACE, CELLS[0], ["zico"], SETTINGS).values == first
    other = ScoreSettings(**{**SETTINGS.to_dict(), "seed": 1})
    assert scoring.score_architecture(SPACE, CELLS[0], ["zico"], other).values != first


def test_every_proxy_scores_a_cell_in_one_call_and_the_result_travels():
    found = scoring.score_architecture("nb201", CELLS[0], proxies.names(), SETTINGS)
    assert set(found.values) == set(found.seconds) == set(proxies.names())
    assert pickle.loads(pickle.dumps(found)).values == found.values
    assert {row["layer"] for row in found.layers["zico"]} >= {"stem.0", "classifier"}


def test_closed_forms_describe_the_full_scale_whatever_the_settings():
    expected = SPACE.closed_forms([CELLS[0]])
    for settings in (SETTINGS, ScoreSettings.published()):
        values = scoring.score_architecture(SPACE, CELLS[0], ["params", "flops"], settings).values
        assert values == {"params": expected["params"].iloc[0], "flops": expected["flops"].iloc[0]}


def test_a_cell_without_a_live_path_scores_the_empty_sum_and_below_every_live_cell():
    dead, *live = (scoring.score_architecture(SPACE, CELLS[k], ["zico"], SETTINGS).values["zico"] for k in (1, 0, 2, 3))
    assert dead == 0 < min(live)


def test_unknown_proxy_and_data_set_are_refused():
    with pytest.raises(ValueError, match="unknown proxy 'nope'"):
        scoring.score_architecture(SPACE, CELLS[0], ["nope"], SETTINGS)
    with pytest.raises(ValueError, match="unknown data set 'nope'"):
        scoring.score_architecture(SPACE, CELLS[0], ["zico"], ScoreSettings(data="nope"))
