"""The arena: opponents, regret, what a player may ask for, and what stays hidden until the end."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from app.pages.arena.figures import Curve, race
from app.pages.arena.game import Game, Referee, Refusal
from app.server import create_app
from nas_core import bench, spaces
from nas_core.bench import OPPONENTS, Arena, Course, simple_regret
from nas_core.proxies.settings import ScoreSettings
from nas_core.store import Store

SEEDS = 20
DATA_SETS = ("cifar10", "cifar100", "imagenet16-120")


@cache
def arena(data_set: str = "cifar10") -> Arena:
    return Arena(spaces.get("nb201"), bench.truth("nb201")[data_set])


def test_simple_regret_never_rises_and_ends_at_what_is_missing():
    assert simple_regret(np.array([3.0, 1.0, 5.0, 4.0]), 6.0).tolist() == [3.0, 3.0, 1.0, 1.0]


def test_equal_seeds_give_equal_opponents_and_others_others():
    one, same, other = (arena().opponents(15, seed, arena().ranking(seed)) for seed in (4, 4, 5))
    assert [course.name for course in one] == list(OPPONENTS)
    assert [course.archs for course in one] == [course.archs for course in same]
    assert all(a.archs != b.archs for a, b in zip(one, other, strict=True))
    assert len({course.archs[0] for course in one}) == 3, "no two searchers begin alike"


def test_opponents_spend_the_budget_and_evaluate_nothing_twice():
    for course in arena().opponents(60, 0, arena().ranking(0)):
        assert len(set(course.archs)) == len(course.values) == 60
        truth = bench.truth("nb201")["cifar10"]
        assert course.values.tolist() == [truth[arena().space.format(arch)] for arch in course.archs]


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_evolution_and_aggregate_are_no_worse_than_random_search_after_50_evaluations(data_set):
    ground = arena(data_set)
    last = [
        [ground.regret(course)[-1] for course in ground.opponents(50, seed, ground.ranking(seed))]
        for seed in range(SEEDS)
    ]
    random, evolution, aggregate = np.median(last, axis=0)
    print(f"\n{data_set}: median regret of random {random:.2f}, evolution {evolution:.2f}, aggregate {aggregate:.2f}")
    assert evolution <= random
    assert aggregate <= random


def test_evolution_learns_within_the_budget_of_a_lesson():
    evolution = arena().opponents(20, 0, arena().ranking(0))[1]
    parents = [set(arena().space.neighbours(arch)) for arch in evolution.archs]
    children = [any(evolution.archs[k] in parents[j] for j in range(k)) for k in range(10, 20)]
    assert all(children)


def test_the_ranking_reads_no_truth_and_names_every_network_once():
    space = spaces.get("nb201")
    ground = arena()
    turned = Arena(space, -bench.truth("nb201")["cifar10"])
    ranking = ground.ranking(3)
    assert ranking == turned.ranking(3)
    forms = [space.canonical(ground.archs[k]) for k in ranking]
    assert len(forms) == len(set(forms)) == 6466


def test_a_measured_score_joins_the_ranking_where_it_agrees():
    ground = arena()
    values = bench.truth("nb201")["cifar10"].to_numpy()
    plain = ground.course("plain", [ground.archs[k] for k in ground.ranking(0)[:30]])
    joined = [ground.archs[k] for k in ground.ranking(0, pd.DataFrame({"cost": -values}), ("cost",))[:30]]
    assert ground.course("joined", joined).values.mean() > plain.values.mean()
    noise = pd.DataFrame({"noise": np.random.default_rng(0).normal(size=len(values))})
    assert ground.ranking(0, noise) == ground.ranking(0)


def test_what_a_player_is_given_was_not_evaluated_before():
    ground = arena()
    ranking = ground.ranking(0)
    seen = [ground.archs[ranking[0]], ground.archs[7]]
    assert ground.suggested(ranking, seen) == ground.archs[ranking[1]]
    assert ground.drawn(0, seen) == ground.drawn(0, seen) not in seen
    child = ground.mutated(seen[0], 0, seen)
    assert sum(a != b for a, b in zip(child, seen[0], strict=True)) == 1
    assert ground.mutated(seen[0], 0, [*seen, *ground.space.neighbours(seen[0])]) is None


def test_an_architecture_without_a_value_cannot_be_evaluated_and_costs_nothing():
    few = Arena(spaces.get("nb201"), bench.truth("nb201")["cifar10"][1::489])
    assert math.isnan(few.value((0, 0, 0, 0, 0, 0)))
    courses = few.opponents(5, 0, few.ranking(0))
    assert all(np.isfinite(course.values).all() for course in courses)
    assert len(few.opponents(100, 0, few.ranking(0))[0].values) == len(few.archs) == 32
    assert few.drawn(0, []) in few.archs


def test_the_chance_of_a_random_search_is_exact():
    few = Arena(spaces.get("nb201"), bench.truth("nb201")["cifar10"][::1562])
    ordered = np.sort(few.values)
    assert len(ordered) == 11
    assert few.chance_of_random(ordered[-1], 3) == pytest.approx(3 / 11)
    assert few.chance_of_random(ordered[0], 1) == 1
    assert few.chance_of_random(ordered[-1], 11) == 1
    assert few.chance_of_random(ordered[-1] + 1, 11) == 0


def test_blocks_tell_what_was_true_all_along():
    blocks = arena().blocks()
    assert blocks["n"].sum() == 6 * len(arena().archs)
    best = arena().archs[arena().best]
    held = blocks[[best[d] == c for d, c in zip(blocks["decision"], blocks["choice"], strict=True)]]
    assert held["loss"].tolist() == [0.0] * 6
    fitness = {(row.decision, row.choice): row.fitness for row in blocks.itertuples()}
    assert fitness[3, 3] > 0.6 > 0.4 > fitness[3, 0]  # edge 0→3: a 3 x 3 convolution against none


def test_a_column_without_a_value_is_refused():
    with pytest.raises(ValueError, match="no value of 'cifar10'"):
        Arena(spaces.get("nb201"), bench.truth("nb201")["cifar10"] * math.nan)


@pytest.fixture
def referee(tmp_path):
    return Referee(Store(f"sqlite:///{tmp_path / 'store.db'}"))


def played(referee: Referee, budget: int, *ways: str) -> Game:
    game = referee.open("nb201", "published/cifar10", budget, 0)
    for how in ways:
        game = referee.move(game, how)
    return game


def test_a_game_survives_the_browser_and_nonsense_is_no_game(referee):
    game = played(referee, 5, "random", "mutate", "score")
    told = json.loads(json.dumps(game.to_dict()))
    assert referee.read(told) == game
    for broken in (
        None,
        {},
        {**told, "space": "gone"},
        {**told, "data_set": "x"},
        {**told, "picks": [["|x|", "random"]]},
    ):
        assert referee.read(broken) is None


def test_every_way_to_choose_costs_one_evaluation_and_the_budget_ends_the_game(referee):
    game = played(referee, 4, "random", "mutate", "score")
    assert (len(game.picks), game.assisted, game.over) == (3, [False, False, True], False)
    game = referee.move(game, "bricks", [1, 2, 3, 4, 0, 1])
    assert game.over
    assert len(set(referee.course(game).archs)) == 4
    with pytest.raises(Refusal, match="over"):
        referee.move(game, "random")


def test_moves_that_make_no_sense_are_refused_and_cost_nothing(referee):
    game = played(referee, 5)
    with pytest.raises(Refusal, match="nothing to mutate"):
        referee.move(game, "mutate")
    for draft in (None, [0] * 5, [9] * 6, [-1] * 6):
        with pytest.raises(Refusal, match="no architecture"):
            referee.move(game, "bricks", draft)
    game = referee.move(game, "bricks", [3] * 6)
    with pytest.raises(Refusal, match="before"):
        referee.move(game, "bricks", [3] * 6)
    with pytest.raises(Refusal, match="press End and reveal first"):
        referee.open("nb201", "published/cifar10", 5, 0, before=game)
    assert referee.open("nb201", "published/cifar10", 5, 0, before=replace(game, over=True)).picks == ()
    for budget, seed in ((0, 0), (201, 0), (None, 0), (5, -1), (5, 1.5)):
        with pytest.raises(Refusal, match="expected a whole number"):
            referee.open("nb201", "published/cifar10", budget, seed)


def test_opponents_show_no_more_evaluations_than_the_player_made(referee):
    game = played(referee, 20, "random", "random")
    assert [len(course.values) for course in referee.opponents(game)] == [2, 2, 2]


def test_scores_join_the_aggregate_only_where_every_network_has_one(referee, tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path))
    table = tmp_path / "bench" / "nb201" / "few.csv.gz"
    table.parent.mkdir(parents=True)
    few = bench.truth("nb201")[::47]
    few.to_csv(table)
    assert "few/cifar10" in referee.data_sets("nb201")
    space, key = spaces.get("nb201"), ScoreSettings().key()
    forms = {space.format(space.canonical(space.parse(text))): float(few["cifar10"][text]) for text in few.index}
    whole = [(form, {"synflow": value}, {}, {}) for form, value in forms.items()]
    part = [(form, {**values, "snip": 1.0}, {}, {}) for form, values, _, _ in whole[1:]]
    Store(f"sqlite:///{tmp_path / 'store.db'}").remember_all("nb201", key, [*part, whole[0]])
    joined = referee.open("nb201", "few/cifar10", 30, 0)
    assert joined.scores == (("synflow", key),)
    alone = replace(joined, scores=())
    found = [referee.opponents(replace(game, picks=(("", ""),) * 30))[2].values.mean() for game in (joined, alone)]
    assert found[0] > found[1]


def test_the_verdict_is_one_sentence_with_place_regret_and_chance(referee):
    game = replace(played(referee, 5, "random", "score"), over=True)
    text = referee.verdict(game)
    assert re.match(r"You came (first|second|third|last) of four", text)
    regret = referee.arena(game).regret(referee.course(game))[-1]
    assert f"{regret:.2f} points short of the best there is, 91.61 %" in text
    assert "2 random draws do at least as well with a chance of" in text
    assert text.endswith("the score suggested 1 of your 2.")
    assert text.count(". ") == 0


def test_whoever_finds_the_best_is_told_so(referee):
    ground = referee.arena(played(referee, 1))
    game = referee.move(played(referee, 1), "bricks", ground.archs[ground.best])
    assert referee.verdict(game).startswith(
        "You came first of four: after one evaluation your best, 91.61 %, is the best"
    )
    assert "one random draw does at least as well with a chance of 0%" in referee.verdict(game)


def test_the_race_marks_assisted_evaluations_and_keeps_what_is_zero_on_the_axis():
    curves = [Curve("you", np.array([5.0, 0.0]), [False, True]), Curve("random search", np.array([3.0, 2.0]))]
    figure = race(curves, 10, 81.0, "", "dark", "Regret")
    assert list(figure.data[0].marker.symbol) == ["circle", "square-open"]
    assert list(figure.data[0].y) == [5.0, 0.01]
    assert list(figure.data[0].customdata) == [5.0, 0.0]
    assert figure.layout.yaxis.ticktext[0] == "≤ 0.01"
    assert {trace.line.dash for trace in figure.data[:2]} == {"solid", "dash"}
    assert [list(trace.x) for trace in figure.data[2:]] == [[2], [2]], "stars where each found its best"


def test_what_is_sent_before_the_end_holds_no_result_that_was_not_evaluated(tmp_path):
    """Every callback of the page, asked as a browser asks it; presses for what is hidden among them."""
    client = create_app(f"sqlite:///{tmp_path / 'store.db'}").server.test_client()
    rules = {"space.value": "nb201", "data.value": "published/cifar10", "budget.value": 10, "seed.value": 3}
    held, draft, sent = None, None, []
    for at, what in enumerate(("new", "pick:random", "pick:mutate", "best", "find:1", "find:2"), 1):
        inputs = {"arena-act.data": {"words": f"arena:{what}".split(":"), "at": at}}
        states = {"arena-game.data": held, "arena-draft.data": draft, **{f"arena-{k}": v for k, v in rules.items()}}
        answer = ask(client, "arena-told", inputs, states)
        held = answer.get("arena-game", {}).get("data", held)
        draft = answer.get("arena-draft", {}).get("data", draft)
        sent += [answer, ask(client, "arena-bricks", {"arena-game.data": held}, {"arena-draft.data": draft})]
        sent.append(ask(client, "arena-known", {"arena-game.data": held, "arena-draft.data": draft}, {}))
        sent[-1].pop("arena-cell")  # drawn from the bricks alone
        sent.append(ask(client, "arena-scoreboard", {"arena-game.data": held, "arena-reveal.checked": False}, {}))
    revealed = ask(client, "arena-scoreboard", {"arena-game.data": held, "arena-reveal.checked": True}, {})

    ground = arena()
    mine = ground.course("you", [ground.space.parse(pick) for pick, _ in held["picks"]])
    assert len(mine.values) == 2
    told, after = numbers(sent), numbers(revealed)
    own = results(ground, mine)
    assert own <= told
    for opponent in ground.opponents(10, 3, ground.ranking(3)):
        assert not (results(ground, opponent) - own) & told
        assert results(ground, opponent.first(2)) & after, "the teacher's switch shows them"
        assert not (results(ground, opponent) - results(ground, opponent.first(2)) - own) & after
    text = json.dumps([sent, revealed])
    assert "bdata" not in text, "numbers can be read"
    assert ground.space.format(ground.archs[ground.best]) not in text
    assert draft == list(mine.archs[-1])


def results(ground: Arena, course: Course) -> set[float]:
    """Regrets of a course as a chart gets them, and its best value as a table shows it."""
    return {*ground.regret(course).round(6), *np.maximum.accumulate(course.values)[-1:].round(2)}


def numbers(sent: object) -> set[float]:
    """Every decimal number in what was sent."""
    return {round(float(number), 6) for number in re.findall(r"\d+\.\d+", json.dumps(sent))}


def ask(client, output: str, inputs: dict, states: dict) -> dict:
    """What the callback with this output answers; empty where it has nothing to say."""
    listed = client.get("/_dash-dependencies").get_json()
    found = next(entry for entry in listed if output + ".children" in entry["output"])

    inputs = {"theme.data": "dark", **inputs}

    def values(kind: str, told: dict[str, object]) -> list[dict]:
        return [
            {"id": entry["id"], "property": entry["property"], "value": told.get(f"{entry['id']}.{entry['property']}")}
            for entry in found[kind]
        ]

    outputs = [
        dict(zip(("id", "property"), name.rsplit(".", 1), strict=True))
        for name in found["output"].strip(".").split("...")
    ]
    body = {
        "output": found["output"],
        "outputs": outputs,
        "inputs": values("inputs", inputs),
        "state": values("state", states),
        "changedPropIds": list(inputs)[:1],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code in (200, 204), answer.get_data(as_text=True)[:500]
    return answer.get_json()["response"] if answer.status_code == 200 else {}


def test_where_lower_is_better_the_arena_is_won_by_the_lowest_and_shows_what_was_recorded(
    referee, tmp_path, monkeypatch
):
    monkeypatch.setenv("NAS_HELM_HOME", str(tmp_path / "home"))
    space = spaces.get("nb201")
    texts = [space.format(arch) for arch in list(space.architectures())[::157]]
    frame = pd.DataFrame({"arch": texts, "raspi4_latency": [float(k + 5) for k in range(len(texts))]})
    frame.to_csv(tmp_path / "hw.csv", index=False)
    bench.import_results(tmp_path / "hw.csv", "nb201")
    game = referee.open("nb201", "hw/raspi4_latency", 3, 0)
    for _ in range(3):
        game = referee.move(game, "random")
    ground = referee.arena(game)
    assert space.format(ground.archs[ground.best]) == texts[0]
    lowest = -max(referee.course(game).values)
    assert f"your best, {lowest:.2f} ms, is" in referee.verdict(game) and "-" not in referee.verdict(game)
