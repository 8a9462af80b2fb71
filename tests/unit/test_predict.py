"""Aggregates and the few-label predictor, on the whole of NAS-Bench-201 with its closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, rankdata, spearmanr

from nas_core import bench, spaces
from nas_core.predict import FewLabelPredictor, Margin, agreeing, borda, log_rank_sum, normal_scores

SPACE = spaces.get("nb201")
ARCHS = list(SPACE.architectures())
SCORES = SPACE.closed_forms(ARCHS)[["live_params", "sum_log_layer_size", "conv_layers"]].astype(float)
TRUTH = bench.truth("nb201")["cifar100"].to_numpy()
ENCODED = SPACE.encode(ARCHS)
POOL = np.random.default_rng(0).choice(len(ARCHS), 2000, replace=False)


def tau(score: np.ndarray, truth: np.ndarray) -> float:
    return float(kendalltau(score, truth).statistic)


def predictor(prior=None) -> FewLabelPredictor:
    return FewLabelPredictor(ENCODED[POOL], SCORES.to_numpy()[POOL], prior)


def test_log_rank_sum_is_its_formula():
    frame = pd.DataFrame({"a": [3.0, 1.0, 2.0, np.nan], "b": [1.0, 2.0, 2.0, 5.0]})
    expected = np.log(np.array([4, 2, 3, 1]) / 4) + 2 * np.log(np.array([1, 2.5, 2.5, 4]) / 4)
    np.testing.assert_allclose(log_rank_sum(frame, {"b": 2}), expected)


def test_borda_sums_ranks_and_turns_what_is_lower_is_better():
    frame = pd.DataFrame({"a": [3.0, 1.0, 2.0], "b": [1.0, 2.0, 3.0]})
    np.testing.assert_allclose(borda(frame, lower_is_better=("b",)), (np.array([3, 1, 2]) + np.array([3, 2, 1])) / 3)


def test_a_weight_of_nothing_leaves_a_score_out():
    assert spearmanr(log_rank_sum(SCORES, {"conv_layers": 0, "live_params": 0}), SCORES["sum_log_layer_size"])[
        0
    ] == pytest.approx(1)


@pytest.mark.parametrize(
    ("weights", "part"),
    [({"x": 1}, "unknown score 'x'"), ({"live_params": -1}, "from 0 up"), (dict.fromkeys(SCORES, 0), "above 0")],
)
def test_bad_weights_are_refused(weights, part):
    with pytest.raises(ValueError, match=part):
        log_rank_sum(SCORES, weights)


def test_a_score_that_disagrees_with_the_others_is_left_out_but_never_the_anchor():
    noise = np.random.default_rng(6).normal(size=len(SCORES))
    frame = SCORES.assign(noise=noise, upside_down=-SCORES["live_params"])
    assert agreeing(frame) == list(SCORES)
    assert agreeing(frame, lower_is_better=("upside_down",)) == [*SCORES, "upside_down"]
    assert agreeing(frame[["noise", "live_params"]], anchor="live_params") == ["live_params"]
    assert agreeing(frame[["noise"]]) == ["noise"]
    best = max(tau(SCORES[name].to_numpy(), TRUTH) for name in SCORES)
    assert tau(log_rank_sum(frame), TRUTH) < best - 0.1
    assert tau(log_rank_sum(frame[agreeing(frame, "live_params")]), TRUTH) > best - 0.02


def test_an_aggregate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no score"):
        borda(pd.DataFrame(index=range(3)))


@pytest.mark.parametrize(("labels", "least"), [(25, 0.66), (100, 0.72)])
def test_few_labels_lift_the_ranking_above_every_score(labels, least):
    best = max(tau(SCORES[name].to_numpy()[POOL], TRUTH[POOL]) for name in SCORES)
    found = []
    for seed in range(10):
        labelled = np.random.default_rng(seed).choice(len(POOL), labels, replace=False)
        rest = np.setdiff1d(np.arange(len(POOL)), labelled)
        predicted = predictor().fit(labelled, TRUTH[POOL][labelled]).predict()
        found.append(tau(predicted.rank_score[rest], TRUTH[POOL][rest]))
    assert np.median(found) > max(least, best)


def inside(labels: int, seed: int) -> tuple[float, float]:
    """The share of unlabelled networks whose truth lies in its interval, and the mean width in points."""
    rng = np.random.default_rng(seed)
    labelled = rng.choice(len(POOL), labels, replace=False)
    rest = np.setdiff1d(np.arange(len(POOL)), labelled)
    found = predictor().fit(labelled, TRUTH[POOL][labelled]).predict()
    assert (found.low <= found.mean).all() and (found.mean <= found.high).all()
    held = (found.low[rest] <= TRUTH[POOL][rest]) & (TRUTH[POOL][rest] <= found.high[rest])
    return float(held.mean()), float((found.high - found.low)[rest].mean())


@pytest.mark.parametrize("labels", [8, 20, 100])
def test_intervals_hold_about_as_often_as_they_say(labels):
    found = [inside(labels, seed)[0] for seed in range(10)]
    assert np.mean(found) >= 0.90, found


def made_up(rng: np.random.Generator, pool: int, kind: str) -> tuple[FewLabelPredictor, np.ndarray]:
    """A predictor over a made-up pool, and the truth (pool,): skewed, tied, or in threes of isomorphic cells."""
    size = pool if kind != "copies" else -(-pool // 3)
    structure = rng.integers(0, 2, size=(size, 12)).astype(float)
    latent = structure @ rng.normal(size=12) / 2 + rng.normal(size=size)
    scores = np.stack([latent + rng.normal(size=size) for _ in range(3)], axis=1)
    noisy = latent + 0.5 * rng.normal(size=size)
    truth = {"skewed": 95 - 3 * np.exp(-noisy), "tied": np.round(2 * noisy)}.get(kind, noisy)
    if kind == "copies":
        rows = np.repeat(np.arange(size), 3)[:pool]
        structure, scores, truth = structure[rows], scores[rows], truth[rows]
    return FewLabelPredictor(structure, scores), truth


def covered(labels: int, pool: int, kind: str, sets: int) -> tuple[float, float]:
    """Mean share of the unlabelled whose truth is held, and the mean width over the spread of the truth."""
    rng = np.random.default_rng(labels)
    shares, widths = [], []
    for _ in range(sets):
        known, truth = made_up(rng, pool, kind)
        labelled = rng.choice(pool, labels, replace=False)
        rest = np.setdiff1d(np.arange(pool), labelled)
        found = known.fit(labelled, truth[labelled]).predict()
        shares.append(((found.low <= truth) & (truth <= found.high))[rest].mean())
        widths.append((found.high - found.low)[rest].mean() / truth.std())
    return float(np.mean(shares)), float(np.mean(widths))


@pytest.mark.parametrize("kind", ["normal", "skewed", "tied", "copies"])
@pytest.mark.parametrize("labels", [8, 20, 50])
def test_predictions_are_held_nineteen_times_in_twenty(labels, kind):
    assert covered(labels, 200, kind, 40)[0] >= 0.90


@pytest.mark.long
@pytest.mark.parametrize("kind", ["normal", "skewed", "tied", "copies"])
@pytest.mark.parametrize("labels", [8, 20, 50, 200, 600])
def test_predictions_are_held_whatever_the_number_of_labels(labels, kind):
    share, width = covered(labels, max(200, 3 * labels), kind, 200 if labels <= 50 else 20)
    print(f"\n{kind}, {labels} labels: {share:.3f} held (width {width:.2f} standard deviations of the truth)")
    assert share >= 0.90


def test_a_network_may_be_predicted_to_be_better_than_every_one_labelled():
    prior = np.arange(300.0)
    known = FewLabelPredictor(np.zeros((300, 1)), np.zeros((300, 0)), prior)
    labelled = np.arange(0, 200, 5)
    found = known.fit(labelled, prior[labelled]).predict()
    assert found.mean[299] > 195 + 20 and found.high[299] > found.mean[299]
    assert found.mean[0] <= found.mean[150] <= found.mean[299]


def test_isomorphic_cells_in_the_pool_break_no_fit():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows = np.repeat(rng.integers(0, 2, size=(10, 3)), 12, axis=0).astype(float)
        known = FewLabelPredictor(rows, rows[:, :2], rows.sum(axis=1))
        labelled = rng.choice(120, 40, replace=False)
        found = known.fit(labelled, rows[labelled] @ [3.0, 2.0, 1.0]).predict()
        assert np.isfinite(np.stack([found.mean, found.low, found.high, found.deviation])).all()


def test_scores_that_mislead_are_outvoted_by_labels():
    noise = np.random.default_rng(2).normal(size=(len(POOL), 3))
    labelled = np.random.default_rng(3).choice(len(POOL), 100, replace=False)
    rest = np.setdiff1d(np.arange(len(POOL)), labelled)
    reversed_ = -SCORES["live_params"].to_numpy()[POOL]
    predicted = FewLabelPredictor(ENCODED[POOL], noise, reversed_).fit(labelled, TRUTH[POOL][labelled]).predict()
    assert tau(predicted.rank_score[rest], TRUTH[POOL][rest]) > 0.5


def test_suggestions_are_new_distinct_and_teach_more_than_chance():
    start = np.random.default_rng(4).choice(len(POOL), 20, replace=False)
    fitted = predictor().fit(start, TRUTH[POOL][start])
    suggested = fitted.suggest(20)
    assert len(set(suggested) | set(start)) == 40
    at_random = np.setdiff1d(np.arange(len(POOL)), start)[:20]

    def left(chosen: np.ndarray) -> float:
        both = np.concatenate([start, chosen])
        again = predictor()
        again.fit(both, TRUTH[POOL][both])
        again.weights_ = fitted.weights_
        return float(again.predict().deviation.mean())

    assert fitted.predict().deviation[suggested[0]] == pytest.approx(np.delete(fitted.predict().deviation, start).max())
    assert left(suggested) < left(at_random)


def test_equal_labels_give_equal_predictions():
    labelled = np.arange(0, 300, 10)
    one, two = (predictor().fit(labelled, TRUTH[POOL][labelled]).predict() for _ in range(2))
    np.testing.assert_array_equal(one.rank_score, two.rank_score)


def test_a_pool_without_scores_is_ranked_by_structure_alone():
    labelled = np.random.default_rng(5).choice(len(POOL), 100, replace=False)
    bare = FewLabelPredictor(ENCODED[POOL], np.zeros((len(POOL), 0)))
    predicted = bare.fit(labelled, TRUTH[POOL][labelled]).predict()
    assert tau(predicted.rank_score, TRUTH[POOL]) > 0.5


@pytest.mark.parametrize(
    ("labelled", "labels", "part"),
    [
        ([0, 1], [1.0, 2.0], "at least 3"),
        ([0, 1, 2], [1.0, 2.0], "expected as many"),
        ([0, 1, 2], [1.0, np.nan, 2.0], "NaN or infinity"),
    ],
)
def test_bad_labels_are_refused(labelled, labels, part):
    with pytest.raises(ValueError, match=part):
        predictor().fit(np.array(labelled), np.array(labels))


def test_ranks_come_back_in_units_of_the_label():
    labelled = np.arange(0, 400, 4)
    predicted = predictor().fit(labelled, TRUTH[POOL][labelled]).predict()
    known, rest = TRUTH[POOL][labelled], np.setdiff1d(np.arange(len(POOL)), labelled)
    assert abs(np.median(predicted.mean[rest]) - np.median(TRUTH[POOL][rest])) < 3
    assert known.min() - 20 <= predicted.mean.min() and predicted.mean.max() <= known.max() + 2
    assert spearmanr(rankdata(predicted.mean), rankdata(predicted.rank_score))[0] > 0.99


def test_the_margin_gives_values_back_and_goes_on_beyond_them():
    values = np.array([5.0, 1.0, 3.0, 3.0, 9.0])
    margin = Margin.of(values)
    np.testing.assert_allclose(margin.at(normal_scores(values)), values)
    assert margin.at(np.array([5.0]))[0] > 9 and margin.at(np.array([-5.0]))[0] < 1
    assert Margin.of([2.0]).at(np.array([-3.0, 3.0])).tolist() == [2, 2]
    assert Margin.of([2.0, 2.0]).at(np.array([-3.0, 3.0])).tolist() == [2, 2]
    assert normal_scores([1.0, np.nan, 2.0]).tolist() == pytest.approx([0, -0.967422, 0.967422], abs=1e-6)
