"""The measured cost: a clock's reading has no formula, but it must be of the right pass, and in milliseconds."""

from __future__ import annotations

import time

import torch
from torch import nn

from nas_core import proxies
from nas_core.proxies import Needs
from nas_core.proxies.latency_ms import PASSES, WARM_UP


class _Sleeper(nn.Module):
    """Takes as long as it is told, pass by pass; notes how it was run."""

    def __init__(self, seconds: list[float]) -> None:
        super().__init__()
        self.seconds, self.runs = list(seconds), []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.runs.append((len(x), self.training, torch.is_grad_enabled()))
        time.sleep(self.seconds.pop(0) if self.seconds else 0)
        return x


def _batches(size: int = 4) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(torch.zeros(size, 3, 8, 8), torch.zeros(size, dtype=torch.long))] * 2


def test_the_median_of_the_passes_after_warm_up_is_told_in_milliseconds():
    held_up = [0.2] * WARM_UP + [0.1] + [0.02] * (PASSES - 1)
    model = _Sleeper(held_up)
    found = proxies.get("latency_ms").score(model, _batches())
    assert 20 <= found.value < 60
    assert model.seconds == []
    assert model.runs == [(4, False, False)] * (WARM_UP + PASSES)
    assert model.training
    assert found.seconds > sum(held_up)


def test_a_network_of_more_work_takes_longer():
    def layers(width: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, width, 3), nn.Conv2d(width, width, 3))

    images = [(torch.zeros(16, 3, 32, 32), torch.zeros(16, dtype=torch.long))]
    narrow, wide = (proxies.get("latency_ms").score(layers(width), images).value for width in (4, 128))
    assert narrow * 3 < wide


def test_it_is_a_cost_that_needs_a_forward_pass():
    proxy = proxies.get("latency_ms")
    assert not proxy.higher_is_better and proxy.needs is Needs.FORWARD and "measured on this machine" in proxy.summary
