"""What proxies share: the protocol, the result, checks at the boundary, and leaving a model as it was found."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pandas as pd

if TYPE_CHECKING:
    from torch import Tensor, nn

Batches = Sequence[tuple["Tensor", "Tensor"]]


class Needs(enum.StrEnum):
    """What a proxy has to run: nothing, a forward pass, or gradients."""

    NOTHING = "nothing"
    FORWARD = "forward"
    GRADIENTS = "gradients"


@dataclass(frozen=True)
class ProxyScore:
    """A score: its value, the per-layer table behind it (empty where there is none), and seconds it took."""

    value: float
    layers: pd.DataFrame = field(default_factory=pd.DataFrame)
    seconds: float = 0.0


class Proxy(Protocol):
    """A zero-cost score."""

    name: str
    higher_is_better: bool
    needs: Needs
    summary: str

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model` on `batches` of images (b, ...) and labels (b,); the model is left unchanged."""


def check_batches(batches: Batches, *, least: int) -> None:
    """Refuse batches no proxy can use.

    Raises:
        ValueError: too few batches, an empty one, lengths that differ, labels that are no integers, NaN or infinity
            in an input.
    """
    import torch

    if len(batches) < least:
        raise ValueError(f"batches: got {len(batches)}, expected at least {least}")
    for number, (images, labels) in enumerate(batches):
        if len(images) == 0:
            raise ValueError(f"batch {number} is empty; expected at least one image")
        if len(images) != len(labels):
            raise ValueError(f"batch {number} has {len(images)} images and {len(labels)} labels; expected as many")
        if labels.dtype.is_floating_point:
            found = "NaN labels" if bool(torch.isnan(labels).any()) else f"labels of type {labels.dtype}"
            raise ValueError(f"batch {number} has {found}; expected integer class numbers")
        if not bool(torch.isfinite(images).all()):
            raise ValueError(f"batch {number} has NaN or infinity in its images; expected finite numbers")


@contextmanager
def untouched(model: nn.Module, *, train: bool = True) -> Iterator[None]:
    """Run a model in train (or eval) mode and give its modes, buffers and gradients back as they were."""
    modes = {module: module.training for module in model.modules()}
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = None
    model.train(train)
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        for buffer, before in buffers:
            buffer.copy_(before)
        for parameter, gradient in gradients:
            parameter.grad = gradient


def weighted_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Every Conv2d and Linear with its name, in definition order.

    Raises:
        ValueError: the model has none.
    """
    from torch import nn

    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    if not layers:
        raise ValueError("the model has no Conv2d or Linear layer; expected at least one")
    return layers


def weight_gradients(
    model: nn.Module, layers: Sequence[tuple[str, nn.Module]], images: Tensor, labels: Tensor
) -> list[Tensor | None]:
    """Gradients of the cross-entropy by every layer's weight; None where no path leads to the loss or it is frozen."""
    loss = cross_entropy(model, images, labels)
    return gradients_of(loss, [module.weight for _, module in layers])  # type: ignore[misc]


def cross_entropy(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of the model's outputs (b, classes) against labels (b,).

    Raises:
        ValueError: a label is no class of the model's outputs.
    """
    from torch.nn import functional

    outputs = model(images)
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= outputs.shape[1]:
        found = least if least < 0 else most
        raise ValueError(f"labels: got class {found}, expected 0 to {outputs.shape[1] - 1}, as the model has outputs")
    return functional.cross_entropy(outputs, labels)


def gradients_of(loss: Tensor, weights: Sequence[Tensor]) -> list[Tensor | None]:
    """Gradients of `loss` by `weights`; None for weights that are frozen or have no path to the loss."""
    import torch

    trained = [weight for weight in weights if weight.requires_grad]
    if not trained or not loss.requires_grad:
        return [None] * len(weights)
    found = iter(torch.autograd.grad(loss, trained, allow_unused=True))
    return [next(found) if weight.requires_grad else None for weight in weights]
