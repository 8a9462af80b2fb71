"""Shared weights in training: what changes, what must not, across edits, stops, few-shot parts and re-calibration."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import spaces
from nas_core.engine._training import Moment, train
from nas_core.spaces import Act, ImageShape, Scale, SteeringConflict
from nas_core.spaces._cell_network import Cell
from nas_core.spaces.nats_sss import NatsBenchSize
from nas_core.supernet import (
    Ranker,
    SupernetSettings,
    Trainer,
    build,
    dumps,
    few_shot,
    load,
    loads,
    recalibrate,
    save,
    train_and_score,
)
from nas_core.workers import Reference

SPACE = spaces.get("nb201")
TINY = SupernetSettings(image_size=8, batch_size=16, channels=4, epochs=1, sampling="uniform")
CONV1, CONV3, SKIP = 2, 3, 1


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def steps(trainer: Trainer, count: int) -> None:
    for _ in range(count):
        trainer.step()


def undisturbed_and_resumed(settings: SupernetSettings, at: int, path: Path) -> tuple[Trainer, Trainer]:
    """Two trainings to the end with equal weights, one of them stopped at a step, saved and read again."""
    whole, cut = Trainer(settings), Trainer(settings)
    assert whole.train()
    assert not cut.train(stop=lambda: cut.step_ == at)
    save(cut, path)
    resumed = load(path)
    assert resumed.step_ == at and resumed.train()
    assert not changed(tensors(whole.supernet), tensors(resumed.supernet))
    return whole, resumed


@pytest.mark.parametrize("normalise_pools", [False, True])
def test_a_path_computes_what_the_standalone_network_with_its_weights_computes(normalise_pools):
    torch.manual_seed(0)
    image, scale = ImageShape(3, 8, 8), Scale(4, 2)
    supernet = build(SPACE, input=image, classes=10, scale=scale, normalise_pools=normalise_pools)
    arch = SPACE.parse("|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|")
    network = SPACE.build(arch, input=image, classes=10, scale=scale)
    shared = supernet.state_dict()
    own = {}
    for name in network.state_dict():
        parts = name.split(".")
        if "edges" in parts:
            edge = int(parts[parts.index("edges") + 1])
            parts[parts.index("edges") : parts.index("edges") + 2] = ["operations", str(edge), str(arch[edge])]
        own[name] = shared["network." + ".".join(parts)]
    network.load_state_dict(own)
    if normalise_pools:
        for cell in [module for module in network.modules() if isinstance(module, Cell)]:
            cell.edges[2].register_forward_hook(lambda _, inputs, pooled: standard(pooled))
    images = torch.randn(5, 3, 8, 8)
    assert torch.allclose(network.train()(images), supernet.train()(images, arch), atol=1e-5)


def standard(features):
    """Every channel with mean 0 and variance 1 over the batch."""
    variance, mean = torch.var_mean(features, dim=(0, 2, 3), keepdim=True, correction=0)
    return (features - mean) / torch.sqrt(variance + 1e-5)


def test_a_checkpoint_from_before_pools_were_normalised_goes_on_without():
    old = Trainer(replace(TINY, normalise_pools=False))
    steps(old, 2)
    content = torch.load(io.BytesIO(dumps(old)), weights_only=True)
    settings = json.loads(content["settings"])
    del settings["normalise_pools"]
    buffer = io.BytesIO()
    torch.save({**content, "settings": json.dumps(settings)}, buffer)
    again = loads(buffer.getvalue())
    assert again.settings == old.settings
    steps(old, 2)
    steps(again, 2)
    assert not changed(tensors(old.supernet), tensors(again.supernet))


def test_another_space_of_cells_gets_its_supernet_from_its_own_network():
    trainer = Trainer(replace(TINY, space="transnas_micro", sampling="balanced", image_size=32))
    before = tensors(trainer.supernet)
    steps(trainer, 2)
    assert changed(before, tensors(trainer.supernet))


def test_a_space_with_a_supernet_of_its_own_trains_only_what_a_path_runs():
    trainer = Trainer(replace(TINY, space="nb_macro", sampling="balanced"), acts=[Act("prune", "*", ("mb6_k5",))])
    before = tensors(trainer.supernet)
    steps(trainer, 4)
    moved = changed(before, tensors(trainer.supernet))
    layers = [name for name in moved if name.startswith("layers.")]
    assert layers
    assert not any(name.split(".")[2] == "2" for name in layers)


def test_a_space_without_shared_weights_is_refused_in_one_clear_line():
    class Unknown(NatsBenchSize):
        name, supernet = "unknown", None

    with pytest.raises(ValueError, match="space unknown has no supernet") as caught:
        build(Unknown(), input=ImageShape(1, 8, 8), classes=10, scale=Scale(4, 1))
    assert "\n" not in str(caught.value)


def adopted(network: nn.Module, counterparts: dict[str, nn.Module]) -> nn.Module:
    """The network with the first channels of the weights of the modules that stand for its own in a supernet."""
    for name, module in network.named_modules():
        other = counterparts.get(name)
        for key, own in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
            if other is not None and own.dim():
                with torch.no_grad():
                    own.copy_(dict(other.state_dict())[key][tuple(slice(0, n) for n in own.shape)])
    return network


@pytest.mark.parametrize("widths", ["64:64:64:64:64", "8:64:16:16:56", "40:8:8:64:24"])
def test_a_size_runs_the_first_channels_of_the_widest_network(widths):
    torch.manual_seed(0)
    space, image = spaces.get("nats_sss"), ImageShape(3, 8, 8)
    supernet = build(space, input=image, classes=10, scale=Scale(8, 1))
    names = dict(supernet.network.named_modules())
    changed_skip = {name.replace(".change.", "."): module for name, module in names.items()}
    network = adopted(space.build(space.parse(widths), input=image, classes=10), {**names, **changed_skip})
    images = torch.randn(5, 3, 8, 8)
    torch.testing.assert_close(network.train()(images), supernet.train()(images, space.parse(widths)))
    torch.testing.assert_close(network.eval()(images), supernet.eval()(images, space.parse(widths)))


def test_a_cell_of_vertices_runs_the_first_channels_of_its_operations():
    torch.manual_seed(0)
    space, image, scale = spaces.get("nb101"), ImageShape(3, 8, 8), Scale(16, 2)
    supernet = build(space, input=image, classes=10, scale=scale)
    names = dict(supernet.network.named_modules())
    images = torch.randn(5, 3, 8, 8)
    fan_ins = set()
    for seed in range(12):
        arch = space.sample(np.random.default_rng(seed))
        fan_ins.add(sum(edge.live and edge.target == 6 and edge.source > 0 for edge in space.graph(arch).edges))
        counterparts = {}
        for name in dict(space.build(arch, input=image, classes=10, scale=scale).named_modules()):
            parts = name.split(".")
            if "operations" in parts and len(parts) > 3:
                parts.insert(4, str(arch[21 + int(parts[3]) - 1]))
            counterparts[name] = names[".".join(parts)]
        network = adopted(space.build(arch, input=image, classes=10, scale=scale), counterparts)
        torch.testing.assert_close(network.train()(images), supernet.train()(images, arch))
    assert len(fan_ins) > 2


def test_channels_that_no_path_runs_keep_weights_statistics_and_momentum_bit_for_bit():
    narrow = [Act("prune", "*", tuple(str(width) for width in range(40, 72, 8)))]
    trainer = Trainer(replace(TINY, space="nats_sss"))
    steps(trainer, 3)
    trainer.steer(narrow)
    before, momenta = tensors(trainer.supernet), trainer.optimizer.state_dict()["state"]
    momenta = {k: state["momentum_buffer"].clone() for k, state in momenta.items()}
    steps(trainer, 3)
    after = tensors(trainer.supernet)
    moved = changed(before, after)
    assert moved
    for name in moved:
        if before[name].dim() and "classifier.bias" not in name:
            apart = (before[name] != after[name]).nonzero()
            assert apart[:, 0].max() < 32 or name == "network.classifier.weight", name
            assert apart.shape[1] < 2 or ("stem" in name or apart[:, 1].max() < 32), name
    later = trainer.optimizer.state_dict()["state"]
    wide = [k for k, buffer in momenta.items() if buffer.dim() == 4 and buffer.shape[0] == 64]
    assert wide and all(torch.equal(momenta[k][32:], later[k]["momentum_buffer"][32:]) for k in wide)


def test_a_pruned_vertex_operation_is_never_trained_again():
    trainer = Trainer(replace(TINY, space="nb101", channels=8))
    steps(trainer, 6)
    trainer.steer([Act("prune", "*", ("conv3x3-bn-relu",)), Act("prune", "edge 0→6", ("on",))])
    before = tensors(trainer.supernet)
    steps(trainer, 12)
    moved = changed(before, tensors(trainer.supernet))
    assert any(".operations.1.1." in name for name in moved) and any(".projections.1." in name for name in moved)
    assert not any(".projections.6." in name for name in moved)
    assert not any(".operations." in name and name.split(".operations.")[1][2] == "0" for name in moved)
    assert not trainer.supernet.weights_of(0, 0) and trainer.supernet.weights_of(0, 1)
    assert trainer.supernet.weights_of(21, 0) and not trainer.supernet.weights_of(21, 2)


@pytest.mark.parametrize("space", ["nats_sss", "nb101"])
def test_narrow_and_wide_paths_are_ranked_stopped_and_resumed_like_all_others(tmp_path, space):
    whole, _ = undisturbed_and_resumed(replace(TINY, space=space, batch_size=256), 3, tmp_path / "cut")
    archs = [whole.space.sample(np.random.default_rng(k)) for k in range(3)]
    scores = Ranker(whole).scores(archs)["one_shot"]
    recalibrate(whole.supernet, archs[2], whole.images.calibration(2, 256, seed=0))
    with torch.no_grad():
        logits = whole.supernet(whole.images.held_out, archs[2])
    loss = nn.functional.cross_entropy(logits, whole.images.held_out_labels)
    assert scores[2] == pytest.approx(-loss.item(), rel=1e-4)


@pytest.mark.parametrize("sampling", ["uniform", "fair", "balanced"])
def test_a_pruned_operation_is_never_trained_again(sampling):
    trainer = Trainer(replace(TINY, sampling=sampling))
    steps(trainer, 12)
    trainer.steer([Act("prune", "*", ("nor_conv_3x3",))])
    gone = {k for k in tensors(trainer.supernet) if ".operations." in k and k.split(".operations.")[1][2] == "3"}
    assert len(gone) == 3 * 6 * 6  # three cells, six edges, weight and five tensors of batch normalisation
    before = tensors(trainer.supernet)
    steps(trainer, 12)
    moved = changed(before, tensors(trainer.supernet))
    assert moved and not moved & gone


def test_an_edit_leaves_every_weight_bit_identical_and_training_goes_on():
    trainer = Trainer(TINY)
    steps(trainer, 10)
    before, momenta = tensors(trainer.supernet), trainer.optimizer.state_dict()["state"]
    trainer.steer([Act("pin", "edge 0→3", ("skip_connect",))])
    trainer.steer([Act("pin", "edge 0→3", ("skip_connect",)), Act("undo", target=0)])
    assert not changed(before, tensors(trainer.supernet))
    after = trainer.optimizer.state_dict()["state"]
    assert all(torch.equal(momenta[k]["momentum_buffer"], after[k]["momentum_buffer"]) for k in momenta)
    step = trainer.step_
    trainer.step()
    assert trainer.step_ == step + 1 and changed(before, tensors(trainer.supernet))


def test_a_refused_edit_leaves_the_old_steering_in_force():
    trainer = Trainer(replace(TINY, sampling="balanced"))
    before = trainer.steering
    with pytest.raises(SteeringConflict):
        trainer.steer([Act("pin", "*", ("none",))])
    assert trainer.steering == before and trainer.acts == []


def test_warm_up_trains_nothing_but_what_the_edit_brought_back():
    acts = [Act("prune", "edge 0→3", ("nor_conv_3x3", "nor_conv_1x1"))]
    trainer = Trainer(TINY, acts=acts)
    steps(trainer, 5)
    trainer.steer([*acts, Act("undo", target=0)], warm_up=6)
    before = {name: weight.clone() for name, weight in trainer.supernet.named_parameters()}
    steps(trainer, 6)
    moved = changed(before, dict(trainer.supernet.named_parameters()))
    assert moved and all(".operations.3.2." in name or ".operations.3.3." in name for name in moved)
    trainer.step()
    assert "network.classifier.weight" in changed(before, dict(trainer.supernet.named_parameters()))


def test_a_warm_up_outlasts_edits_that_bring_nothing_back():
    acts = [Act("prune", "edge 0→3", ("nor_conv_3x3", "nor_conv_1x1"))]
    trainer = Trainer(TINY, acts=acts)
    trainer.steer([*acts, Act("undo", target=0)], warm_up=6)
    steps(trainer, 2)
    trainer.steer([*acts, Act("undo", target=0), Act("prune", "edge 0→3", ("nor_conv_1x1",))], warm_up=6)
    before = {name: weight.clone() for name, weight in trainer.supernet.named_parameters()}
    steps(trainer, 4)
    moved = changed(before, dict(trainer.supernet.named_parameters()))
    assert moved and all(".operations.3.3." in name for name in moved)  # what was pruned meanwhile is warmed no more
    trainer.step()
    assert "network.classifier.weight" in changed(before, dict(trainer.supernet.named_parameters()))


def test_a_moment_that_failed_leaves_nothing_behind_in_its_worker(monkeypatch):
    settings = {**TINY.to_dict(), "epochs": 500.0}
    begun = train(Moment(settings, 500, [], until=3))
    weights = Reference.carrying(begun.weights)
    step = Trainer.step

    def fail(trainer: Trainer) -> float:
        if trainer.step_ >= 6:
            raise ValueError("no memory left")
        return step(trainer)

    with monkeypatch.context() as patch, pytest.raises(ValueError, match="no memory left"):
        patch.setattr(Trainer, "step", fail)
        train(Moment(settings, 500, [], weights))
    assert train(Moment(settings, 500, [], weights, until=4)).step == 4


def test_fair_updates_are_equal_for_every_operation_where_none_is_pruned():
    trainer = Trainer(replace(TINY, sampling="fair", weight_decay=0.0), acts=[Act("prune", "*", ("none",))])
    for _ in range(4):
        before = {name: weight.clone() for name, weight in trainer.supernet.named_parameters()}
        trainer.step()
        convolutions = {name for name in before if ".operations." in name and before[name].dim() == 4}
        unused = {name for name in convolutions if torch.equal(before[name], trainer.supernet.get_parameter(name))}
        assert len(convolutions) == 3 * 6 * 2 and not unused


def test_equal_seeds_train_equal_weights_and_other_seeds_other_ones():
    first, second, third = Trainer(TINY), Trainer(TINY), Trainer(replace(TINY, seed=1))
    for trainer in (first, second, third):
        steps(trainer, 8)
    assert not changed(tensors(first.supernet), tensors(second.supernet))
    assert changed(tensors(first.supernet), tensors(third.supernet))


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    steps(Trainer(TINY), 2)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("sampling", ["uniform", "fair", "balanced"])
def test_stopped_saved_and_resumed_equals_undisturbed(tmp_path, sampling):
    settings = replace(TINY, sampling=sampling, batch_size=64)
    whole, resumed = undisturbed_and_resumed(settings, 5, tmp_path / "cut")
    curves = [[(r.step, r.train, r.validation) for r in t.history_] for t in (whole, resumed)]
    assert curves[0] == curves[1] and len(curves[0]) == 1


def test_the_loss_falls_and_the_curve_has_both_losses():
    trainer = Trainer(replace(TINY, epochs=4, batch_size=32))
    assert trainer.train()
    first, last = trainer.history_[0], trainer.history_[-1]
    assert [record.epoch for record in trainer.history_] == [1, 2, 3, 4]
    assert last.train < first.train - 0.1
    assert last.validation < first.validation
    assert trainer.finished and trainer.fraction == 1


def test_a_budget_in_seconds_is_kept():
    trainer = Trainer(replace(TINY, seconds=0.5))
    assert trainer.train()
    assert 0.5 <= trainer.seconds_ < 2


def test_recalibration_changes_statistics_and_leaves_weights_alone():
    trainer = Trainer(TINY)
    steps(trainer, 10)
    arch = (CONV3, CONV1, SKIP, CONV3, CONV1, CONV3)
    weights = {name: weight.clone() for name, weight in trainer.supernet.named_parameters()}
    buffers = {name: buffer.clone() for name, buffer in trainer.supernet.named_buffers()}
    batches = trainer.images.calibration(2, 64, seed=0)
    recalibrate(trainer.supernet, arch, batches)
    assert not changed(weights, dict(trainer.supernet.named_parameters()))
    moved = changed(buffers, dict(trainer.supernet.named_buffers()))
    assert "network.blocks.0.operations.0.3.2.running_mean" in moved
    stem = trainer.supernet.network.stem
    with torch.no_grad():
        outputs = [stem[0](images) for images in batches]
    mean = torch.stack([output.mean(dim=(0, 2, 3)) for output in outputs]).mean(dim=0)
    torch.testing.assert_close(stem[1].running_mean, mean)
    assert stem[1].momentum == 0.1


def test_ranking_works_on_a_copy_and_equals_recalibrating_by_hand():
    trainer = Trainer(TINY)
    steps(trainer, 10)
    before = tensors(trainer.supernet)
    archs = [SPACE.sample(np.random.default_rng(k)) for k in range(4)]
    scores = Ranker(trainer, calibration=128).scores(archs)
    assert not changed(before, tensors(trainer.supernet))
    recalibrate(trainer.supernet, archs[2], trainer.images.calibration(2, 64, seed=0))
    with torch.no_grad():
        logits = trainer.supernet(trainer.images.held_out, archs[2])
    loss = nn.functional.cross_entropy(logits, trainer.images.held_out_labels)
    assert scores["one_shot"][2] == pytest.approx(-loss.item(), rel=1e-4)
    raw = Ranker(trainer, calibration=0).scores(archs)
    assert not np.allclose(raw["one_shot"], scores["one_shot"])


def test_few_shot_inherits_weights_pins_the_choice_and_leaves_the_whole_unharmed():
    trainer = Trainer(TINY, acts=[Act("prune", "edge 0→3", ("none",))])
    steps(trainer, 10)
    before = tensors(trainer.supernet)
    parts = few_shot(trainer, "edge 0→3", epochs=0.2)
    assert list(parts) == ["skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    for name, part in parts.items():
        assert not changed(before, tensors(part.supernet))
        assert part.steering.allowed[3] == (SPACE.decisions[3].choices.index(name),)
        assert part.train() and changed(before, tensors(part.supernet))
    assert not changed(before, tensors(trainer.supernet))
    with pytest.raises(SteeringConflict, match="edge 9"):
        few_shot(trainer, "edge 9")


def test_validating_leaves_statistics_alone():
    trainer = Trainer(TINY)
    steps(trainer, 3)
    before = tensors(trainer.supernet)
    trainer.validate()
    assert not changed(before, tensors(trainer.supernet))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"sampling": "nope"}, "unknown sampling 'nope'"),
        ({"channels": 0}, "channels: got 0"),
        ({"epochs": float("nan")}, "epochs: got nan"),
        ({"seconds": -1.0}, "seconds: got -1.0"),
        ({"held_out": 1.0}, "held_out: got 1.0"),
        ({"final_rate": 1.5}, "final_rate: got 1.5"),
        ({"momentum": 1.0}, "momentum: got 1.0"),
    ],
)
def test_settings_out_of_range_are_named(change, part):
    with pytest.raises(ValueError, match=part):
        replace(TINY, **change)


def test_too_few_images_for_a_batch_are_named():
    with pytest.raises(ValueError, match="1500 training images"):
        Trainer(replace(TINY, batch_size=1400))


@pytest.mark.parametrize(
    ("changes", "left"), [({"final_rate": 0.25}, 0.25), ({"arch": SPACE.format((CONV3,) * 6)}, 0.0)]
)
def test_shared_weights_keep_a_share_of_the_learning_rate_to_the_end_a_network_alone_none(changes, left):
    trainer = Trainer(replace(TINY, epochs=2, **changes))
    rates = []
    trainer.train(each_step=lambda trainer: rates.append(trainer.optimizer.param_groups[0]["lr"]))
    assert trainer.settings.final_rate == left  # stored as it is used
    assert rates[0] == TINY.learning_rate and rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(left * TINY.learning_rate, abs=1e-3)
    assert rates[len(rates) // 2] == pytest.approx((1 + left) / 2 * TINY.learning_rate, rel=0.05)


def test_a_diverged_training_says_so():
    with pytest.raises(ValueError, match="diverged at step"):
        steps(Trainer(replace(TINY, learning_rate=1e30)), 20)


def test_a_file_that_is_no_checkpoint_is_named_and_never_run(tmp_path):
    path = tmp_path / "x"
    for content in (b"nonsense", b"", b"."):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no checkpoint of a supernet"):
            load(path)
    torch.save({"a": 1}, path)
    with pytest.raises(ValueError, match="no checkpoint of a supernet"):
        load(path)


def test_an_interrupted_save_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    trainer = Trainer(TINY)
    save(trainer, tmp_path / "x")
    before = (tmp_path / "x").read_bytes()

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space"):
        save(trainer, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_few_shot_supernets_cost_as_much_and_score_every_cell_by_the_part_of_its_choice():
    settings = replace(TINY, epochs=0.4)
    acts = [Act("prune", "edge 0→3", ("none",))]
    archs = [arch for arch in (SPACE.sample(np.random.default_rng(k)) for k in range(20)) if arch[3]]
    whole = train_and_score(settings, acts, archs, calibration=64)
    shares = []
    found = train_and_score(settings, acts, archs, calibration=64, few_shot_on="edge 0→3", progress=shares.append)
    assert (whole.label, found.label) == ("uniform", "uniform, few-shot on edge 0→3")
    assert found.settings == settings and shares == sorted(shares) and shares[-1] == 1
    assert abs(found.steps - whole.steps) <= 5  # four parts, each of a whole number of steps
    half = Trainer(replace(settings, epochs=0.2), acts=acts)
    half.train()
    for name, part in few_shot(half, "edge 0→3", epochs=0.05).items():
        part.train()
        mine = [k for k, arch in enumerate(archs) if SPACE.decisions[3].choices[arch[3]] == name]
        assert mine
        own = Ranker(part, calibration=64).scores([archs[k] for k in mine])["one_shot"]
        assert found.recalibrated[mine].tolist() == own.tolist()
    assert found.recalibrated.tolist() != whole.recalibrated.tolist()


def test_a_checkpoint_is_not_trained_few_shot():
    with pytest.raises(ValueError, match="trained anew"):
        train_and_score(Path("x.supernet"), [], [], few_shot_on="edge 0→3")
