"""Proxies on anybody's model: independent values, memory inside a pass, frozen weights, wrong labels."""

from __future__ import annotations

import gc
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from nas_core import proxies, spaces


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    features = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten())
    return nn.Sequential(*features, nn.Linear(216, 300), nn.ReLU(), nn.Linear(300, 5))


def _batches(count: int, size: int = 6) -> list[tuple[torch.Tensor, torch.Tensor]]:
    draw = torch.Generator().manual_seed(1)
    return [
        (torch.randn(size, 3, 8, 8, generator=draw), torch.randint(5, (size,), generator=draw)) for _ in range(count)
    ]


def test_metadata_is_known_without_torch():
    code = (
        "import sys, nas_core.proxies as p; found = [(n, p.get(n).needs, p.get(n).summary) for n in p.names()];"
        "assert len(found) >= 8, found; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_zico_holds_no_gradient_of_an_earlier_batch():
    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.alive = _network(), []

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            gc.collect()
            self.alive.append(sum(o.numel() for o in gc.get_objects() if isinstance(o, torch.Tensor)))
            return self.inner(images)

    model, batches = Watched(), _batches(12)
    gc.freeze()  # what was there before is neither collected nor counted
    try:
        proxies.get("zico").score(model, batches)
    finally:
        gc.unfreeze()
    parameters = sum(p.numel() for p in model.parameters())
    # From the third batch on the running sums exist; one kept gradient a batch would add `parameters` each time.
    assert max(model.alive[2:]) - min(model.alive[2:]) < parameters / 2


def test_zico_does_not_lose_digits_where_gradients_hardly_differ():
    model, (images, labels) = _network(), _batches(1)[0]
    batches = [(images + 1e-4 * k, labels) for k in range(3)]
    weights = [m.weight for m in model if isinstance(m, nn.Conv2d | nn.Linear)]
    model.train()
    passes = [torch.autograd.grad(functional.cross_entropy(model(x), y), weights) for x, y in batches]
    expected = 0.0
    for layer in zip(*passes, strict=True):
        gradients = np.stack([g.double().numpy() for g in layer])
        # Equal gradients have no deviation by definition; a mean rounded in the last place must not invent one.
        differ = (gradients != gradients[0]).any(axis=0)
        expected += np.log((np.abs(gradients).mean(0)[differ] / gradients.std(0)[differ]).sum())
    assert proxies.get("zico").score(_network(), batches).value == pytest.approx(expected, rel=1e-5)


def test_equal_batches_have_no_deviation_and_add_nothing():
    found = proxies.get("zico").score(_network(), _batches(1) * 3)
    assert found.value == 0 and found.layers["term"].isna().all()


def test_grad_norm_is_the_sum_of_the_norms_on_the_first_batch():
    model, batches = _network(), _batches(2)
    weights = [m.weight for m in model if isinstance(m, nn.Conv2d | nn.Linear)]
    model.train()
    images, labels = batches[0]
    gradients = torch.autograd.grad(functional.cross_entropy(model(images), labels), weights)
    expected = sum(float((g**2).sum()) ** 0.5 for g in gradients)
    assert proxies.get("grad_norm").score(_network(), batches).value == pytest.approx(expected, rel=1e-5)


def test_naswot_is_the_log_determinant_of_the_hamming_kernel_and_leaves_no_hook():
    model, batches = _network(), _batches(1)
    found = proxies.get("naswot").score(model, batches).value
    assert not any(m._forward_hooks for m in model.modules())
    model.train()
    first, second = model[:2](batches[0][0]), model[:5](batches[0][0])
    codes = torch.cat([first.flatten(1), second], dim=1).detach().numpy() > 0
    kernel = np.array([[np.sum(a == b) for b in codes] for a in codes], dtype=float)
    assert found == pytest.approx(np.linalg.slogdet(kernel)[1], rel=1e-6)


@pytest.mark.parametrize("name", ["zico", "grad_norm", "live_params", "conv_layers", "sum_log_layer_size"])
def test_frozen_weights_get_no_gradient(name):
    model, batches = _network(), _batches(2)
    model[0].requires_grad_(False)
    found = proxies.get(name).score(model, batches)
    if len(found.layers):
        assert found.layers["term"].isna().tolist() == [True, False, False]
    else:
        whole = proxies.get(name).score(_network(), batches).value
        assert whole - found.value == pytest.approx(
            {"live_params": 168, "conv_layers": 1, "sum_log_layer_size": np.log(162)}[name]
        )


@pytest.mark.parametrize("name", ["zico", "grad_norm", "live_params"])
@pytest.mark.parametrize("label", [-1, 5])
def test_labels_that_are_no_class_of_the_model_are_refused(name, label):
    images, labels = _batches(1)[0]
    with pytest.raises(ValueError, match=f"got class {label}, expected 0 to 4"):
        proxies.get(name).score(_network(), [(images, torch.full_like(labels, label))] * 2)


@pytest.mark.parametrize("name", ["zico", "grad_norm", "naswot"])
def test_infinite_images_are_refused(name):
    images, labels = _batches(1)[0]
    with pytest.raises(ValueError, match="NaN or infinity in its images"):
        proxies.get(name).score(_network(), [(images * torch.inf, labels)] * 2)


@pytest.mark.parametrize("name", ["zico", "grad_norm"])
def test_a_model_without_weighted_layers_is_refused(name):
    with pytest.raises(ValueError, match="no Conv2d or Linear layer"):
        proxies.get(name).score(nn.Sequential(nn.Flatten(), nn.ReLU()), _batches(2))


def test_a_model_that_fails_inside_is_left_as_it_was():
    model = _network().eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    good, labels = _batches(1)[0]
    with pytest.raises(RuntimeError):
        proxies.get("zico").score(model, [(good, labels), (torch.zeros(6, 3, 5, 5), labels)])
    assert not any(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["params", "live_params", "flops"])
def test_counts_on_a_module_equal_the_closed_forms(name):
    space = spaces.get("nb201")
    proxy, rng = proxies.get(name), np.random.default_rng(0)
    # Without `none` no edge is dead; a module never runs a dead one, while the published FLOPs count it.
    architectures = [tuple(map(int, rng.integers(1, 5, size=6))) for _ in range(4)]
    batch = [(torch.randn(2, 3, 32, 32), torch.tensor([0, 1]))]
    counted = [proxy.score(space.build(arch), batch).value for arch in architectures]
    # Global pooling (64 channels of 8 x 8, windows bounded by 9 x 9) is no module of its own, so it is not seen.
    unseen = 64 * 9 * 9 if name == "flops" else 0
    np.testing.assert_array_equal(np.array(counted) + unseen, proxy.score_space(space, architectures))
