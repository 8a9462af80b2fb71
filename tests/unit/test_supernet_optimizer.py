"""A step on shared weights: what paths ran moves as it would in a network of its own, the rest not at all."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import spaces
from nas_core.spaces import ImageShape, Scale
from nas_core.supernet import build
from nas_core.supernet._optimizer import PathSGD

RATES = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
STEPS = 3


def supernet_and_batch(name: str) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    supernet = build(spaces.get(name), input=ImageShape(3, 8, 8), classes=10, scale=Scale(16, 1))
    return supernet.train(), torch.randn(16, 3, 8, 8), torch.randint(10, (16,))


def paths_of(name: str, count: int) -> list:
    rng = np.random.default_rng(3)
    return [spaces.get(name).sample(rng) for _ in range(count)]


def train(supernet: nn.Module, optimizer: torch.optim.Optimizer, paths: list, images, labels) -> None:
    for _ in range(STEPS):
        optimizer.zero_grad()
        for path in paths:
            nn.functional.cross_entropy(supernet(images, path), labels).backward()
        optimizer.step()


def entries_run(supernet: nn.Module, optimizer: PathSGD) -> dict[str, torch.Tensor]:
    """Of every weight, the entries that the last step's paths ran: all or none, where it runs as a whole only."""
    found = {}
    for name, weight in supernet.named_parameters():
        found[name] = torch.full(weight.shape, weight.grad is not None)
        for part in optimizer._parts:
            if part.whole is weight:
                found[name][part.region] = True
    return found


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["nats_sss", "nb101", "nb201"])
def test_what_ran_moves_as_by_plain_descent_and_the_rest_stays_bit_for_bit(name, count):
    supernet, images, labels = supernet_and_batch(name)
    plain, start = copy.deepcopy(supernet), copy.deepcopy(supernet.state_dict())
    drawn = paths_of(name, count)
    optimizer = PathSGD(supernet, **RATES)
    train(plain, torch.optim.SGD(plain.parameters(), nesterov=True, **RATES), drawn, images, labels)
    train(supernet, optimizer, drawn, images, labels)
    run = entries_run(supernet, optimizer)
    for (key, weight), by_plain in zip(supernet.named_parameters(), plain.parameters(), strict=True):
        assert torch.equal(weight[run[key]], by_plain[run[key]]), key
        assert torch.equal(weight[~run[key]], start[key][~run[key]]), key
        momentum = optimizer.state[weight].get("momentum_buffer")
        assert momentum is None or not momentum[~run[key]].any()
    shares = {float(entries.float().mean()) for entries in run.values()}
    assert {0.0, 1.0} & shares and (name == "nb201" or any(0 < share < 1 for share in shares))


def test_a_weight_that_one_path_runs_whole_and_another_in_part_gets_both_gradients():
    supernet, images, labels = supernet_and_batch("nats_sss")
    plain, space = copy.deepcopy(supernet), spaces.get("nats_sss")
    drawn = [space.parse("64:64:64:64:64"), space.parse("8:64:16:64:64"), space.parse("16:8:64:64:8")]
    train(plain, torch.optim.SGD(plain.parameters(), nesterov=True, **RATES), drawn, images, labels)
    train(supernet, PathSGD(supernet, **RATES), drawn, images, labels)
    whole = [pair for pair in zip(supernet.parameters(), plain.parameters(), strict=True) if pair[0].grad is not None]
    assert len(whole) > 50
    for weight, by_plain in whole:
        torch.testing.assert_close(weight, by_plain)


@pytest.mark.parametrize("name", ["nats_sss", "nb101"])
def test_one_path_trains_as_a_network_that_has_no_more_than_it_needs(name):
    """The parts alone, as weights of torch's own optimiser, end where the shared weights end."""
    supernet, images, labels = supernet_and_batch(name)
    alone, path = copy.deepcopy(supernet), paths_of(name, 1)
    optimizer = PathSGD(supernet, **RATES)
    supernet(images, *path)
    regions = {
        key: part.region
        for part in optimizer._parts
        for key, weight in supernet.named_parameters()
        if part.whole is weight
    }
    assert regions
    for key, region in regions.items():
        owner, _, attribute = key.rpartition(".")
        module = alone.get_submodule(owner)
        setattr(module, attribute, nn.Parameter(getattr(module, attribute).detach()[region].clone()))
    alone.load_state_dict({**alone.state_dict(), **dict(supernet.named_buffers())})
    train(alone, torch.optim.SGD(alone.parameters(), nesterov=True, **RATES), path, images, labels)
    train(supernet, optimizer, path, images, labels)
    own = dict(alone.named_parameters())
    for key, weight in supernet.named_parameters():
        torch.testing.assert_close(weight[regions.get(key, ())], own[key], rtol=1e-5, atol=1e-6)


def test_gradients_of_all_but_some_weights_are_forgotten_by_parts_too():
    supernet, images, labels = supernet_and_batch("nb101")
    start = copy.deepcopy(supernet.state_dict())
    path = paths_of("nb101", 1)[0]
    optimizer = PathSGD(supernet, **RATES)
    nn.functional.cross_entropy(supernet(images, path), labels).backward()
    decision = next(k for k, choice in enumerate(path[:21]) if choice and supernet.weights_of(k, choice))
    kept = {id(weight) for weight in supernet.weights_of(decision, 1)}
    optimizer.keep_gradients(supernet.weights_of(decision, 1))
    optimizer.step()
    moved = {id(weight) for key, weight in supernet.named_parameters() if not torch.equal(weight, start[key])}
    assert moved and moved <= kept


def test_weights_have_their_gradients_until_somebody_collects_parts():
    supernet, images, labels = supernet_and_batch("nats_sss")
    narrow = spaces.get("nats_sss").parse("8:8:8:8:8")
    nn.functional.cross_entropy(supernet(images, narrow), labels).backward()
    first = supernet.network.stem[0].weight.grad
    assert first[:8].any() and not first[8:].any()
    optimizer = PathSGD(supernet, **RATES)
    optimizer.zero_grad()
    nn.functional.cross_entropy(supernet(images, narrow), labels).backward()
    assert supernet.network.stem[0].weight.grad is None and optimizer._parts
    optimizer.zero_grad()
    assert not optimizer._parts
    with torch.no_grad():
        supernet(images, narrow)
    assert not optimizer._parts
