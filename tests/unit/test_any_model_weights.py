"""Weights of somebody's model: computed, tied, reused, NaN, in half precision, or without a path."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from nas_core import proxies
from tests.networks import Language, Net, Reused, SmallVit, Tied, batches, build, next_word, sentences

READ_WEIGHTS = [
    *("zico", "zico_bc", "snip", "grad_norm", "gradsign", "grasp", "synflow", "l_swag", "fisher", "ntk_condition"),
    *("vkdnw", "zen", "conv_layers", "sum_log_layer_size", "meco", "az_trainability", "naswot", "jacov"),
]


def score(name, model, data=None, **task):
    return proxies.get(name).score(model, data or batches(), **task)


def layers(net):
    return [net.c1, net.c2, net.fc]


def _weight_norm(layer):
    parametrizations.weight_norm(layer)


def _old_weight_norm(layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nn.utils.weight_norm(layer)


def _pruned(layer):
    prune.l1_unstructured(layer, "weight", amount=0.3)


def _halved(layer):
    class Half(nn.Module):
        def forward(self, weight):
            return weight / 2

    nn.utils.parametrize.register_parametrization(layer, "weight", Half())


@pytest.mark.parametrize("compute", [_weight_norm, _old_weight_norm, _pruned, _halved])
@pytest.mark.parametrize("name", READ_WEIGHTS)
def test_a_computed_weight_scores_as_the_weight_that_the_pass_used(name, compute):
    computed = build(Net)
    for layer in layers(computed):
        compute(layer)
    computed(batches()[0][0])
    plain = build(Net)
    for own, layer in zip(layers(plain), layers(computed), strict=True):
        own.weight.data.copy_(layer.weight.detach())
    plain.n1.load_state_dict(computed.n1.state_dict())
    plain.n2.load_state_dict(computed.n2.state_dict())
    wanted, found = score(name, plain), score(name, computed)
    assert math.isfinite(wanted.value) and found.value == pytest.approx(wanted.value, rel=1e-4)
    if len(wanted.layers):
        assert found.layers["kind"].tolist() == wanted.layers["kind"].tolist()


def test_a_module_that_runs_twice_computes_its_weight_once_a_pass():
    class Twice(Reused):
        def __init__(self):
            super().__init__()
            _old_weight_norm(self.a)

    computed, plain = build(Twice), build(Reused)
    assert score("snip", computed).value == pytest.approx(score("snip", plain).value, rel=1e-5)


def _terms_of_a_shared_weight(model):
    (images, labels), weights = batches()[0], [model.s.weight, model.a.weight, model.fc.weight]
    loss = functional.cross_entropy(model.train()(images), labels)
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    half = sum((g.detach() * g).sum() for g in gradients)
    products = torch.autograd.grad(half, weights)
    return {
        "snip": sum(float((w * g).abs().sum()) for w, g in zip(weights, gradients, strict=True)),
        "grad_norm": sum(float(g.norm()) for g in gradients),
        "grasp": -sum(float((w * h).sum()) for w, h in zip(weights, products, strict=True)),
    }


@pytest.mark.parametrize("make", [Tied, Reused])
@pytest.mark.parametrize("name", ["snip", "grad_norm", "grasp"])
def test_a_shared_weight_counts_once(name, make):
    wanted = _terms_of_a_shared_weight(build(make))[name]
    assert score(name, build(make)).value == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["zico", "synflow", "sum_log_layer_size", "l_swag", "zico_bc"])
def test_two_modules_with_one_weight_are_one_row(name):
    found = score(name, build(Tied))
    if len(found.layers):
        assert found.layers["layer"].tolist() == ["s", "a", "fc"]
        assert found.layers["term"].sum() == pytest.approx(found.value)
    else:
        assert found.value == pytest.approx(sum(map(math.log, (3 * 8 * 9, 8 * 8 * 9, 8 * 6))))


def test_a_reused_layer_has_one_gate_in_fisher():
    model = build(Reused)
    outputs = []
    handle = model.a.register_forward_hook(lambda _m, _i, output: outputs.append(output))
    images, labels = batches()[0]
    loss = functional.cross_entropy(model.train()(images), labels)
    handle.remove()
    gradients = torch.autograd.grad(loss, outputs)
    felt = sum((a * g).sum((2, 3)) for a, g in zip(outputs, gradients, strict=True))
    table = score("fisher", model).layers.set_index("layer")
    assert table.term["a"] == pytest.approx(float(felt.square().sum()) / (2 * len(images)), rel=1e-5)


def test_a_decoder_that_shares_the_embedding_has_its_whole_gradient():
    model, data = build(Language), sentences()
    loss = next_word(model.train()(data[0][0]), data[0][1])
    (gradient,) = torch.autograd.grad(loss, [model.e.weight])
    table = score("grad_norm", model, data, loss=next_word).layers.set_index("layer")
    assert table.term["o"] == pytest.approx(float(gradient.norm()), rel=1e-5)
    assert table.index.tolist() == ["l.weight_ih_l0", "l.weight_hh_l0", "o"]


def test_the_projections_of_attention_are_layers():
    model = nn.Sequential(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), nn.Flatten(), nn.Linear(96, 6))
    found = score("zico", model, batches(shape=(6, 16)))
    inside = found.layers.set_index("layer").loc[["0.self_attn.in_proj_weight", "0.self_attn.out_proj"]]
    assert inside["term"].notna().all() and inside["shape"].tolist() == ["48x16", "16x16"]


NAN = [name for name in proxies.names() if name not in ("zen", "latency_ms", "flops", "params", "az_complexity")]
COUNTS = ("live_params", "conv_layers", "sum_log_layer_size")


@pytest.mark.parametrize("name", NAN)
def test_a_weight_that_is_nan_gives_nan_and_says_which(name):
    model = build(Net)
    model.c2.weight.data[0, 0, 0, 0] = math.nan
    found = score(name, model)
    if name in COUNTS:
        assert found.value == score(name, build(Net)).value
    else:
        assert math.isnan(found.value) and found.reason


def test_a_nan_in_one_gradient_is_not_passed_over():
    class Root(Net):
        def forward(self, x):
            features = self.body(x)
            return self.fc(features) + 0 * (features - features.detach()).sqrt().sum()

    for name in ("zico", "zico_bc", "snip", "grad_norm", "l_swag", "gradsign", "grasp", "fisher", "ntk_condition"):
        found = score(name, build(Root))
        assert math.isnan(found.value) and "NaN" in found.reason, name


def test_no_path_is_told_from_undefined():
    model = build(Net)
    for layer in layers(model):
        layer.weight.requires_grad_(False)
    for name in ("zico", "snip", "grad_norm", "grasp", "gradsign", "l_swag", "conv_layers"):
        found = score(name, model)
        assert found.value == 0 and "path" in found.reason, name
    equal = score("zico", build(Net), batches(1) * 3)
    assert equal.value == 0 and equal.reason == "no gradient changes from batch to batch"
    assert score("zico", build(Net)).reason == ""


@pytest.mark.parametrize("name", ["zico", "snip", "grad_norm", "fisher"])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_half_precision_is_summed_in_full(name, scale):
    def small(outputs, labels):
        return functional.cross_entropy(outputs, labels) * scale

    half = build(Net).half()
    data = [(images.half(), labels) for images, labels in batches()]
    if name == "fisher":
        assert math.isfinite(score(name, half, data, loss=small).value)
        return
    model, weights = copy.deepcopy(half).train(), None
    weights = [layer.weight for layer in layers(model)]
    rows = [torch.autograd.grad(small(model(x), y), weights) for x, y in data]
    if name == "zico":
        wanted = 0.0
        for gradients in zip(*rows, strict=True):
            stack = np.stack([g.double().numpy() for g in gradients])
            std = stack.std(axis=0)
            wanted += math.log((np.abs(stack).mean(axis=0)[std > 0] / std[std > 0]).sum())
    elif name == "snip":
        wanted = sum(float((w.double() * g.double()).abs().sum()) for w, g in zip(weights, rows[0], strict=True))
    else:
        wanted = sum(float(g.double().norm()) for g in rows[0])
    assert score(name, half, data, loss=small).value == pytest.approx(wanted, rel=2e-3)


def test_the_layers_of_a_vision_transformer_are_all_scored():
    found = score("zico", build(SmallVit), batches(size=4))
    assert found.layers["layer"].tolist() == ["patch", "qkv", "proj", "head", "mlp.0", "mlp.2"]
    assert found.layers["term"].notna().all()
