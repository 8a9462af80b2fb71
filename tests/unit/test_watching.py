"""Somebody's own network is watched: its scores, layers and modules are kept, and nothing of its training changes."""

from __future__ import annotations

import copy
import inspect
import random
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import nas_core
from nas_core import proxies
from nas_core.proxies import Needs, ProxyScore
from nas_core.proxies.base import untouched
from nas_core.store import Store
from nas_core.watching import FILM, SCORES
from tests.watched_models import (
    KINDS,
    Convolutional,
    Vit,
    WordsLast,
    build,
    first,
    images,
    next_word,
    sentences,
)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


class Drawing:
    """A score of another package that draws from every generator and takes the keywords of other tasks."""

    name, version, higher_is_better, needs, summary = "drawing", 1, True, Needs.FORWARD, "draws"

    def score(self, model, batches, *, output=None, loss=None):
        drawn = random.random() + np.random.random() + float(torch.rand(()))
        with untouched(model):
            outputs = (output or (lambda found: found))(model(batches[0][0]))
        value = float((loss or functional.cross_entropy)(outputs, batches[0][1]).detach())
        assert drawn >= 0
        return ProxyScore(value)


class Stubborn(Drawing):
    """A score that takes no network."""

    name = "stubborn"

    def score(self, model, batches):
        raise RuntimeError("no networks\nplease")


@pytest.fixture
def scores_of_others(own_members):
    for proxy in (Drawing, Stubborn):
        proxies.register(proxy.name)(proxy)


def trained(model, batches, watcher=None, steps=12):
    """Train as people do; the optimiser, and the losses."""
    torch.manual_seed(3)
    optimiser = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    losses = []
    for step in range(steps):
        inputs, labels = batches[step % len(batches)]
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        if watcher is not None:
            watcher.step()
    return optimiser, losses


@pytest.mark.parametrize("kind", KINDS)
def test_scores_layers_and_modules_of_a_network_are_kept(store, kind):
    made, batches = KINDS[kind]
    model, given = build(made), batches()
    watcher = nas_core.watch(model, given, name=kind, store=store, every=None)
    (row,) = store.networks()
    assert (row.id, row.name, row.taken, row.step) == (watcher.network.id, kind, 1, 0)
    (snapshot,) = store.snapshots(row.id)
    expected = proxies.get("zico").score(model, given)
    assert snapshot.values["zico"] == pytest.approx(expected.value, rel=1e-6) and "zico" not in snapshot.reasons
    assert set(snapshot.values) == set(SCORES)
    assert all(snapshot.reasons.get(score) for score, value in snapshot.values.items() if np.isnan(value))
    structure = store.structure(row.id)
    assert [layer["layer"] for layer in structure.layers["zico"]] == expected.layers["layer"].tolist()
    assert snapshot.layers["zico"]["term"] == pytest.approx(expected.layers["term"].tolist(), rel=1e-4, nan_ok=True)
    assert {module["name"] for module in structure.modules} == {name for name, _ in model.named_modules()}
    assert sum(module["weights"] for module in structure.modules) == sum(p.numel() for p in model.parameters())


@pytest.mark.skipif(
    "loss" not in inspect.signature(proxies.get("zico").score).parameters, reason="scores take no loss of other tasks"
)
def test_an_output_and_a_loss_of_ones_own_are_passed_to_the_scores(store):
    model, given = build(WordsLast), sentences()
    watcher = nas_core.watch(model, given, name="words", store=store, output=first, loss=next_word)
    assert watcher.first.values["zico"] > 0
    assert watcher.snapshot()


def test_a_score_that_takes_no_loss_says_so_and_others_get_it(store, scores_of_others):
    model, given = build(WordsLast), sentences()
    names = ["drawing", "stubborn"]
    watcher = nas_core.watch(
        model, given, name="words", store=store, scores=names, film=[], output=first, loss=next_word
    )
    model.eval()
    assert watcher.first.values["drawing"] == pytest.approx(np.log(40), rel=0.1)
    assert watcher.first.reasons == {"stubborn": "stubborn takes no output="}


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_as_it_would_have_gone_unwatched(store, kind):
    made, batches = KINDS[kind]
    alone, seen = build(made), build(made)
    optimiser, losses = trained(alone, batches())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watcher = nas_core.watch(seen, batches(), name=kind, store=store, every=3)
        watched_optimiser, watched_losses = trained(seen, batches(), watcher)
    assert [snapshot.step for snapshot in store.snapshots(watcher.network.id)] == [0, 3, 6, 9, 12]
    assert watched_losses == losses
    assert all(torch.equal(one, other) for one, other in zip(*states(alone, seen), strict=True))
    one, other = optimiser.state_dict(), watched_optimiser.state_dict()
    assert one["param_groups"] == other["param_groups"]
    for key, state in one["state"].items():
        assert torch.equal(state["momentum_buffer"], other["state"][key]["momentum_buffer"])


def states(*models):
    return [list(model.state_dict().values()) for model in models]


