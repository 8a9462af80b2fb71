"""Channels last computes the same, and small strided convolutions leave the memory beside their gradients alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from nas_core.spaces.layout import to_channels_last


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(4, 8, 1, stride=2, bias=False),
        nn.Conv2d(5, 3, 1, stride=(2, 1)),
        nn.Conv2d(4, 4, 1, stride=3, groups=2),
        nn.Conv2d(4, 4, 1, stride=2, padding=1),
        nn.Conv2d(4, 8, 3, stride=2, padding=1),
    ],
    ids=str,
)
def test_outputs_and_gradients_are_those_of_the_plain_order(convolution):
    torch.manual_seed(0)
    plain = nn.Sequential(convolution, nn.ReLU())
    ordered = copy.deepcopy(to_channels_last(copy.deepcopy(plain)))
    assert list(ordered.state_dict()) == list(plain.state_dict())
    images = torch.randn(16, convolution.in_channels, 7, 9)
    found = []
    for network, order in ((plain, torch.contiguous_format), (ordered, torch.channels_last)):
        pixels = images.clone(memory_format=order).requires_grad_()
        outputs = network(pixels)
        outputs.square().sum().backward()
        found.append([outputs, pixels.grad, *(weight.grad for weight in network.parameters())])
    for expected, got in zip(*found, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_many_backward_passes_through_few_strided_channels_end():
    network = to_channels_last(nn.Conv2d(4, 8, 1, stride=2, bias=False))
    images = torch.randn(16, 4, 8, 8).to(memory_format=torch.channels_last).requires_grad_()
    for _ in range(200):  # the process aborts within a few where gradients are written past their end
        network(images).square().sum().backward()
        beside = [torch.zeros(100) for _ in range(50)]
        assert not any(bool(tensor.any()) for tensor in beside)
