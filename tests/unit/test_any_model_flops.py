"""Multiply-accumulates: twice ours is what torch.utils.flop_counter counts, on every kind of model."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from nas_core import proxies
from nas_core.proxies._snapshot import seeded
from nas_core.proxies.base import SEED
from tests.networks import KINDS, PLAIN, Net, batches, build

COUNTED = [kind for kind in KINDS if kind not in ("lazy", "LSTM", "language model")]


def counted(model: nn.Module, image: Tensor) -> tuple[float, float]:
    """What torch counts of a pass, and what the tables count beside it."""
    beside = 0.0

    def note(module, _inputs, output):
        nonlocal beside
        if not isinstance(output, Tensor):
            return
        if type(module) in (nn.AvgPool2d, nn.MaxPool2d):  # a window of ours that is a convolution is counted by torch
            beside += output.numel() * module.kernel_size**2
        beside += output.numel() * (2 * isinstance(module, nn.BatchNorm2d) + isinstance(module, nn.ReLU))

    for module in model.modules():
        module.register_forward_hook(note)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH), seeded(SEED):
            model.eval()(image.clone())
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return counter.get_total_flops(), beside


@pytest.mark.parametrize("kind", COUNTED)
def test_twice_ours_is_what_torch_counts(kind):
    model, data, task = KINDS[kind]()
    found = proxies.get("flops").score(model, data, **task).value
    model, data, _ = KINDS[kind]()
    model = getattr(model, "_orig_mod", model)
    products, beside = counted(model, data[0][0][:1])
    assert products > 0 and 2 * (found - beside) == products


@pytest.mark.parametrize("title", PLAIN)
def test_twice_ours_is_what_torch_counts_on_plain_networks(title):
    image = torch.zeros(1, 3, 16, 16)
    products, beside = counted(build(PLAIN[title]), image)
    found = proxies.get("flops").score(build(PLAIN[title]), [(image, torch.zeros(1, dtype=torch.long))]).value
    assert 2 * (found - beside) == products


@pytest.mark.parametrize(
    ("layer", "shape", "wanted"),
    [
        (nn.Conv1d(3, 8, 3), (3, 20), 18 * 8 * 9),
        (nn.Conv3d(3, 8, 3), (3, 6, 6, 6), 64 * 8 * 81),
        (nn.ConvTranspose2d(3, 8, 4, 2), (3, 6, 6), 36 * 3 * 8 * 16),
        (nn.Conv2d(4, 8, 3, groups=2), (4, 6, 6), 16 * 8 * 18),
        (nn.Linear(12, 16), (6, 12), 6 * 12 * 16),
        (nn.LSTM(12, 16, batch_first=True), (6, 12), 6 * 4 * 16 * (12 + 16)),
        (nn.GRU(12, 16, batch_first=True), (6, 12), 6 * 3 * 16 * (12 + 16)),
        (nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), (6, 16), 6 * 16 * (64 + 64) + 2 * 6 * 6 * 16),
    ],
)
def test_a_layer_has_the_products_that_it_is_made_of(layer, shape, wanted):
    image = torch.zeros(2, *shape)
    assert proxies.get("flops").score(layer, [(image, torch.zeros(2, dtype=torch.long))]).value == wanted


def test_a_module_that_returns_no_tensor_is_no_hindrance():
    class Penalty(nn.Module):
        def forward(self, x):
            return {"squares": x.square().mean()}

    class Regular(Net):
        def __init__(self):
            super().__init__()
            self.p = Penalty()

        def forward(self, x):
            features = self.body(x)
            self.p(features)
            return self.fc(features)

    found, wanted = (proxies.get("flops").score(build(make), batches()).value for make in (Regular, Net))
    assert found == wanted
