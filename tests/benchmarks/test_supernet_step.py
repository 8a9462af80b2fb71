"""What a training step costs beyond the bare forward, backward and optimiser of its path, as a ratio in one run."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import spaces
from nas_core.spaces import ImageShape, Scale
from nas_core.supernet import SupernetSettings, Trainer

STEPS = 60
WARM_UP = 5
MOST = 1.15
"""A step may cost 15 % more: drawing the path, its batch and augmentation, and finding its weights in the supernet."""


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bare_step(network: nn.Module, optimizer: torch.optim.Optimizer, images: torch.Tensor, labels: torch.Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(network(images), labels).backward()
    optimizer.step()


@pytest.mark.parametrize("name", ["nb201", "nats_sss", "nb101"])
def test_overhead_of_a_step(name):
    space = spaces.get(name)
    settings = SupernetSettings(**{"sampling": "balanced", **space.one_shot_settings}, space=name, data="noise", seed=1)
    trainer, twin = Trainer(settings), Trainer(settings)
    for _ in range(WARM_UP):
        trainer.step()
        twin.sampler.draw()
    image = ImageShape(3, settings.image_size, settings.image_size)
    paths = [twin.sampler.draw()[0] for _ in range(STEPS)]  # those that the trainer is going to draw
    images, labels = twin.images.batch(0, settings.batch_size, settings.seed)
    ours, theirs = [], []
    for path in paths:  # in turns, so that both meet the same load of the machine
        network = space.build(path, input=image, classes=10, scale=Scale(settings.channels, settings.cells))
        network = network.to(memory_format=torch.channels_last).train()
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
        bare_step(network, optimizer, images, labels)  # momentum buffers, and kernels compiled for its shapes
        began = time.process_time()
        trainer.step()
        between = time.process_time()
        bare_step(network, optimizer, images, labels)
        ours.append(between - began)
        theirs.append(time.process_time() - between)
    ratio = float(np.sum(ours) / np.sum(theirs))
    print(
        f"\n{name}: a step of the supernet {1000 * np.mean(ours):.1f} ms, bare path {1000 * np.mean(theirs):.1f} ms, "
        f"ratio {ratio:.3f}, median of ratios {np.median(np.divide(ours, theirs)):.3f}; batch {settings.batch_size}, "
        f"{settings.image_size} pixels, {settings.channels} channels, one thread, n = {STEPS}"
    )
    assert ratio <= MOST
