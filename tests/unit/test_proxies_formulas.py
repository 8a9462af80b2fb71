"""Every proxy against a short computation of its formula that shares no code with it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_core import proxies, spaces

SIDE = 16
Batches = list[tuple[Tensor, Tensor]]


def _cnn() -> nn.Module:
    torch.manual_seed(0)
    first = (nn.Conv2d(3, 5, 3, padding=1, stride=2), nn.BatchNorm2d(5), nn.ReLU())
    second = (nn.Conv2d(5, 8, 3, stride=2, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
    return _used(nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(72, 12), nn.ReLU(), nn.Linear(12, 6)))


def _cell() -> nn.Module:
    torch.manual_seed(0)
    image, scale = spaces.ImageShape(3, SIDE, SIDE), spaces.Scale(4, 1)
    return _used(spaces.get("nb201").build((3, 2, 4, 1, 3, 2), input=image, classes=6, scale=scale))


def _used(model: nn.Module) -> nn.Module:
    """Batch norms as after some training: fresh ones are the identity in eval mode and hide mistakes."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(-0.5, 1.5)
            module.bias.data.uniform_(-0.5, 0.5)
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    return model


def _batches(count: int = 3, size: int = 5) -> Batches:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(size, 3, SIDE, SIDE, generator=generator), torch.randint(6, (size,), generator=generator))
        for _ in range(count)
    ]


def _gaussian(count: int) -> Tensor:
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def _layers(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def _gradients(model: nn.Module, images: Tensor, labels: Tensor) -> list[np.ndarray]:
    loss = functional.cross_entropy(model.train()(images), labels)
    return [g.double().numpy() for g in torch.autograd.grad(loss, [layer.weight for layer in _layers(model)])]


def _outputs(model: nn.Module, kind: type | tuple[type, ...], images: Tensor) -> tuple[list[Tensor], Tensor]:
    """Outputs of the modules of a kind, copied at birth, and the model's outputs."""
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        seen.append(output * 1)
        return seen[-1]

    handles = [module.register_forward_hook(keep) for module in model.modules() if isinstance(module, kind)]
    final = model.train()(images)
    for handle in handles:
        handle.remove()
    return seen, final


def _codes(model: nn.Module, images: Tensor) -> np.ndarray:
    outputs, _ = _outputs(model, nn.ReLU, images)
    return np.concatenate([o.detach().flatten(1).numpy() > 0 for o in outputs], axis=1)


def _snip(model: nn.Module, batches: Batches) -> float:
    weights = [layer.weight.detach().numpy() for layer in _layers(model)]
    return sum(np.abs(w * g).sum() for w, g in zip(weights, _gradients(model, *batches[0]), strict=True))


def _grad_norm(model: nn.Module, batches: Batches) -> float:
    return sum(np.sqrt((g**2).sum()) for g in _gradients(model, *batches[0]))


def _fisher(model: nn.Module, batches: Batches) -> float:
    images, labels = batches[0]
    activations, final = _outputs(model, (nn.Conv2d, nn.Linear), images)
    gradients = torch.autograd.grad(functional.cross_entropy(final, labels), activations)
    total = 0.0
    for a, g in zip(activations, gradients, strict=True):
        product = (a * g).detach().numpy()
        per_channel = product.reshape(*product.shape[:2], -1).sum(axis=2)
        total += 0.5 * (per_channel**2).mean(axis=0).sum()
    return total


def _grasp(model: nn.Module, batches: Batches) -> float:
    """The product of Hessian and gradient by central differences of the gradient."""
    weights = [layer.weight for layer in _layers(model)]
    at, gradient, step = [w.detach().clone() for w in weights], _gradients(model, *batches[0]), 1e-5
    moved = []
    for sign in (1, -1):
        with torch.no_grad():
            for w, start, g in zip(weights, at, gradient, strict=True):
                w.copy_(start + sign * step * torch.as_tensor(g))
        moved.append(_gradients(model, *batches[0]))
    products = [(up - down) / (2 * step) for up, down in zip(*moved, strict=True)]
    return -sum((w.numpy() * p).sum() for w, p in zip(at, products, strict=True))


def _zico_terms(stack: np.ndarray) -> float:
    mean, std = np.abs(stack).mean(axis=0), stack.std(axis=0)
    return np.log((mean[std > 0] / std[std > 0]).sum())


def _stacks(model: nn.Module, batches: Batches) -> list[np.ndarray]:
    return [np.stack(layer) for layer in zip(*(_gradients(model, *batch) for batch in batches), strict=True)]


def _zico(model: nn.Module, batches: Batches) -> float:
    return sum(_zico_terms(stack) for stack in _stacks(model, batches))


def _zico_bc(model: nn.Module, batches: Batches) -> float:
    outputs, _ = _outputs(model, (nn.Conv2d, nn.Linear), batches[0][0])
    shapes = [(o.shape[1], o[0, 0].numel()) for o in outputs]
    return _zico(model, batches) - sum(np.log(positions / np.sqrt(channels)) for channels, positions in shapes)


def _synflow(model: nn.Module, batches: Batches) -> float:
    model = model.double()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    for parameter in model.parameters():
        parameter.data.abs_()
    weights = [layer.weight for layer in _layers(model)]
    gradients = torch.autograd.grad(model(torch.ones(1, 3, SIDE, SIDE).double()).sum(), weights)
    return sum(float((w.detach() * g).sum()) for w, g in zip(weights, gradients, strict=True))


def _jacov(model: nn.Module, batches: Batches) -> float:
    images = batches[0][0].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model.train()(images).sum(), images)
    eigenvalues = np.linalg.eigvals(np.corrcoef(gradient.flatten(1).double().numpy())).real
    return -np.sum(np.log(eigenvalues + 1e-5) + 1 / (eigenvalues + 1e-5))


