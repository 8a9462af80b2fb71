"""Scoring leaves somebody's model, inputs and random generators as they were, bit by bit, also when it fails midway."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from nas_core import proxies
from nas_core.proxies.base import untouched
from tests.networks import KINDS, Chance, InPlace, Memory, Net, batches, build


def _bits(tensor: torch.Tensor) -> tuple[Any, ...]:
    flat = tensor.detach().contiguous().clone().flatten()
    return tuple(tensor.shape), tensor.dtype, tensor.requires_grad, flat.numpy().tobytes() if flat.numel() else b""


def _of_module(module: nn.Module) -> dict[str, Any]:
    """Everything that hangs on a module, by what it is called."""
    found: dict[str, Any] = {}
    for name, value in vars(module).items():
        if isinstance(value, dict):
            found[name] = [(key, id(item)) for key, item in value.items()]
        elif isinstance(value, list | set):
            found[name] = [id(item) for item in value] if any(isinstance(i, torch.Tensor) for i in value) else id(value)
        elif isinstance(value, random.Random):
            found[name] = value.getstate()
        elif isinstance(value, np.random.Generator):
            found[name] = str(value.bit_generator.state)
        elif isinstance(value, torch.Generator):
            found[name] = value.get_state().numpy().tobytes()
        elif isinstance(value, torch.Tensor):
            found[name] = (id(value), _bits(value))
        else:
            found[name] = value if isinstance(value, bool | int | float | str) else id(value)
    for name, tensor in (*module._parameters.items(), *module._buffers.items()):
        if tensor is not None and not torch.nn.parameter.is_lazy(tensor):
            gradient = tensor.grad if tensor.is_leaf else None
            found[name] = (id(tensor), _bits(tensor), id(gradient), gradient is not None and _bits(gradient))
    return found


def everything(model: nn.Module, data: Any) -> dict[str, Any]:
    """What scoring must not change."""
    state = np.random.get_state()
    found: dict[str, Any] = {name or "model": _of_module(module) for name, module in model.named_modules()}
    return found | {
        "inputs": [tuple(map(_bits, batch)) for batch in data],
        "torch": torch.get_rng_state().numpy().tobytes(),
        "NumPy": (state[1].tobytes(), state[2:]),
        "Python": random.getstate(),
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        "attention": (torch.backends.mha.get_fastpath_enabled(), torch.backends.cuda.flash_sdp_enabled()),
        "library": torch.backends.mkldnn.enabled,
    }


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of what differs."""
    parts = []
    for place in before.keys() | after.keys():
        one, other = before.get(place), after.get(place)
        if isinstance(one, dict) and isinstance(other, dict):
            parts += [f"{place}: {name}" for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
        elif one != other:
            parts.append(place)
    return parts


def unlike(model: nn.Module) -> nn.Module:
    """The model with a mode, a gradient and a frozen weight that stand out."""
    model.eval()
    next(model.children()).train()
    first, *others = model.parameters()
    if not torch.nn.parameter.is_lazy(first):
        first.grad = torch.ones_like(first)
        others[-1].requires_grad_(False)
    return model


def _plant(model: nn.Module, call: int) -> None:
    """Let the last module that runs fail in the pass number `call`."""
    calls = 0

    def fail(_module: nn.Module, _inputs: Any, _output: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise RuntimeError("planted")

    list(model.modules())[-1].register_forward_hook(fail)


@pytest.mark.parametrize("fails", [0, 1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_any_kind_is_left_as_it_was(kind, fails):
    model, data, task = KINDS[kind]()
    unlike(model)
    if fails:
        _plant(model, fails)
    before, wrong = everything(model, data), {}
    for name in proxies.names():
        try:
            proxies.get(name).score(model, data, **task)
        except (ValueError, RuntimeError) as error:
            assert isinstance(error, ValueError) or fails, (name, error)
        differs = changed(before, everything(model, data))
        if differs:
            wrong[name] = differs
            before = everything(model, data)
    assert not wrong


def test_the_check_of_this_file_sees_each_change():
    def sees(change) -> bool:
        model, data = unlike(build(Memory)), batches()
        before = everything(model, data)
        change(model, data)
        return bool(changed(before, everything(model, data)))

    with torch.no_grad():
        changes = [
            lambda m, _: m.c1.weight[0, 0, 0, 0].add_(1),
            lambda m, _: m.n1.running_mean.add_(1),
            lambda m, _: setattr(m, "ema", m.ema.clone()),
            lambda m, _: m.train(),
            lambda m, _: m.fc.bias.requires_grad_(True),
            lambda m, _: setattr(m.c1.weight, "grad", None),
            lambda m, _: m.c1.weight.grad.add_(1),
            lambda m, _: m.register_forward_hook(lambda *_: None),
            lambda m, _: setattr(m, "last", 1),
            lambda m, _: m.plain.add_(1),
            lambda m, _: m.cache.append(m.plain),
            lambda m, _: m.add_module("late", nn.Identity()),
            lambda _, d: d[0][0].add_(1),
            lambda _, d: torch.rand(()),
            lambda _, d: np.random.random(),
            lambda _, d: random.random(),
        ]
        assert all(map(sees, changes))
    assert not sees(lambda _m, _d: None)


@pytest.mark.parametrize("name", [name for name in proxies.names() if name != "latency_ms"])
def test_a_model_that_draws_scores_the_same_each_time(name):
    model = build(Chance)
    assert proxies.get(name).score(model, batches()).value == proxies.get(name).score(model, batches()).value


@pytest.mark.parametrize("name", ["zico", "snip", "naswot", "gradsign", "flops", "jacov", "grasp", "ntk_condition"])
def test_a_model_that_changes_its_input_scores_as_one_that_does_not(name):
    class Copies(InPlace):
        def forward(self, x):
            return super().forward(x.clone())

    found, wanted = (proxies.get(name).score(build(make), batches()) for make in (InPlace, Copies))
    assert found.value == wanted.value


def test_a_buffer_that_expand_made_is_read_and_given_back():
    model = build(Memory)
    proxies.get("zico").score(model, batches())
    assert model.wide.stride() == (0, 0) and not model.wide.any() and not model.ema.any() and model.calls == 0


def test_a_graph_of_the_caller_outlives_a_score():
    model, data = build(Net).eval(), batches()
    loss = model(data[0][0]).sum()
    proxies.get("zico").score(model, data)
    loss.backward()  # torch refuses where a weight or a running mean was written to
    assert model.c1.weight.grad is not None


def test_an_optimizer_still_trains_the_models_own_weights():
    model = build(Memory)
    held = [id(parameter) for parameter in model.parameters()]
    for name in ("synflow", "zen"):
        proxies.get(name).score(model, batches())
    assert [id(parameter) for parameter in model.parameters()] == held


def test_untouched_gives_a_log_of_the_model_back_with_what_it_noted():
    model = build(Net)
    model.seen = []
    with untouched(model):
        model.seen.append(1)
    assert model.seen == [1]


def test_images_that_want_gradients_are_taken_as_they_are():
    data = [(images.requires_grad_(), labels) for images, labels in batches()]
    wanted = proxies.get("jacov").score(build(Net), batches()).value
    assert proxies.get("jacov").score(build(Net), data).value == wanted
    assert all(images.requires_grad and images.grad is None for images, _ in data)


def _loader():
    return DataLoader(TensorDataset(torch.cat([x for x, _ in batches()]), torch.cat([y for _, y in batches()])))


@pytest.mark.parametrize("name", ["zico", "zen", "flops", "latency_ms", "gradsign"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (_loader, "batches: got a DataLoader, expected a list"),
        (lambda: (batch for batch in batches()), "batches: got a generator, expected a list"),
        (lambda: [x for x, _ in batches()], "batch 0 is a Tensor; expected a pair"),
        (lambda: [(x.numpy(), y) for x, y in batches()], "batch 0 has images of type ndarray; expected a tensor"),
        (lambda: [(x, y.numpy()) for x, y in batches()], "batch 0 has labels of type ndarray; expected a tensor"),
        (lambda: [(x, y.float()) for x, y in batches()], "batch 0 has labels of type torch.float32"),
        (lambda: [(x.double(), y) for x, y in batches()], "images are torch.float64 and the model's weights torch.flo"),
    ],
)
def test_batches_of_another_kind_are_refused_in_one_sentence(name, given, message):
    with pytest.raises(ValueError, match=message) as caught:
        proxies.get(name).score(build(Net), given())
    assert "\n" not in str(caught.value)


def test_labels_of_any_integer_type_are_class_numbers():
    data = batches()
    wanted = proxies.get("zico").score(build(Net), data).value
    for kind in (torch.int32, torch.int16, torch.uint8):
        assert proxies.get("zico").score(build(Net), [(x, y.to(kind)) for x, y in data]).value == wanted


@pytest.mark.parametrize("labels", [lambda y: y[:, None], lambda y: nn.functional.one_hot(y, 6)])
def test_labels_of_another_shape_are_refused(labels):
    with pytest.raises(ValueError, match=r"labels \(5, .\): cross-entropy takes"):
        proxies.get("zico").score(build(Net), [(x, labels(y)) for x, y in batches()])


def test_images_of_bytes_are_refused_where_the_model_does_not_turn_them_into_numbers():
    class Turns(Net):
        def forward(self, x):
            return super().forward(x.float() / 255)

    data = [((20 * x).byte(), y) for x, y in batches()]
    assert np.isfinite(proxies.get("zico").score(build(Turns), data).value)
    with pytest.raises(ValueError, match=r"images are torch\.uint8"):
        proxies.get("zico").score(build(Net), data)
    with pytest.raises(ValueError, match="images are integers"):
        proxies.get("zen").score(build(Turns), data)
