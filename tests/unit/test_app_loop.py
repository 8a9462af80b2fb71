"""The Navigator's loop: scenes, regions, sets of blocks, coverage and trust are what they say, on a real store."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from app.cockpit import Cockpit
from app.live import pulse_of
from app.masks import packed, unpacked
from app.pages.navigator import named_regions
from app.pages.navigator.block_sets import BlockSet, combined
from app.pages.navigator.coverage import areas, coverage, least_explored
from app.pages.navigator.loop import next_steps
from app.pages.navigator.regions import AREA, LASSO, PLAIN_AXES, Choice, focus_on_blocks, scope_of
from app.pages.navigator.scene import Scene, Scenes, scene
from app.pages.navigator.suggestions import Suggestion
from app.pages.navigator.trust import least_trained, trust, trust_chart, verdict
from app.server import create_app
from app.space_table import space_table
from nas_core import bench
from nas_core.predict import block_fitness
from nas_core.spaces import Act, Steering
from nas_core.store import Store
from tests.runs import SCAN, make_run

TABLE = space_table("nb201")
SPACE = TABLE.space
NETWORKS = np.unique(TABLE.canonical)


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


def run_of(cockpit: Cockpit, indices: np.ndarray, values: np.ndarray, **config: object) -> str:
    """A run that scored the networks at `indices` with `values`, in order."""
    run = make_run(cockpit.store, "nb201", {**SCAN, **config})
    add(cockpit, run, indices, values)
    return run


def add(cockpit: Cockpit, run: str, indices: np.ndarray, values: np.ndarray) -> None:
    by_text = {TABLE.texts[k]: float(value) for k, value in zip(indices, values, strict=True)}
    asked = cockpit.store.ask(run, [(text, text) for text in by_text], {})
    cockpit.store.tell(run, [(row.position, {"zico": by_text[row.arch]}, {}) for row in asked])


def drawn(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(NETWORKS, count, replace=False)


def with_conv(decision: int) -> np.ndarray:
    return TABLE.archs[:, decision] == 3


# sets of blocks -----------------------------------------------------------------------------------------------------


def sets() -> tuple[BlockSet, BlockSet]:
    a = TABLE.archs[with_conv(0) & (TABLE.archs[:, 1] != 0)]
    b = TABLE.archs[with_conv(0) & (TABLE.archs[:, 1] < 3)]
    return BlockSet.of(SPACE.decisions, a), BlockSet.of(SPACE.decisions, b)


def test_sets_of_blocks_follow_the_algebra_of_sets():
    a, b = sets()
    assert (a | b).choices[1] == frozenset(range(5))
    assert (a & b).choices[1] == frozenset({1, 2})
    assert (a - b).choices[1] == frozenset({3, 4})
    assert len(~a) == 30 - len(a)
    assert ~~a == a
    assert ~(a | b) == ~a & ~b


def test_what_every_architecture_has_is_must_have_and_what_none_has_must_not():
    a, _ = sets()
    assert a.must_have().must_have == (("edge 0→1", "nor_conv_3x3"),)
    assert ("edge 0→2", "none") in a.must_not().must_not
    for region in (a.must_have(), a.must_not()):
        kept = Steering.free(SPACE).extended(SPACE, Act("focus", region=region)).mask(TABLE.archs)
        assert kept[with_conv(0) & (TABLE.archs[:, 1] != 0)].all()
        assert not kept.all()


def test_must_not_leaves_alone_a_decision_of_which_the_set_holds_no_block():
    a, b = sets()
    lacking = (b - a).must_not().must_not  # the difference is one block of one decision
    assert {decision for decision, _ in lacking} == {"edge 0→2"}
    Steering.free(SPACE).extended(SPACE, Act("focus", region=(b - a).must_not()))


def test_an_operation_of_two_on_a_single_region_is_the_region_itself():
    a, b = sets()
    assert combined("intersection", [("A", a), ("B", b)]) == ("A ∩ B", a & b)
    assert combined("intersection", [("A", a)]) == ("A", a)
    assert combined("complement", [("A", a)]) == ("not A", ~a)


# regions of a run ---------------------------------------------------------------------------------------------------


def test_a_region_survives_in_the_log_under_the_next_free_letter(cockpit):
    run = cockpit.ensure_run()
    inside = with_conv(0)
    first = named_regions.keep(cockpit.store, run, inside, ("params", "projection 1"))
    named_regions.keep(cockpit.store, run, ~inside, PLAIN_AXES)
    again = Store(cockpit.store.url)
    found = named_regions.named_regions(again.log(run, kind=named_regions.KIND))
    assert [region.name for region in found] == ["A", "B"]
    assert (found[0].id, found[0].axes) == (first, ("params", "projection 1"))
    assert np.array_equal(unpacked(found[0].mask, len(inside)), inside)
    assert named_regions.named_regions(again.log(make_run(cockpit.store, "nb201", SCAN), kind="region")) == []


def test_a_region_is_renamed_deleted_and_brought_back(cockpit):
    run = cockpit.ensure_run()
    store = cockpit.store
    region = named_regions.keep(store, run, with_conv(0), PLAIN_AXES)
    named_regions.rename(store, run, region, "  wide  ")
    store.append(run, named_regions.KIND, {"do": "delete", "region": region})
    entries = store.log(run, kind=named_regions.KIND)
    assert named_regions.named_regions(entries) == []
    assert named_regions.deleted_last(entries).name == "wide"
    store.append(run, named_regions.KIND, {"do": "restore", "region": region})
    entries = store.log(run, kind=named_regions.KIND)
    assert [r.name for r in named_regions.named_regions(entries)] == ["wide"]
    assert named_regions.deleted_last(entries) is None


def test_a_name_is_not_given_twice_and_not_left_empty(cockpit):
    run = cockpit.ensure_run()
    regions = [named_regions.keep(cockpit.store, run, with_conv(0), PLAIN_AXES) for _ in range(2)]
    with pytest.raises(ValueError, match="There is a region A already"):
        named_regions.rename(cockpit.store, run, regions[1], "A")
    with pytest.raises(ValueError, match="at least one letter"):
        named_regions.rename(cockpit.store, run, regions[1], "  ")


def test_the_chosen_regions_are_at_most_two_and_the_lasso_stands_alone():
    choice = Choice().toggled("1").toggled("2").toggled("3")
    assert choice.of == ("2", "3")
    assert choice.toggled("2").of == ("3",)
    assert choice.toggled(LASSO).of == (LASSO,)
    assert Choice((AREA,)).toggled("1").of == ("1",)


def test_a_scope_joins_members_and_combines_blocks(cockpit):
    run = run_of(cockpit, drawn(50), np.arange(50))
    view = cockpit.view(run)
    for mask in (with_conv(0) & with_conv(1), with_conv(0) & with_conv(2)):
        named_regions.keep(cockpit.store, run, mask, PLAIN_AXES)
    regions = named_regions.named_regions(cockpit.store.log(run, kind="region"))
    chosen = Choice(tuple(str(region.id) for region in regions), "intersection")
    scope = scope_of(view, chosen, regions, None, PLAIN_AXES)
    members = with_conv(0) & (with_conv(1) | with_conv(2))
    assert np.array_equal(unpacked(scope["mask"], len(members)), members)
    assert (scope["label"], scope["written"]) == ("A ∪ B", "A ∩ B")
    assert len(focus_on_blocks(view, scope, "must-have").must_have) == 3
    assert scope_of(view, Choice(("999",)), regions, None, PLAIN_AXES) is None
    assert scope_of(view, Choice((LASSO,)), regions, packed(with_conv(5)), ("params", "flops"))["axes"] == [
        "params",
        "flops",
    ]


# scenes -------------------------------------------------------------------------------------------------------------


def test_blocks_of_a_region_are_judged_by_its_candidates_alone(cockpit):
    run = run_of(cockpit, drawn(300), np.random.default_rng(1).normal(size=300))
    view = cockpit.view(run)
    seen = scene(view, None, {"mask": packed(with_conv(0)), "label": "A"})
    held = with_conv(0)[view.indices]
    chosen = view.indices[held]
    same = TABLE.canonical[chosen]
    expected = block_fitness(SPACE.decisions, TABLE.archs[chosen], view.ranked[held], networks=same)
    assert isinstance(seen, Scene)
    assert seen.blocks.equals(expected)
    assert seen.blocks["n"].max() == held.sum() == seen.within.sum()
    assert seen.blocks["n"][:5].tolist() == [0, 0, 0, held.sum(), 0]
    assert np.array_equal(seen.ranked, view.ranked)


def test_a_moment_shows_what_was_scored_and_in_force_then(cockpit):
    run = run_of(cockpit, drawn(40), np.arange(40))
    cockpit.act(run, Act("prune", "edge 0→1", ("none",)))
    add(cockpit, run, drawn(200)[150:], np.arange(50) + 100)
    cockpit.act(run, Act("undo", target=0))
    view = cockpit.view(run)
    assert view.steering.is_free
    before, between = scene(view, 39, None), scene(view, 40, None)
    assert len(before.indices) == len(before.ranked) == 39
    assert before.kept.all()
    assert between.kept.sum() == 12_500
    assert [act.kind for _, act in between.in_force()] == ["prune"]
    assert np.nanmax(between.over_space("zico")) == 39
    assert scene(view, None, None) is view


def test_a_scene_is_shared_until_the_run_moves_on(cockpit):
    run = run_of(cockpit, drawn(20), np.arange(20))
    scenes, scope = Scenes(), {"mask": packed(with_conv(0)), "label": "A"}
    first = scenes.of(cockpit.view(run), 5, scope)
    assert scenes.of(cockpit.view(run), 5, scope) is first
    assert scenes.of(cockpit.view(run), 6, scope) is not first
    add(cockpit, run, drawn(40)[30:], np.arange(10))
    assert scenes.of(cockpit.view(run), 5, scope) is not first


# coverage -----------------------------------------------------------------------------------------------------------


def test_coverage_counts_different_networks_under_the_steering(cockpit):
    run = run_of(cockpit, drawn(100), np.arange(100))
    assert coverage(cockpit.view(run)).sentence() == "100 of 6,466 networks (1.5 %)"
    cockpit.act(run, Act("pin", "edge 0→1", ("nor_conv_3x3",)))
    view = cockpit.view(run)
    left = set(TABLE.canonical[with_conv(0)])
    assert coverage(view).networks == len(left)
    assert coverage(view).scored == len(left & set(TABLE.canonical[view.indices]))
    inside = with_conv(0) & with_conv(1)
    assert coverage(view, inside).networks == len(set(TABLE.canonical[inside]))


def test_areas_of_the_map_hold_equal_counts():
    counts = np.bincount(areas(TABLE.projection))
    assert len(counts) == 16
    assert counts.max() - counts.min() < 0.02 * len(TABLE.archs)


def test_an_area_that_the_search_passed_by_is_found_and_an_even_search_has_none(cockpit):
    assert least_explored(cockpit.view(cockpit.ensure_run())) is None
    even = cockpit.view(run_of(cockpit, drawn(1000), np.arange(1000)))
    assert least_explored(even) is None
    assert least_explored(even, at_most=1).coverage.share <= coverage(even).share
    labels = areas(TABLE.projection)
    elsewhere = NETWORKS[~np.isin(NETWORKS, TABLE.canonical[labels == 5])]
    skipping = cockpit.view(run_of(cockpit, elsewhere[::8], np.arange(len(elsewhere[::8]))))
    area = least_explored(skipping)
    assert np.array_equal(area.inside, labels == 5)
    assert area.coverage.scored == 0


# trust --------------------------------------------------------------------------------------------------------------


def truth_of(indices: np.ndarray) -> np.ndarray:
    return bench.truth("nb201")["cifar10"].to_numpy()[indices]


def test_a_score_that_is_the_truth_is_trusted_and_noise_is_called_noise(cockpit):
    picked, table = drawn(200), Cockpit.truth("nb201")
    good = trust(cockpit.view(run_of(cockpit, picked, truth_of(picked))), table)
    assert not good.noise
    assert verdict(good).startswith("Trust: zico against cifar10 validation accuracy (tabular truth): τ 1.00")
    assert "n = 200" in verdict(good)
    noise = trust(cockpit.view(run_of(cockpit, picked, np.random.default_rng(3).permutation(200))), table)
    assert noise.noise
    assert verdict(noise).startswith("⚠ The ranking is noise so far")


def test_suggestions_on_a_ranking_that_is_noise_say_so(cockpit):
    view = cockpit.view(run_of(cockpit, drawn(30), np.arange(30)))
    found = [Suggestion("prune none", "Fitness 0.1", ("prune", "0", "0"))]
    doubtful, sound = (str(next_steps(found, view, noise=noise)) for noise in (True, False))
    assert "is noise" in doubtful and "prune none" in doubtful
    assert "noise" not in sound and "prune none" in sound


def test_a_suggestion_of_an_earlier_moment_cannot_be_done_and_says_why(cockpit):
    view = cockpit.view(run_of(cockpit, drawn(30), np.arange(30)))
    found = [Suggestion("prune none", "Fitness 0.1", ("prune", "0", "0"))]
    now, then = (
        next_steps(found, seen, noise=False)[0].children[0].children[1] for seen in (view, scene(view, 9, None))
    )
    assert (now.disabled, then.disabled) == (False, True)
    assert "press Live" in then.title and not now.title


def test_scores_written_again_replace_the_old_ones_in_a_view_and_change_its_version(cockpit):
    run = run_of(cockpit, drawn(30), np.arange(30), supernet={"data": "digits"})
    before = cockpit.view(run)
    best = before.blocks
    pulse = pulse_of(cockpit, run)
    cockpit.store.tell_again(run, [(3, {"zico": 99.0}, {"zico": 0.1})])
    after = cockpit.view(run)
    assert after.values["zico"].tolist() == [99 if k == 3 else k for k in range(30)]
    assert after.indices.tolist() == before.indices.tolist()
    assert after.version != before.version and not after.blocks.equals(best)
    assert cockpit.view(run) is after
    assert pulse_of(cockpit, run)["rescored"] == pulse["rescored"] + 1


def test_a_ranking_that_fails_among_the_better_half_is_warned_of(cockpit):
    picked, table = drawn(400), Cockpit.truth("nb201")
    values = truth_of(picked).copy()
    top = values >= np.median(values)
    values[top] = 100 + np.random.default_rng(1).normal(size=top.sum())
    found = trust(cockpit.view(run_of(cockpit, picked, values)), table)
    assert found.overall.tau.low > 0
    assert found.noise
    assert verdict(found).startswith("⚠ In the top half the ranking is noise")


def test_trust_in_a_region_is_that_of_its_candidates(cockpit):
    picked, table = drawn(200), Cockpit.truth("nb201")
    view = cockpit.view(run_of(cockpit, picked, truth_of(picked)))
    found = trust(view, table, with_conv(0), "A")
    assert found.region.n == with_conv(0)[picked].sum()
    assert f"in A: τ 1.00 [1.00, 1.00], n = {found.region.n}" in verdict(found)
    names = [trace.y[0] for trace in trust_chart(found, "dark").data]
    assert f"A, n = {found.region.n}" in names and "all, n = 200" in names


def test_a_large_run_is_sampled_and_says_so(cockpit):
    picked, table = drawn(900), Cockpit.truth("nb201")
    found = trust(cockpit.view(run_of(cockpit, picked, truth_of(picked))), table)
    assert (found.overall.n, found.overall.of) == (600, 900)
    assert "n = 600 of 900" in verdict(found)


def test_without_a_truth_the_number_of_networks_to_train_is_named(cockpit):
    found = trust(cockpit.view(run_of(cockpit, drawn(30), np.arange(30))), None)
    assert found.overall is None and not found.noise
    assert f"train about {least_trained()} candidates alone (now 0)" in verdict(found)
    assert "no truth known" in trust_chart(found, "light").layout.annotations[0].text


def test_the_number_to_train_is_the_first_that_tells_tau_from_chance():
    rng = np.random.default_rng(0)
    n = least_trained(0.5)
    chance = [kendalltau(rng.random(n), rng.random(n)).statistic for _ in range(2000)]
    assert np.mean(np.abs(chance) >= 0.5) < 0.06
    assert least_trained(0.3) > n > least_trained(0.7)


def test_what_draws_after_a_pulse_waits_for_no_other_callback(tmp_path):
    # Dash holds a callback back until whatever may yet change one of its inputs has answered.
    app = create_app(f"sqlite:///{tmp_path / 'store.db'}")
    app._setup_server()
    found = [(_outputs(callback["output"]), callback["inputs"]) for callback in app._callback_list]
    told = {"pulse.data"}
    while more := {out for outs, inputs in found for out in outs if told & {_named(i) for i in inputs}} - told:
        told |= more
    drawing = next(inputs for outs, inputs in found if "count.children" in outs)
    assert {_named(i) for i in drawing} & told == {"pulse.data"}


def _named(dependency: dict[str, str]) -> str:
    return f"{dependency['id']}.{dependency['property']}"


def _outputs(written: str) -> set[str]:
    return {output.partition("@")[0] for output in written.strip(".").split("...")}