def _zen(model: nn.Module, batches: Batches) -> float:
    generator = torch.Generator().manual_seed(0)
    norms = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data = torch.randn(module.weight.shape, generator=generator)
            if module.bias is not None:
                module.bias.data.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            norms.append(module)
            module.weight.data.fill_(1)
            module.bias.data.zero_()
            module.momentum = 1.0  # the running variance is then that of the last batch
    drawn = _gaussian(32)
    model.train()

    def features(images: Tensor) -> Tensor:
        if isinstance(model, nn.Sequential):
            return model[:6](images)
        return model.norm(model.blocks(model.stem(images)))

    sizes: list[int] = []
    handles = [norm.register_forward_hook(lambda _m, i, _o: sizes.append(i[0][:, 0].numel())) for norm in norms]
    still = features(drawn[:16])
    for handle in handles:
        handle.remove()
    variances = [float(norm.running_var.double().mean()) for norm in norms]
    correction = sum(0.5 * np.log((n - 1) / n) for n in sizes)  # torch keeps the unbiased variance
    moved = features(drawn[:16] + 0.01 * drawn[16:])
    distance = np.linalg.norm((still - moved).detach().flatten(1).double().numpy(), axis=1).mean()
    return np.log(distance) + 0.5 * np.log(variances).sum() + correction


def _weights(model: nn.Module) -> list[Tensor]:
    return [p for name, p in model.named_parameters() if "weight" in name]


def _ntk_condition(model: nn.Module, batches: Batches) -> float:
    rows = []
    for n in range(len(batches[0][0])):
        found = torch.autograd.grad(model.train()(batches[0][0])[n].sum(), _weights(model))
        rows.append(np.concatenate([g.double().numpy().ravel() for g in found]))
    return float(np.linalg.cond(np.stack(rows) @ np.stack(rows).T))


def _linear_regions(model: nn.Module, batches: Batches) -> float:
    return len({tuple(row) for images, _ in batches for row in _codes(model, images)})


def _swap(model: nn.Module, batches: Batches) -> float:
    matrix = np.concatenate([_codes(model, images) for images, _ in batches])
    return len(np.unique(matrix.T, axis=0))


def _swap_reg(model: nn.Module, batches: Batches) -> float:
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    return _swap(model, batches) * np.exp(-((millions - 1) ** 2) / 1)


def _naswot(model: nn.Module, batches: Batches) -> float:
    codes = _codes(model, batches[0][0])
    return np.linalg.slogdet((codes[:, None] == codes[None]).sum(axis=2).astype(float))[1]


def _l_swag(model: nn.Module, batches: Batches) -> float:
    total = 0.0
    for stack in _stacks(model, batches):
        std = np.abs(stack).std(axis=0)
        total += np.log((1 / std[std > 0]).sum())
    return total * _swap(model, batches)


