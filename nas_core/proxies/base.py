"""What proxies share: the protocol, the result, checks at the boundary, and leaving a model as it was found."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import pandas as pd

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.autograd.graph import GradientEdge

    Target: TypeAlias = Tensor | GradientEdge

Batches = Sequence[tuple["Tensor", "Tensor"]]

SEED = 0
"""Of every generator a proxy draws from: the same model and batches score the same, in any process."""


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
    """A zero-cost score. `nas_core.testing.check_proxy` checks all that is promised here.

    `version` is part of the key of cached scores: raise it when equal networks, batches and settings begin to give
    other values, so that no value of before is taken for one of now. `summary` is one line for lists.
    """

    name: str
    version: int
    higher_is_better: bool
    needs: Needs
    summary: str

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model` on `batches` of images (b, ...) and labels (b,), reproducibly; NaN where undefined.

        Weights, buffers, modes, gradients and the random generators are left as they were, whatever happens.

        Raises:
            ValueError: batches, or a model, that the score cannot use; one line.
        """


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
    """Run a model in train (or eval) mode and give its modes, buffers and gradients back as they were.

    Whatever the model draws itself (dropout) comes from `SEED`; the caller's generator is given back too.
    """
    import torch

    modes = {module: module.training for module in model.modules()}
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    drawn = torch.get_rng_state()
    for parameter in model.parameters():
        parameter.grad = None
    model.train(train)
    torch.default_generator.manual_seed(SEED)
    try:
        yield
    finally:
        torch.set_rng_state(drawn)
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
    return mean_cross_entropy(model(images), labels)


def mean_cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of outputs (b, classes) against labels (b,).

    Raises:
        ValueError: a label is no class of the outputs.
    """
    from torch.nn import functional

    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= outputs.shape[1]:
        found = least if least < 0 else most
        raise ValueError(f"labels: got class {found}, expected 0 to {outputs.shape[1] - 1}, as the model has outputs")
    return functional.cross_entropy(outputs, labels)


def gradients_of(loss: Tensor, targets: Sequence[Target], *, keep_graph: bool = False) -> list[Tensor | None]:
    """Gradients of `loss` by weights or edges of its graph; None where they are frozen or have no path to the loss."""
    import torch

    trained = [target for target in targets if getattr(target, "requires_grad", True)]
    if not trained or not loss.requires_grad:
        return [None] * len(targets)
    found = iter(torch.autograd.grad(loss, trained, allow_unused=True, retain_graph=keep_graph))
    return [next(found) if getattr(target, "requires_grad", True) else None for target in targets]


def gaussian_images(images: Tensor, count: int) -> Tensor:
    """`count` images of the shape of `images` (b, ...), standard normal, always the same ones, laid out alike."""
    import torch

    drawn = torch.randn(count, *images.shape[1:], generator=torch.Generator().manual_seed(SEED))
    if images.dim() == 4 and images.is_contiguous(memory_format=torch.channels_last):
        drawn = drawn.contiguous(memory_format=torch.channels_last)
    return drawn.to(images.device, images.dtype)


def finite(value: float) -> float:
    """The value, or NaN where it is infinite: an undefined score is not the best nor the worst of a table."""
    return value if math.isfinite(value) else math.nan