def test_nothing_of_model_gradients_modes_and_generators_changes(store, scores_of_others):
    model = build(Convolutional)
    functional.cross_entropy(model(images()[0][0]), images()[0][1]).backward()
    model.bn1.eval()
    next(model.parameters()).requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    gradients = [parameter.grad for parameter in model.parameters()]
    values = [None if grad is None else grad.clone() for grad in gradients]
    modes = [module.training for module in model.modules()]
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    drawn = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    given = images()
    kept = [(inputs.clone(), labels.clone()) for inputs, labels in given]
    with torch.no_grad():
        watcher = nas_core.watch(model, given, name="x", store=store, scores=[*SCORES, "drawing", "stubborn"])
        watcher.snapshot()
        assert not torch.is_grad_enabled()
    assert watcher.first.values["zico"] > 0  # gradients are there, though the caller switched them off
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    for parameter, gradient, value in zip(model.parameters(), gradients, values, strict=True):
        assert parameter.grad is gradient and (value is None or torch.equal(gradient, value))
    assert [module.training for module in model.modules()] == modes
    assert [parameter.requires_grad for parameter in model.parameters()] == wanted
    assert torch.equal(torch.get_rng_state(), drawn[0]) and random.getstate() == drawn[1]
    assert np.random.get_state()[1].tolist() == drawn[2]
    assert all(torch.equal(a, b) for one, two in zip(given, kept, strict=True) for a, b in zip(one, two, strict=True))
    assert not any(module._forward_pre_hooks for module in model.modules())


def seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_a_step_costs_less_than_one_percent_unsampled_and_less_than_two_steps_sampled(store):
    model, given = build(Convolutional, width=16), images(2, 32)
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    watcher = nas_core.watch(model, given, name="cost", store=store, every=1000, scores=["zico"])

    def step():
        optimiser.zero_grad()
        functional.cross_entropy(model(given[0][0]), given[0][1]).backward()
        optimiser.step()

    step()
    watcher.snapshot()
    steps, samples = [], []
    for _ in range(9):  # in turn, so that both meet the same machine
        steps.append(seconds(step))
        samples.append(seconds(watcher.snapshot))
    unsampled = min(seconds(lambda: [watcher.step(1) for _ in range(100)]) for _ in range(5)) / 100
    assert unsampled < 0.01 * statistics.median(steps)
    assert statistics.median(samples) < 2 * statistics.median(steps)


def test_numbers_that_begin_again_with_every_epoch_are_counted_on(store):
    model = build(Convolutional)
    watcher = nas_core.watch(model, images(), name="epochs", store=store, every=4, scores=FILM)
    with pytest.warns(UserWarning, match="counted on") as told:
        taken = [watcher.step(number) for _ in range(3) for number in range(5)]
    assert len(told) == 1
    assert [snapshot.step for snapshot in store.snapshots(watcher.network.id)] == [0, 4, 8, 12]
    assert sum(taken) == 3


def test_a_store_that_is_gone_is_a_warning_and_the_training_goes_on(store):
    model = build(Convolutional)
    watcher = nas_core.watch(model, images(), name="x", store=store, every=1, scores=FILM)
    store.path.rename(store.path.with_suffix(".away"))
    with pytest.warns(UserWarning, match="no snapshot of 'x' at step 1: .*the file is gone"):
        assert not watcher.step()


def test_a_score_without_a_value_says_why_and_costs_no_other(store, scores_of_others):
    watcher = nas_core.watch(build(Vit), images(), name="x", store=store, scores=["stubborn", "params", "zico"])
    assert watcher.first.reasons["stubborn"] == "RuntimeError: no networks please"
    assert watcher.first.values["params"] > 0 and watcher.first.values["zico"] > 0


def test_modules_know_the_order_of_a_pass(store):
    watcher = nas_core.watch(build(Convolutional), images(), name="x", store=store, every=None, scores=["params"])
    called = {module["name"]: module["called"] for module in store.structure(watcher.network.id).modules}
    assert called["conv_stem"] < called["blocks.0.conv_dw"] < called["blocks.3.conv_pwl"] < called["classifier"]
    assert called[""] == 0


def test_a_network_inside_what_runs_it_elsewhere_has_its_own_names(store):
    model = nn.DataParallel(build(Convolutional))
    watcher = nas_core.watch(model, images(), name="x", store=store, every=None, scores=FILM)
    structure = store.structure(watcher.network.id)
    names = {module["name"] for module in structure.modules}
    assert {layer["layer"] for layer in structure.layers["zico"]} <= names and "conv_stem" in names


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": "resnet"}, "model: got str, expected a torch.nn.Module"),
        ({"batches": images(1)}, "batches: got 1, expected a list of at least 2 pairs"),
        ({"batches": iter(images())}, "batches: got list_iterator, expected a list"),
        ({"batches": [torch.zeros(2, 3), torch.zeros(2, 3)]}, "batch 0 is a Tensor; expected a pair"),
        ({"batches": [(torch.zeros(4, 3, 2), torch.zeros(4).long())] * 2}, "does not take the inputs of the first"),
        ({"every": 0}, "every: got 0, expected a number of steps of at least 1"),
        ({"scores": ["zicco"]}, "zicco"),
        ({"scores": [], "film": []}, "scores: got none"),
        ({"name": " "}, "name: got 0 letters"),
        ({"scores": ["stubborn"], "film": []}, "no score of this model has a value: stubborn: RuntimeError"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_cannot_be_watched_is_one_line_and_leaves_no_network(store, scores_of_others, changes, told):
    words = {"model": build(Convolutional), "batches": images(), "name": "x", "scores": FILM, **changes}
    with pytest.raises(ValueError) as error:
        nas_core.watch(words.pop("model"), words.pop("batches"), store=store, **words)
    assert told in str(error.value) and "\n" not in str(error.value)
    assert store.networks() == []


def test_watch_is_found_without_importing_torch():
    program = "import sys, nas_core; assert callable(nas_core.watch); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=120, check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'watcher'"):
        _ = nas_core.watcher