def _gradsign(model: nn.Module, batches: Batches) -> float:
    images, labels = batches[0]
    stacks = _stacks(model, [(images[n : n + 1], labels[n : n + 1]) for n in range(len(images))])
    return sum(np.abs(np.sign(stack).sum(axis=0)).sum() for stack in stacks)


def _meco(model: nn.Module, batches: Batches) -> float:
    outputs, _ = _outputs(model, nn.Conv2d, _gaussian(64))
    total = 0.0
    for output in outputs:
        correlation = np.nan_to_num(np.corrcoef(output[0].detach().flatten(1).double().numpy()))
        total += np.linalg.eigvals(correlation).real.min()
    return total


def _features(model: nn.Module) -> list[Tensor]:
    images = _gaussian(64)
    if isinstance(model, nn.Sequential):
        return _outputs(model, (nn.Conv2d, nn.Linear), images)[0]
    found = [model.train().stem(images)]
    for block in model.blocks:
        found.append(block(found[-1]))
    return found


def _entropies(model: nn.Module) -> list[float]:
    found = []
    for feature in _features(model):
        rows = np.moveaxis(feature.detach().double().numpy(), 1, -1).reshape(-1, feature.shape[1])
        eigenvalues = np.linalg.eigvalsh(np.cov(rows.T, bias=True))
        shares = eigenvalues[eigenvalues > 1e-14] / eigenvalues.sum()
        found.append(-(shares * np.log(shares)).sum())
    return found


def _az_expressivity(model: nn.Module, batches: Batches) -> float:
    return sum(_entropies(model))


def _az_progressivity(model: nn.Module, batches: Batches) -> float:
    return min(b - a for a, b in pairwise(_entropies(model)))


def _az_trainability(model: nn.Module, batches: Batches) -> float:
    generator, scores = torch.Generator().manual_seed(0), []
    for before, after in pairwise(_features(model)):
        g_out = 2.0 * torch.randint(2, after.shape, generator=generator) - 1
        (g_in,) = torch.autograd.grad(after, before, g_out, retain_graph=True)
        if before.dim() == 4 and after.dim() == 4:
            (b, c, h, _), side = before.shape, after.shape[2]
            k = h // side
            folded = g_in[:, :, : side * k, : side * k].reshape(b, c, side, k, side, k).permute(0, 2, 4, 1, 3, 5)
            rows_in, rows_out = folded.reshape(b * side**2, -1), g_out.permute(0, 2, 3, 1).reshape(b * side**2, -1)
        else:
            rows_in, rows_out = g_in.flatten(1), g_out
        s = np.linalg.svd(rows_in.numpy().T @ rows_out.numpy() / len(rows_out), compute_uv=False).max()
        scores.append(2 - s - 1 / (s + 1e-6))
    return float(np.mean(scores))


def _az_complexity(model: nn.Module, batches: Batches) -> float:
    return proxies.get("flops").score(model, batches).value


def _vkdnw(model: nn.Module, batches: Batches) -> float:
    """The Jacobian image by image and class by class."""
    images, parameters = _gaussian(8), list(model.parameters())
    model.eval()
    fisher = np.zeros((len(parameters), len(parameters)))
    for image in images:
        logits = model(image[None])[0]
        rows = [torch.autograd.grad(logit, parameters, retain_graph=True) for logit in logits]
        jacobian = np.array([[float(g.reshape(-1)[0]) for g in row] for row in rows])
        p = 0.95 * functional.softmax(logits.detach().double(), dim=0).numpy() + 0.05 / len(logits)
        fisher += jacobian.T @ (np.diag(p) - np.outer(p, p)) @ jacobian / len(images)
    deciles = np.quantile(np.linalg.svd(fisher, compute_uv=False), [k / 10 for k in range(1, 10)])
    q = deciles / deciles.sum()
    return len(parameters) - sum(x * math.log(x) for x in q if x > 0)


