"""ZiCo against an independent computation of its definition, and what every proxy promises at its boundary."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from nas_core import data, proxies, spaces
from nas_core.proxies import ScoreSettings
from nas_core.scoring import score_architecture


class _Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.body, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return self.head((x + torch.relu(self.body(x))).mean(dim=(2, 3)))


class _DeadLayer(_Residual):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Conv2d(3, 4, 3)


def _plain() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1152, 10),
    )


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 32), nn.ReLU(), nn.Linear(32, 10))


def _cell() -> nn.Module:
    return spaces.get("nb201").build(
        (3, 2, 4, 1, 3, 2), input=spaces.ImageShape(3, 16, 16), classes=10, scale=spaces.Scale(8, 1)
    )


def _batches(count: int = 3, size: int = 4) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [
        (torch.randn(size, 3, 16, 16, generator=generator), torch.randint(10, (size,), generator=generator))
        for _ in range(count)
    ]


def _definition(model: nn.Module, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    weights = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    stacks: list[list[np.ndarray]] = [[] for _ in weights]
    model.train()
    for images, labels in batches:
        loss = functional.cross_entropy(model(images), labels)
        for stack, g in zip(stacks, torch.autograd.grad(loss, weights, allow_unused=True), strict=True):
            if g is not None:
                stack.append(g.double().numpy())
    total = 0.0
    for stack in filter(None, stacks):
        mean, std = np.abs(stack).mean(axis=0), np.std(stack, axis=0)
        ratios = (mean[std > 0] / std[std > 0]).sum()
        total += np.log(ratios) if ratios > 0 else 0.0
    return total


@pytest.mark.parametrize("make", [_plain, _Residual, _DeadLayer, _mlp, _cell])
@pytest.mark.parametrize("count", [2, 3])
def test_zico_equals_its_definition(make, count):
    torch.manual_seed(0)
    model, batches = make(), _batches(count)
    found = proxies.get("zico").score(model, batches)
    assert found.value == pytest.approx(_definition(model, batches), rel=1e-5)
    assert found.layers["term"].sum() == pytest.approx(found.value)


def test_a_layer_without_gradient_adds_nothing():
    layers = proxies.get("zico").score(_DeadLayer(), _batches()).layers.set_index("layer")
    assert np.isnan(layers.loc["unused", "term"])


def test_memory_does_not_grow_with_the_number_of_batches(monkeypatch):
    model, alive = _plain(), []
    weights = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    from nas_core.proxies import zico

    kept: list[zico._GradientStatistics] = []
    original = zico._GradientStatistics.__init__

    def remember(self) -> None:
        original(self)
        kept.append(self)

    monkeypatch.setattr(zico._GradientStatistics, "__init__", remember)
    for count in (2, 12):
        kept.clear()
        proxies.get("zico").score(model, _batches(count))
        alive.append(sum(v.numel() for s in kept for v in vars(s).values() if isinstance(v, torch.Tensor)))
    assert alive[0] == alive[1] == 4 * weights


@pytest.mark.parametrize("name", ["zico", "grad_norm", "naswot", "live_params", "flops"])
def test_a_model_is_left_as_it_was(name):
    model = _plain().eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    proxies.get(name).score(model, _batches())
    assert not any(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (_batches(1), "got 1, expected at least 2"),
        ([(torch.zeros(0, 3, 16, 16), torch.zeros(0, dtype=torch.long))] * 2, "batch 0 is empty"),
        ([(torch.zeros(2, 3, 16, 16), torch.full((2,), torch.nan))] * 2, "NaN labels"),
        ([(torch.full((2, 3, 16, 16), torch.nan), torch.zeros(2, dtype=torch.long))] * 2, "in its images"),
    ],
)
def test_bad_batches_are_refused_in_one_sentence(batches, message):
    with pytest.raises(ValueError, match=message):
        proxies.get("zico").score(_plain(), batches)


def test_unknown_proxy_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown proxy 'nope'; expected one of: .*zico"):
        proxies.get("nope")


def test_equal_cells_score_equally_in_another_process():
    settings = ScoreSettings(batches=2, batch_size=2, image_size=8, channels=4)
    here = score_architecture("nb201", (3, 2, 4, 1, 3, 2), ["zico"], settings).values["zico"]
    code = (
        "from nas_core.scoring import *;"
        f"print(repr(score_architecture('nb201', (3, 2, 4, 1, 3, 2), ['zico'], {settings!r}).values['zico']))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(there) == pytest.approx(here, rel=1e-6)


def test_a_pickled_npz_is_refused_and_not_run(tmp_path):
    path = tmp_path / "hostile.npz"
    np.savez(path, x_train=np.array([object()], dtype=object), y_train=np.zeros(1))
    with pytest.raises(ValueError, match="pickled objects, which are never loaded"):
        data.load(f"npz:{path}")


def test_a_hostile_cifar_pickle_is_refused_and_not_run(tmp_path):
    victim = tmp_path / "victim"
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "data_batch_1").write_bytes(f"cos\nsystem\n(S'touch {victim}'\ntR.".encode())
    with pytest.raises(ValueError, match=r"asks for os.system"):
        data.load(f"cifar10:{tmp_path / 'batches'}")
    assert not victim.exists()


@pytest.mark.parametrize(
    ("labels", "message"), [(np.array([np.nan, 1.0]), "holds NaN"), (np.zeros(3, dtype=int), "expected as many")]
)
def test_bad_labels_are_refused(tmp_path, labels, message):
    path = tmp_path / "data.npz"
    np.savez(path, x_train=np.zeros((2, 8, 8, 3), dtype=np.uint8), y_train=labels)
    with pytest.raises(ValueError, match=message):
        data.load(f"npz:{path}")


def test_unknown_data_set_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown data set 'nope'; expected one of: digits"):
        data.load("nope")


def test_settings_survive_their_key_and_say_what_differs():
    base = ScoreSettings.laptop()
    other = replace(base, data="npz:/data/a;b=c.npz", seed=1)
    assert ScoreSettings.from_key(other.key()) == other
    assert other.difference(base) == "data npz:/data/a;b=c.npz, seed 1"
    assert base.difference(base) == ""
    assert ScoreSettings.from_key("v1;" + other.key().split(";", 1)[1]) is None


def test_every_score_has_a_version_and_what_states_none_is_1(monkeypatch):
    second = {"az_trainability", "fisher", "naswot"}  # computed in full precision under bfloat16 since
    assert all(proxies.version(name) == proxies.get(name).version == 1 + (name in second) for name in proxies.names())
    monkeypatch.setattr(type(proxies.get("zico")), "version", 2, raising=False)
    assert proxies.version("zico") == proxies.version(proxies.distribution_name("zico")) == 2
    assert proxies.version("grad_norm") == proxies.version("one_shot") == proxies.version("not_installed") == 1
