"""What a score reads inside a model: tokens and maps, fused norms, padding, batches that are folded or second."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from nas_core import proxies
from nas_core.proxies.vkdnw import MOST_ROWS
from tests.networks import (
    BatchFirst,
    ChannelsLast,
    Encoder,
    Folded,
    Net,
    Recurrent,
    SequenceFirst,
    Squeezed,
    Tied,
    batches,
    build,
    padded,
    with_norms,
)


def score(name, model, data=None):
    return proxies.get(name).score(model, data or batches())


@pytest.mark.parametrize("shape", [(6, 12), (3, 4, 12)])
def test_fisher_sums_the_positions_of_a_linear_layer_by_channel(shape):
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.l, self.r, self.o = nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 6)

        def forward(self, x):
            self.kept = self.l(x)
            return self.o(self.r(self.kept).flatten(1, -2).mean(1))

    model, data = build(Tokens).train(), batches(shape=shape)
    loss = functional.cross_entropy(model(data[0][0]), data[0][1])
    (gradient,) = torch.autograd.grad(loss, [model.kept])
    wanted = float((model.kept * gradient).flatten(1, -2).sum(1).square().sum()) / (2 * 5)
    table = score("fisher", model, data).layers.set_index("layer")
    assert table.term["l"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["fisher", "naswot", "swap", "linear_regions", "l_swag", "az_trainability", "zico"])
def test_a_model_with_images_second_scores_as_with_images_first(name):
    data = batches(shape=(6, 12))
    found, wanted = (score(name, build(make), data).value for make in (SequenceFirst, BatchFirst))
    assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("name", ["fisher", "naswot", "swap", "linear_regions", "l_swag"])
def test_images_are_told_from_positions_where_there_are_as_many(name):
    data = batches(shape=(5, 12))
    found, wanted = (score(name, build(make), data).value for make in (SequenceFirst, BatchFirst))
    assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("name", ["fisher", "naswot", "swap", "swap_reg", "linear_regions", "l_swag", "meco"])
def test_images_folded_into_patches_are_refused_where_images_are_compared(name):
    with pytest.raises(ValueError, match="expected a row for each image"):
        score(name, build(Folded))


def test_zico_bc_counts_the_positions_of_an_image_also_where_they_are_folded():
    table = score("zico_bc", build(Folded)).layers.set_index("layer")
    assert table.penalty["c"] == pytest.approx(math.log(64 / math.sqrt(8)))


def test_a_linear_layer_over_maps_is_no_map():
    model = build(ChannelsLast)
    assert math.isnan(score("meco", model).layers.set_index("layer").term["l"])
    penalty = score("zico_bc", model).layers.set_index("layer").penalty["l"]
    assert penalty == pytest.approx(math.log(1 / math.sqrt(16)))


def _entropy(rows: np.ndarray) -> float:
    eigenvalues = np.linalg.eigvalsh(np.cov(rows.T, bias=True))
    shares = eigenvalues[eigenvalues > 1e-14] / eigenvalues.sum()
    return -float((shares * np.log(shares)).sum())


@pytest.mark.parametrize(
    ("make", "shape", "rows"),
    [
        (ChannelsLast, (3, 8, 8), {"c": lambda o: o.movedim(1, -1), "l": lambda o: o, "o": lambda o: o}),
        (
            lambda: nn.Sequential(nn.Conv1d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 6)),
            (3, 10),
            {"0": lambda o: o.movedim(1, -1), "3": lambda o: o},
        ),
    ],
)
def test_expressivity_takes_the_channels_of_a_feature_where_they_are(make, shape, rows):
    model, outputs = build(make), {}
    for name in rows:
        model.get_submodule(name).register_forward_hook(lambda _m, _i, o, name=name: outputs.update({name: o}))
    with torch.no_grad():
        model.train()(torch.randn(64, *shape, generator=torch.Generator().manual_seed(0)))
    wanted = sum(
        _entropy(turn(outputs[n]).reshape(-1, turn(outputs[n]).shape[-1]).double().numpy()) for n, turn in rows.items()
    )
    assert score("az_expressivity", build(make), batches(shape=shape)).value == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("act", [nn.ReLU, nn.Hardswish, nn.GELU])
@pytest.mark.parametrize("name", ["zen", "vkdnw", "synflow", "flops", "zico", "fisher", "ntk_condition"])
def test_a_norm_that_carries_its_activation_scores_as_both_apart(name, act):
    apart, fused = (score(name, build(lambda fused=fused: with_norms(fused, act))).value for fused in (False, True))
    assert fused == pytest.approx(apart, rel=1e-5)


@pytest.mark.parametrize("name", ["vkdnw", "zico", "synflow", "zen", "flops"])
def test_a_convolution_that_pads_itself_scores_as_one_that_is_padded(name):
    inside, apart = (score(name, build(lambda inside=inside: padded(inside))).value for inside in (True, False))
    assert inside == pytest.approx(apart, rel=1e-5)


def _vkdnw(model, images):
    """The formula, image by image and class by class."""
    model.eval()
    parameters, fisher = list(model.parameters()), 0.0
    for image in images:
        logits = model(image[None])[0]
        rows = [torch.autograd.grad(logit, parameters, retain_graph=True) for logit in logits]
        jacobian = np.array([[float(g.flatten()[0]) for g in row] for row in rows])
        p = 0.95 * logits.detach().double().softmax(0).numpy() + 0.05 / len(logits)
        fisher = fisher + jacobian.T @ (np.diag(p) - np.outer(p, p)) @ jacobian / len(images)
    deciles = np.quantile(np.linalg.svd(fisher, compute_uv=False), [k / 10 for k in range(1, 10)])
    q = deciles[deciles > 0] / deciles.sum()
    return len(parameters) - float((q * np.log(q)).sum())


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (SequenceFirst, (6, 12)),
        (Folded, (3, 8, 8)),
        (Tied, (3, 8, 8)),
        (Recurrent, (6, 12)),
        (lambda: nn.Sequential(nn.ConvTranspose2d(3, 4, 2), nn.Flatten(), nn.Linear(324, 6)), (3, 8, 8)),
        (lambda: nn.Sequential(nn.Conv1d(3, 4, 3, groups=1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 6)), (3, 10)),
    ],
)
def test_vkdnw_is_its_formula_on_models_of_other_kinds(make, shape):
    images = torch.randn(8, *shape, generator=torch.Generator().manual_seed(0))
    found = score("vkdnw", build(make), batches(shape=shape)).value
    assert found == pytest.approx(_vkdnw(build(make), images), rel=1e-5)


def test_vkdnw_passes_no_more_rows_at_once_than_it_says():
    class Counting(Net):
        most = 0

        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 300)

        def forward(self, x):
            Counting.most = max(Counting.most, len(x))
            return super().forward(x)

    assert math.isfinite(score("vkdnw", build(Counting)).value) and Counting.most <= MOST_ROWS


@pytest.mark.parametrize("name", ["gradsign", "vkdnw"])
def test_an_image_whose_batch_is_squeezed_away_is_one_image(name):
    assert score(name, build(Squeezed)).value == pytest.approx(score(name, build(Net)).value, rel=1e-6)


@pytest.mark.parametrize("name", ["zen", "az_expressivity", "fisher", "zico", "synflow"])
@pytest.mark.parametrize(("make", "shape"), [(Recurrent, (6, 12)), (Encoder, (6, 16))])
def test_modules_that_return_more_than_a_tensor_are_read(name, make, shape):
    assert math.isfinite(score(name, build(make), batches(shape=shape)).value)


@pytest.mark.parametrize("name", ["naswot", "swap", "linear_regions"])
def test_a_relu_that_never_runs_is_no_code(name):
    class Idle(Net):
        def forward(self, x):
            return self.fc(functional.relu(self.c1(x)).mean((2, 3)))

    with pytest.raises(ValueError, match="no ReLU layer of the model ran"):
        score(name, build(Idle))