FORMULAS: dict[str, Callable[[nn.Module, Batches], float]] = {
    "az_complexity": _az_complexity,
    "az_expressivity": _az_expressivity,
    "az_progressivity": _az_progressivity,
    "az_trainability": _az_trainability,
    "fisher": _fisher,
    "grad_norm": _grad_norm,
    "gradsign": _gradsign,
    "grasp": _grasp,
    "jacov": _jacov,
    "l_swag": _l_swag,
    "linear_regions": _linear_regions,
    "meco": _meco,
    "naswot": _naswot,
    "ntk_condition": _ntk_condition,
    "snip": _snip,
    "swap": _swap,
    "swap_reg": _swap_reg,
    "synflow": _synflow,
    "vkdnw": _vkdnw,
    "zen": _zen,
    "zico": _zico,
    "zico_bc": _zico_bc,
}
SUMS = ["fisher", "grad_norm", "grasp", "l_swag", "meco", "snip", "synflow", "zico", "zico_bc"]
CLOSED_FORMS = {"conv_layers", "flops", "live_params", "params", "sum_log_layer_size"}
CLOCKED = {"latency_ms"}
"""Read off a clock: there is no formula to equal; see test_proxies_latency.py."""


def test_every_proxy_has_a_formula_here():
    assert set(FORMULAS) | CLOSED_FORMS | CLOCKED == set(proxies.names())


@pytest.mark.parametrize("make", [_cnn, _cell])
@pytest.mark.parametrize("name", FORMULAS)
def test_a_proxy_equals_its_formula(name, make):
    model, batches = make(), _batches()
    if name == "grasp":  # differences of a gradient want more digits than float32 has
        model, batches = model.double(), [(images.double(), labels) for images, labels in batches]
    expected = FORMULAS[name](copy.deepcopy(model), batches)
    assert proxies.get(name).score(model, batches).value == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_vkdnw_is_the_same_formula_where_classes_are_many():
    model = _cnn()
    model[-1] = nn.Linear(12, 70)
    expected = _vkdnw(copy.deepcopy(model), [])
    assert proxies.get("vkdnw").score(model, _batches()).value == pytest.approx(expected, rel=1e-5)


def test_the_tangent_kernel_is_that_of_the_first_sixteen_images():
    model, batches = _cell(), _batches(1, 20)
    rows = [torch.autograd.grad(output.sum(), _weights(model), retain_graph=True) for output in model(batches[0][0])]
    stack = np.stack([np.concatenate([g.double().numpy().ravel() for g in row]) for row in rows[:16]])
    found = proxies.get("ntk_condition").score(model, batches).value
    assert found == pytest.approx(np.linalg.cond(stack @ stack.T), rel=1e-4)


@pytest.mark.parametrize("make", [_cnn, _cell])
@pytest.mark.parametrize("name", SUMS)
def test_a_sum_over_layers_shows_its_terms(name, make):
    model = make()
    found = proxies.get(name).score(model, _batches())
    assert list(found.layers)[:4] == ["layer", "kind", "shape", "weights"] and list(found.layers)[-1] == "term"
    assert found.layers["weights"].tolist() == [layer.weight.numel() for layer in _layers(model)]
    assert found.layers["term"].sum() == pytest.approx(found.value, rel=1e-9)


def test_zico_distributions_count_every_weight_at_its_value():
    model, batches = _cnn(), _batches(4)
    table = proxies.get("zico").distributions(model, batches)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    named = [(n, m) for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    gradients = {name: [] for name, _ in named}
    for images, labels in batches:
        loss = functional.cross_entropy(model(images), labels)
        for (name, _), g in zip(named, torch.autograd.grad(loss, [m.weight for _, m in named]), strict=True):
            gradients[name].append(g.flatten().double().numpy())
    assert list(table["layer"].unique()) == list(gradients)
    for row in table.itertuples():
        stacked = np.array(gradients[row.layer])
        magnitude, std = np.abs(stacked).mean(axis=0), stacked.std(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = {"mean_abs_grad": magnitude, "std": std, "inverse_cv": magnitude / std}[row.statistic]
        logs = np.log10(values[np.isfinite(values) & (values > 0)])
        assert (row.weights, row.zeros) == (len(values), len(values) - len(logs))
        assert (row.low, row.high) == pytest.approx((logs.min(), logs.max()), abs=1e-3)
        inside = np.clip(logs, row.low, row.high)
        expected = np.histogram(inside, bins=len(row.counts), range=(row.low, row.high))[0]
        assert np.abs(np.cumsum(expected - np.array(row.counts))).max() <= 1 + 0.01 * len(logs)  # rounding at the edges
