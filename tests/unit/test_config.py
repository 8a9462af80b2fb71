"""RunConfig: one typed form, checked in one place, each refusal one line that names the field."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as drawn

from nas_core.config import CandidateLimits, RunConfig, strategy_names, task_names
from nas_core.engine import tasks
from nas_core.proxies.settings import ScoreSettings
from nas_core.search.objectives import Objective, ObjectiveKind

TEXTS = drawn.text(alphabet="ab:=,\n é", max_size=8)


def test_the_defaults_make_a_run():
    RunConfig().check()


def test_what_is_written_is_read_back():
    config = RunConfig(
        strategy="pareto",
        scores=("zico", "naswot"),
        objective=Objective(ObjectiveKind.PARETO, "zico", ("flops", "published/cifar10")),
        settings=ScoreSettings(image_size=8),
        budget=40,
        seed=3,
        limits=CandidateLimits(2.0, 500, 3),
        analyst=True,
        parent="abc",
    )
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": "nb2001"}, "unknown search space 'nb2001'; expected "),
        ({"task": "sing"}, "task: unknown task 'sing'; expected one of: alone, search"),
        ({"strategy": "evolutoin"}, "strategy: unknown strategy 'evolutoin'; expected one of: "),
        ({"scores": ["zyco"]}, "scores: unknown proxy 'zyco'; expected one of: "),
        ({"scores": []}, "scores: got 0, expected 1 to 64 names"),
        ({"scores": "zico"}, "scores: got 'zico', expected a list of names"),
        ({"scores": ["aggregate"]}, "scores: an aggregate is no score of its own"),
        ({"scores": ["one_shot"], "objective": {"score": "one_shot"}}, "scores: one_shot needs trained weights"),
        ({"objective": {"score": "naswot"}}, "objective: naswot is no score of the run; expected one of: zico"),
        ({"objective": {"kind": "aggregate"}}, "objective: an aggregate sums the ranks of several scores"),
        ({"objective": {"kind": "best"}}, "objective: unknown kind 'best'; expected one of: score, aggregate"),
        ({"objective": {"kind": "efficiency"}}, "objective: efficiency needs a cost"),
        ({"objective": {"kind": "efficiency", "costs": ["price"]}}, "objective: unknown cost 'price'"),
        ({"objective": {"kind": "efficiency", "costs": ["flops"], "weight": "much"}}, "objective: weight is 'much'"),
        ({"objective": {"kind": "score", "costs": ["flops"]}}, "objective: score takes no costs"),
        ({"objective": {"kind": "pareto", "costs": ["flops"]}}, "strategy: evolution with the objective pareto"),
        ({"strategy": "pareto"}, "strategy: pareto with the objective score; expected a pareto objective"),
        ({"budget": 10**12}, "budget: got 1000000000000, expected a whole number from 1 to 10,000,000"),
        ({"budget": "many"}, "budget: got 'many', expected a whole number"),
        ({"budget": True}, "budget: got True"),
        ({"budget": 0}, "budget: got 0"),
        ({"seed": -1}, "seed: got -1, expected a whole number from 0"),
        ({"batch": 0}, "batch: got 0"),
        ({"settings": {"image_size": 1}}, "settings: image_size: got 1, expected at least 4"),
        ({"settings": {"colour": 1}}, "settings: unknown setting 'colour'"),
        ({"settings": {"data": "cifar"}}, "settings.data: got 'cifar', expected one of: digits"),
        ({"settings": {"batch_size": "two"}}, "settings: "),
        ({"limits": {"seconds": 0}}, "limits.seconds: got 0, expected a number from 0.1"),
        ({"limits": {"hours": 1}}, "limits: unknown limit 'hours'"),
        ({"supernet": {"epochs": -1}}, "supernet: epochs: got -1"),
        ({"supernet": {"colour": 1}}, "supernet: unknown setting 'colour'"),
        ({"supernet": {"data": "cifar"}}, "supernet.data: got 'cifar'"),
        ({"task": "alone"}, "supernet: the task alone trains weights; expected their settings"),
        ({"task": "alone", "supernet": {}}, "supernet: a network trained alone needs arch"),
        ({"task": "search:fast=1"}, "task: search has no option"),
        ({"colour": 1}, "configuration: unknown field 'colour'; expected: "),
    ],
)
def test_what_no_run_can_be_made_of_is_refused_in_one_line_that_names_the_field(changes, message):
    with pytest.raises(ValueError) as error:
        RunConfig.from_dict({"objective": {}, **changes}).check()
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_space_too_large_to_walk_is_refused_for_a_scan():
    with pytest.raises(ValueError, match="strategy: scan walks the whole space, and nb101 is too large"):
        RunConfig(space="nb101", strategy="scan").check()


def test_the_form_of_before_objectives_is_read():
    old = {"proxies": ["zico", "flops"], "rank_by": "aggregate", "strategy": "evolution", "budget": 120, "seed": None}
    found = RunConfig.from_dict(old)
    assert (found.scores, found.rank_by, found.budget, found.seed) == (("zico", "flops"), "aggregate", 120, 0)
    pareto = RunConfig.from_dict({"strategy": "pareto", "proxies": ["zico"], "costs": ["flops"]})
    assert pareto.objective == Objective(ObjectiveKind.PARETO, "zico", ("flops",))
    alone = RunConfig.from_dict({"strategy": "alone", "proxies": ["trained"], "supernet": {"arch": "x"}, "budget": 1})
    assert (alone.task, alone.alone, alone.rank_by) == ("alone", "x", "trained")
    assert RunConfig.from_dict({"rank_by": "zico"}).scores == ("zico",)


def test_a_stored_configuration_that_cannot_be_read_whole_says_why_and_keeps_the_rest():
    found = RunConfig.stored("gone_space", {"proxies": ["zyco"], "rank_by": "zyco", "budget": "many", "seed": 7})
    assert (found.space, found.scores, found.seed, found.budget) == ("gone_space", ("zyco",), 7, None)
    assert found.problem.startswith("budget: got 'many'")
    assert RunConfig.stored("nb201", None).space == "nb201"
    assert not RunConfig.stored("nb201", {"seed": 1}).problem


@given(
    drawn.dictionaries(
        drawn.sampled_from(
            ["space", "task", "strategy", "scores", "objective", "settings", "budget", "limits", "seed", "template"]
        ),
        drawn.none() | drawn.booleans() | drawn.integers() | drawn.floats() | TEXTS | drawn.lists(TEXTS, max_size=3),
    )
)
def test_whatever_is_stored_it_is_read_or_refused_in_one_line(data):
    found = RunConfig.stored("nb201", data)
    assert isinstance(found, RunConfig)
    try:
        RunConfig.from_dict(data)
    except ValueError as error:
        assert "\n" not in str(error)


def test_names_of_tasks_are_those_of_their_modules():
    assert task_names() == tasks.names()
    assert {"search", "alone", "weights"} <= set(task_names())


def test_strategies_for_several_objectives_are_told_apart():
    assert "pareto" in strategy_names(several_objectives=True)
    assert "evolution" in strategy_names(several_objectives=False)


def table():
    return pd.DataFrame({"zico": [1.0, 3.0, np.nan], "ntk": [5.0, 1.0, 2.0]})


def test_an_objective_of_one_score_is_that_score_turned_so_that_more_is_better():
    none = np.empty((3, 0))
    assert np.array_equal(Objective(score="zico").values(table(), none), [1.0, 3.0, np.nan], equal_nan=True)
    assert Objective(score="ntk").values(table(), none, ("ntk",)).tolist() == [-5.0, -1.0, -2.0]


def test_efficiency_is_the_score_minus_the_weighed_logarithm_of_the_cost():
    aim = Objective(ObjectiveKind.EFFICIENCY, "zico", ("flops",), 0.5)
    found = aim.values(table(), np.array([[math.e], [math.e**2], [1.0]]))
    assert np.allclose(found, [0.5, 2.0, np.nan], equal_nan=True)
    assert np.isnan(aim.values(table(), np.zeros((3, 1)))).all()  # a cost of nothing has no logarithm


def test_product_is_the_score_over_the_costs():
    aim = Objective(ObjectiveKind.PRODUCT, "zico", ("flops", "ntk"), 2.0)
    found = aim.values(table(), np.array([[2.0, 1.0], [1.0, 3.0], [1.0, 1.0]]))
    assert np.allclose(found, [0.25, 1 / 3, np.nan], equal_nan=True)


def test_an_aggregate_ranks_by_every_score():
    aim = Objective(ObjectiveKind.AGGREGATE)
    assert aim.score == "aggregate"
    found = aim.values(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]}), np.empty((3, 0)))
    assert found.argmax() == 2 and found.argmin() == 0
