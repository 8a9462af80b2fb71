"""The contract of a proxy, checked on two small networks."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nas_core import proxies
from nas_core.proxies import Batches, Distributed, Needs, Proxy, ProxyScore
from nas_core.testing._contract import ContractError, Report, check_all, refuses, require

if TYPE_CHECKING:
    from torch import nn

_SIDE, _CLASSES, _BATCH, _BATCHES = 12, 5, 4, 3
"""Image side in pixels, classes, images in a batch and batches of the check."""


def check_proxy(proxy: str | Proxy | Callable[[], Proxy]) -> Report:
    """Check that `proxy` (a registered name, the class, or an instance) keeps the contract of `nas_core.proxies.Proxy`.

    It is scored on two small convolutional networks, one of them with batch norm and dropout, on the CPU.

    Raises:
        ContractError: what is broken, in one line.
        ValueError: no proxy of that name.
    """
    if isinstance(proxy, str):
        made, subject = proxies.get(proxy), f"proxy {proxy}"
        if made.name != proxy:
            raise ContractError(f"{subject}: its name is {made.name!r}; expected the name it is registered under")
    else:
        made = proxy() if isinstance(proxy, type) or not hasattr(proxy, "score") else proxy  # type: ignore
        subject = f"proxy {getattr(made, 'name', type(made).__name__)}"
    return check_all(subject, made, _PROMISES)


def _attributes(proxy: Proxy) -> None:
    """It says its name, version, direction, needs and summary."""
    name, version = getattr(proxy, "name", None), getattr(proxy, "version", 1)
    require(isinstance(name, str) and name.isidentifier(), f"name is {name!r}", "an identifier such as my_score")
    whole = isinstance(version, int) and not isinstance(version, bool)
    require(whole and version >= 1, f"version is {version!r}", "a whole number from 1 up")
    better, needs = getattr(proxy, "higher_is_better", None), getattr(proxy, "needs", None)
    require(isinstance(better, bool), f"higher_is_better is {better!r}", "True or False")
    require(isinstance(needs, Needs), f"needs is {needs!r}", "a member of nas_core.proxies.Needs")
    summary = getattr(proxy, "summary", None)
    is_line = isinstance(summary, str) and summary.strip() and "\n" not in summary
    require(is_line, f"summary is {summary!r}", "one line of text")


def _scores(proxy: Proxy) -> str | None:
    """It scores a network by a finite number or NaN, with a table of layers and seconds."""
    refused = []
    for kind in _NETWORKS:
        try:
            found = proxy.score(kind(), _batches())
        except ValueError as error:
            message = str(error)
            require(message and "\n" not in message, f"{kind.title} is refused by {message!r}", "one line saying why")
            refused.append(f"refuses {kind.title}: {message}")
            continue
        _check_score(found, kind.title)
    require(len(refused) < len(_NETWORKS), "; ".join(refused), "a score for a small convolutional network")
    return refused[0] if refused else None


def _check_score(found: Any, title: str) -> None:
    require(isinstance(found, ProxyScore), f"{title}: score returns {type(found).__name__}", "a ProxyScore")
    number = isinstance(found.value, int | float) and not isinstance(found.value, bool)
    require(number, f"{title}: value is a {type(found.value).__name__}", "a float")
    require(not math.isinf(found.value), f"{title}: value is {found.value}", "a finite number, or NaN where undefined")
    require(
        isinstance(found.layers, pd.DataFrame), f"{title}: layers is a {type(found.layers).__name__}", "a DataFrame"
    )
    seconds = found.seconds
    timed = isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0
    require(timed, f"{title}: seconds is {seconds!r}", "a finite number from 0 up")


def _reproducible(proxy: Proxy) -> str | None:
    """Equal networks and batches score equally, whatever the random generators hold."""
    if not getattr(proxy, "reproducible", True):
        return "says that it is not reproducible"
    for kind in _NETWORKS:
        first, again = (_scored_after(proxy, kind, seed) for seed in (1, 2))
        if first is None or again is None:
            continue
        same = first.value == again.value or (math.isnan(first.value) and math.isnan(again.value))
        require(same, f"{kind.title} scores {first.value!r}, then {again.value!r}", "equal values for equal networks")
        require(first.layers.equals(again.layers), f"{kind.title}: layers differ on a second call", "equal tables")
    return None


def _scored_after(proxy: Proxy, kind: _Network, seed: int) -> ProxyScore | None:
    import torch

    model = kind()
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    return _score_or_refuse(proxy, model, _batches())


def _untouched(proxy: Proxy) -> None:
    """The network, the batches and the random generators are left as they were."""
    for kind in _NETWORKS:
        model, batches = kind(), _batches()
        with _left_alone(model, batches, f"{kind.title}, after a score"):
            _score_or_refuse(proxy, model, batches)
        if isinstance(proxy, Distributed):
            with _left_alone(model, batches, f"{kind.title}, after distributions"):
                table = proxy.distributions(model, batches)
            require(isinstance(table, pd.DataFrame), f"distributions is a {type(table).__name__}", "a DataFrame")


def _survives_an_error(proxy: Proxy) -> None:
    """An error inside the network leaves it, and the random generators, as they were."""
    for kind in _NETWORKS:
        for call in (1, 2):  # in the first forward pass, and in a later one
            model, batches = kind(), _batches()
            _plant_error(model, call)
            with _left_alone(model, batches, f"{kind.title}, after an error in forward pass {call}"):
                try:
                    proxy.score(model, batches)
                except Exception as error:  # whatever it makes of it
                    del error


def _refuses_bad_batches(proxy: Proxy) -> str | None:
    """Batches that cannot be used are refused in one line."""
    if proxy.needs is Needs.NOTHING:
        return None
    import torch

    (images, labels), *rest = _batches()
    undefined = images.clone()
    undefined[0, 0, 0, 0] = math.nan
    bad = {
        "no batch": [],
        "an empty batch": [(images[:0], labels[:0]), *rest],
        "a batch with fewer labels than images": [(images, labels[:-1]), *rest],
        "a batch with NaN in its images": [(undefined, labels), *rest],
        "a batch whose labels are no integers": [(images, torch.full((len(images),), math.nan)), *rest],
    }
    for what, batches in bad.items():
        model = _NETWORKS[1]()
        with _left_alone(model, _batches(), f"after {what}"):
            refuses(lambda batches=batches, model=model: proxy.score(model, batches), what)  # type: ignore[misc]
    return None


_PROMISES = (_attributes, _scores, _reproducible, _untouched, _survives_an_error, _refuses_bad_batches)


@dataclass(frozen=True)
class _Network:
    """A small network, made anew with equal weights at every call; modes are mixed and one gradient is set."""

    title: str
    normed: bool

    def __call__(self) -> nn.Module:
        import torch
        from torch import nn

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            layers: list[nn.Module] = []
            for entering, leaving in ((3, 8), (8, 8)):
                layers.append(nn.Conv2d(entering, leaving, 3, padding=1))
                layers += [nn.BatchNorm2d(leaving)] if self.normed else []
                layers.append(nn.ReLU())
            layers += [nn.Dropout(0.2)] if self.normed else []
            layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(8 * 4, _CLASSES)]
            model = nn.Sequential(*layers).eval()
        model[0].train()
        first = next(model.parameters())
        first.grad = torch.ones_like(first)
        return model


_NETWORKS = (_Network("a network without batch norm", False), _Network("a network with batch norm and dropout", True))


def _batches() -> Batches:
    import torch

    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(_BATCH, 3, _SIDE, _SIDE, generator=generator),
            torch.randint(_CLASSES, (_BATCH,), generator=generator),
        )
        for _ in range(_BATCHES)
    ]


def _score_or_refuse(proxy: Proxy, model: nn.Module, batches: Batches) -> ProxyScore | None:
    try:
        return proxy.score(model, batches)
    except ValueError:
        return None  # how a network is refused is a promise of its own


def _plant_error(model: nn.Module, call: int) -> None:
    """Let forward pass number `call` raise half-way."""
    calls = 0
    middle = list(model)[2]  # type: ignore[call-overload]
    forward = middle.forward

    def raising(images: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= call:
            raise RuntimeError("planted by check_proxy")
        return forward(images)

    middle.forward = raising


@dataclass
class _Snapshot:
    """What a score must leave as it was, by what it is called."""

    model: nn.Module
    batches: Batches
    held: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        import torch

        model = self.model
        self.held = {
            "weights": [p.detach().clone() for p in model.parameters()],
            "which weights are trained": [(id(p), p.requires_grad) for p in model.parameters()],
            "gradients": [(id(p.grad), None if p.grad is None else p.grad.clone()) for p in model.parameters()],
            "buffers": [(name, b.clone()) for name, b in model.named_buffers()],
            "modes (train or eval)": [module.training for module in model.modules()],
            "modules": [(name, id(module)) for name, module in model.named_modules()],
            "hooks": [
                sum(len(getattr(module, kind)) for kind in vars(module) if kind.endswith("_hooks"))
                for module in model.modules()
            ],
            "the batches": [
                (images.clone(), images.requires_grad, images.grad, labels.clone()) for images, labels in self.batches
            ],
            "torch's random generator": torch.get_rng_state(),
            "numpy's random generator": [
                part.tobytes() if isinstance(part, np.ndarray) else part for part in np.random.get_state()
            ],
            "Python's random generator": random.getstate(),
            "whether torch records gradients": torch.is_grad_enabled(),
            "torch's default type": str(torch.get_default_dtype()),
            "torch's number of threads": torch.get_num_threads(),
        }


@contextmanager
def _left_alone(model: nn.Module, batches: Batches, when: str) -> Iterator[None]:
    """Require that what happens inside leaves the model, the batches and the generators as they were."""
    before = _Snapshot(model, batches).held
    yield
    after = _Snapshot(model, batches).held
    for what, held in before.items():
        require(_equal(held, after[what]), f"{when}: {what} changed", "everything as it was before")


def _equal(one: Any, other: Any) -> bool:
    import torch

    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.shape == other.shape and bool(torch.equal(one, other))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
