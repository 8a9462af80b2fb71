"""What every proxy promises, and what sharing passes must not change: values, the model, the number of passes."""

from __future__ import annotations

import inspect
import math
import re

import pytest
import torch
from torch import Tensor, nn

from nas_core import proxies, spaces
from nas_core.proxies import Batches, Needs, ProxyScore
from nas_core.proxies._passes import Measured, Pass

NAMES = proxies.names()
COMPUTED = [name for name in NAMES if name != "latency_ms"]
"""Those that give the same value twice; a clock does not."""
MEASURED = [name for name in NAMES if isinstance(proxies.get(name), Measured)]
TRAINED = [n for n in MEASURED if all(kind.listens is Pass.TRAIN for kind in proxies.get(n).reads)]
SPACE = spaces.get("nb201")
DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
UNDEFINED_WHEN_DEAD = {
    *("az_expressivity", "az_progressivity", "az_trainability", "jacov", "ntk_condition", "vkdnw", "zen")
}


def _cell(arch: tuple[int, ...] = (3, 2, 4, 1, 3, 2)) -> nn.Module:
    torch.manual_seed(0)
    return SPACE.build(arch, input=spaces.ImageShape(3, 16, 16), classes=10, scale=spaces.Scale(4, 1))


def _with_dropout() -> nn.Module:
    torch.manual_seed(0)
    features = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Flatten())
    return nn.Sequential(*features, nn.Linear(1176, 10), nn.ReLU(), nn.Linear(10, 10))


def _batches(count: int = 3, size: int = 4) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(size, 3, 16, 16, generator=generator), torch.randint(10, (size,), generator=generator))
        for _ in range(count)
    ]


def _same(first: float, second: float) -> bool:
    return first == second or (math.isnan(first) and math.isnan(second))


@pytest.mark.parametrize("make", [_cell, _with_dropout])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_and_its_batches_are_left_as_they_were(name, make):
    model, batches = make(), _batches()
    model.eval()
    next(model.modules()).train()
    kept = torch.ones_like(next(model.parameters()))
    next(model.parameters()).grad = kept
    modes = [module.training for module in model.modules()]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    images = [images.clone() for images, _ in batches]
    torch.manual_seed(7)
    generator = torch.get_rng_state()
    proxies.get(name).score(model, batches)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    first, *others = model.parameters()
    assert first.grad is kept and torch.equal(kept, torch.ones_like(kept)) and all(p.grad is None for p in others)
    assert all(p.requires_grad for p in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(a, b) and not b.requires_grad for a, (b, _) in zip(images, batches, strict=True))


@pytest.mark.parametrize("make", [_cell, _with_dropout])
@pytest.mark.parametrize("name", COMPUTED)
def test_a_score_does_not_depend_on_the_callers_generator(name, make):
    values = []
    for seed in (1, 2):
        model = make()
        torch.manual_seed(seed)
        values.append(proxies.get(name).score(model, _batches()).value)
    assert _same(*values)


@pytest.mark.parametrize("make", [_cell, _with_dropout])
def test_many_scores_at_once_equal_single_scores_exactly(make):
    model, batches = make(), _batches()
    together = proxies.score_many(model, batches, NAMES)
    assert list(together) == NAMES
    for name, found in together.items():
        alone = proxies.get(name).score(model, batches)
        assert _same(found.value, alone.value) or name not in COMPUTED, name
        assert found.layers.equals(alone.layers), name


@pytest.mark.parametrize("name", NAMES)
def test_a_dead_cell_is_finite_or_undefined_as_documented(name):
    value = proxies.get(name).score(_cell(SPACE.parse(DEAD)), _batches()).value
    if name == "naswot":
        assert value == -math.inf  # documented: two images with the same codes
    else:
        assert math.isnan(value) if name in UNDEFINED_WHEN_DEAD else math.isfinite(value)
        assert name not in UNDEFINED_WHEN_DEAD or "NaN" in inspect.getdoc(type(proxies.get(name)))


@pytest.mark.parametrize("names", [TRAINED, ["zico"], ["grad_norm", "snip", "naswot", "jacov"]])
def test_scores_of_a_pass_share_its_forward_passes(names):
    model, batches, passes = _cell(), _batches(3), []
    model.register_forward_pre_hook(lambda _module, inputs: passes.append(len(inputs[0])))
    proxies.score_many(model, batches, names)
    assert passes == [4] * (3 if "zico" in names else 1)


def test_scores_on_gaussian_images_share_one_forward_pass():
    model, passes = _cell(), []
    names = [name for name in MEASURED if name not in TRAINED]
    model.register_forward_pre_hook(lambda _module, inputs: passes.append(len(inputs[0])))
    proxies.score_many(model, _batches(3), names)
    assert len(names) >= 4 and passes == [64]


def test_seconds_of_shared_scores_add_up_to_less_than_apart():
    model, batches = _cell(), _batches(4)
    proxies.score_many(model, batches, TRAINED)  # first calls are slow
    together = proxies.score_many(model, batches, TRAINED)
    apart = [proxies.get(name).score(model, batches).seconds for name in TRAINED]
    assert all(found.seconds > 0 for found in together.values())
    assert sum(found.seconds for found in together.values()) < sum(apart)


class _ThirdParty:
    name, higher_is_better, needs, summary = "answer", True, Needs.NOTHING, "knows the answer"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        return ProxyScore(42.0, seconds=1.0)


def test_a_proxy_with_only_a_score_of_its_own_joins_in(own_members):
    proxies.register("answer")(_ThirdParty)
    found = proxies.score_many(_cell(), _batches(), ["answer", "zico"])
    assert found["answer"] == ProxyScore(42.0, found["answer"].layers, 1.0)
    assert found["zico"].value == proxies.get("zico").score(_cell(), _batches()).value


def test_the_strictest_of_many_scores_sets_the_number_of_batches():
    with pytest.raises(ValueError, match="got 1, expected at least 2"):
        proxies.score_many(_cell(), _batches(1), ["grad_norm", "zico"])


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_network_is_no_error(name):
    value = proxies.get(name).score(_cell().requires_grad_(False), _batches()).value
    assert isinstance(value, float)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_linear_layers_is_scored(name):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(768, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 10))
    assert math.isfinite(proxies.get(name).score(model, _batches()).value)


@pytest.mark.parametrize("name", NAMES)
def test_every_proxy_says_what_it_is_and_where_it_comes_from(name):
    proxy = proxies.get(name)
    assert proxy.name == name and proxy.summary and isinstance(proxy.needs, Needs)
    text = inspect.getdoc(type(proxy)) or ""
    source = re.search(r"Source: (.*)", text, flags=re.DOTALL)
    assert source and re.search(r"\b(19|20)\d\d\b", source[1]), f"{name} names no source with its year"
