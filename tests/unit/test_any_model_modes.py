"""A score is the same whatever the caller has switched on around it: no_grad, inference mode, autocast, a compiler."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from nas_core import proxies
from tests.networks import Checkpointed, Net, Positions, Recurrent, SmallVit, batches, build

COMPUTED = [name for name in proxies.names() if name != "latency_ms"]


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def value(name, model, data=None, **task):
    return proxies.get(name).score(model, data or batches(), **task).value


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", COMPUTED)
def test_a_score_is_the_same_where_gradients_are_switched_off(name, around):
    wanted = value(name, build(Net))
    with around():
        assert same(value(name, build(Net)), wanted)  # inference mode: weights and batches are made in it, too
    model, data = build(Net), batches()
    with around():
        assert same(value(name, model, data), wanted)


def test_weights_of_inference_mode_are_given_back_as_they_were():
    with torch.inference_mode():
        model = build(Net)
    held = list(model.parameters())
    value("zico", model)
    assert all(one is other and one.is_inference() for one, other in zip(model.parameters(), held, strict=True))


@pytest.mark.parametrize("name", ["zico", "snip", "grad_norm", "live_params", "grasp"])
def test_weights_that_the_caller_cast_without_a_graph_have_their_gradients(name):
    model, data = build(Net), batches()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        wanted = value(name, build(Net))
        with torch.no_grad():
            model(data[0][0])
        assert value(name, model, data) == wanted != 0


@pytest.mark.parametrize("name", ["zico", "synflow", "zen", "vkdnw", "grad_norm"])
def test_weights_that_the_caller_holds_computed_are_computed_anew(name):
    def normed():
        model = build(Net)
        for layer in (model.c1, model.c2, model.fc):
            nn.utils.parametrizations.weight_norm(layer)
        return model

    wanted, model, data = value(name, normed()), normed(), batches()
    with nn.utils.parametrize.cached():
        with torch.no_grad():
            model.eval()(data[0][0])  # in training mode the running statistics of its norms would move
        model.train()
        assert value(name, model, data) == wanted


@pytest.mark.parametrize("name", ["zen", "meco", "az_trainability", "vkdnw", "synflow", "ntk_condition", "swap"])
def test_a_score_is_the_same_under_another_default_type(name):
    model, data, wanted = build(Net), batches(), value(name, build(Net))
    torch.set_default_dtype(torch.float64)
    try:
        assert value(name, model, data) == wanted
    finally:
        torch.set_default_dtype(torch.float32)


def test_counts_are_exact_where_the_caller_casts_to_16_bits():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    data = [(torch.randn(1, 3, 16, 16) + 0.05 * torch.randn(4, 3, 16, 16), torch.arange(4))]
    codes = []
    with torch.autocast("cpu", dtype=torch.bfloat16):
        handle = net[1].register_forward_hook(lambda _m, i, _o: codes.append((i[0] > 0).flatten(1).double().numpy()))
        net.train()(data[0][0])
        handle.remove()
        found = value("naswot", net, data)
    kernel = codes[0] @ codes[0].T + (1 - codes[0]) @ (1 - codes[0]).T
    assert found == pytest.approx(np.linalg.slogdet(kernel)[1], rel=1e-9)


@pytest.mark.parametrize("name", COMPUTED)
def test_a_compiled_model_scores_as_the_model_inside(name):
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)
    plain, compiled = build(Net), torch.compile(build(Net), backend="eager")
    with torch.no_grad():
        compiled(batches()[0][0])
    compiled.load_state_dict({f"_orig_mod.{key}": tensor for key, tensor in plain.state_dict().items()})
    alone, inside = proxies.get(name).score(plain, batches()), proxies.get(name).score(compiled, batches())
    assert same(inside.value, alone.value) and inside.layers.equals(alone.layers)


@pytest.mark.parametrize("name", ["zico", "fisher", "naswot", "meco", "flops", "zen", "vkdnw"])
def test_a_part_that_is_compiled_is_seen(name):
    class Parts(Net):
        def __init__(self):
            super().__init__()
            self.c2 = torch.compile(self.c2, backend="eager")
            self.a2.compile(backend="eager")

    model = build(Parts)
    with torch.no_grad():
        model(batches()[0][0])
    assert value(name, model) == pytest.approx(value(name, _after_a_pass(Net)), rel=1e-5)


def _after_a_pass(make):
    model = build(make)
    with torch.no_grad():
        model(batches()[0][0])
    return model


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda net: nn.Sequential(nn.DataParallel(net))])
@pytest.mark.parametrize("name", COMPUTED)
def test_data_parallel_is_seen_through(name, wrap):
    assert same(value(name, wrap(build(Net))), value(name, build(Net)))


@pytest.mark.parametrize("name", [name for name in COMPUTED if name != "grasp"])
def test_checkpointing_changes_no_score(name):
    assert value(name, build(Checkpointed)) == pytest.approx(value(name, build(Net)), rel=1e-5, nan_ok=True)


@pytest.mark.parametrize("name", COMPUTED)
def test_reentrant_checkpointing_changes_no_score_and_works_afterwards(name):
    class Reentrant(Net):
        def forward(self, x):
            return self.fc(checkpoint(self.body, x, use_reentrant=True))

    model = build(Reentrant)
    assert value(name, model) == pytest.approx(value(name, build(Net)), rel=1e-5, nan_ok=True)
    model(batches()[0][0].requires_grad_()).sum().backward()
    assert model.c1.weight.grad is not None


def test_grasp_differentiates_fused_attention_twice():
    class Apart(SmallVit):
        def forward(self, x):
            whole = functional.scaled_dot_product_attention
            functional.scaled_dot_product_attention = _attention
            try:
                return super().forward(x)
            finally:
                functional.scaled_dot_product_attention = whole

    data = batches(size=4)
    assert value("grasp", build(SmallVit), data) == pytest.approx(value("grasp", build(Apart), data), rel=1e-3)


def _attention(q, k, v):
    return (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v


@pytest.mark.parametrize("make", [lambda: Net(nn.Hardsigmoid), Recurrent])
def test_grasp_says_what_cannot_be_differentiated_twice(make):
    data = batches(shape=(6, 12)) if make is Recurrent else batches()
    try:
        assert math.isfinite(value("grasp", build(make), data))
    except ValueError as error:
        assert "second derivatives" in str(error) and "\n" not in str(error)
        assert "hardsigmoid" in str(error) or make is Recurrent


def test_synflow_falls_back_to_the_precision_that_a_forward_pass_makes():
    class Doubles(Positions):
        def forward(self, x):
            features = self.body(x)
            places = torch.arange(4, dtype=torch.float32).sin().expand(len(features), 4)
            return self.fc(torch.cat([features[:, :4], places.to(features.dtype)], 1))

    assert value("synflow", build(Positions)) == pytest.approx(value("synflow", build(Doubles)), rel=1e-5)
