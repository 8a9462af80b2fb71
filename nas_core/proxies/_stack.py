"""Many networks scored in one pass: what a space hands over, and what a proxy gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from nas_core.proxies.base import Batches


class StackedWeight(Protocol):
    """One layer's weight in the networks `members` of a stack, one network after another in `tensor`."""

    @property
    def layer(self) -> str: ...

    @property
    def tensor(self) -> Tensor: ...

    @property
    def members(self) -> tuple[int, ...]: ...


class Stack(Protocol):
    """Networks side by side; a space makes it (`SearchSpace.stack`)."""

    @property
    def weights(self) -> Sequence[StackedWeight]:
        """Weights with a path to the loss, as leaves."""

    @property
    def layers(self) -> Sequence[Sequence[tuple[str, str, str, int]]]:
        """By network: name, kind, shape and number of weights of every layer, in definition order."""

    def __call__(self, images: Tensor) -> Tensor:
        """Logits (networks, b, classes); networks without a path to the loss may be left out."""


@dataclass(frozen=True)
class StackScore:
    """The score of one network of a stack, with the rows of its per-layer table."""

    value: float
    layers: list[dict[str, Any]]


@runtime_checkable
class Stackable(Protocol):
    """A proxy that scores a whole stack at once."""

    def score_stack(self, stack: Stack, batches: Batches) -> list[StackScore]:
        """Scores by network, as `score` would give them one by one, up to rounding."""


def stack_gradients(stack: Stack, weights: Sequence[Tensor], images: Tensor, labels: Tensor) -> Sequence[Tensor]:
    """Gradients of every network's own mean cross-entropy: networks do not touch, so one sum serves them all."""
    import torch
    from torch.nn import functional

    logits = stack(images)
    loss = functional.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)), reduction="sum") / len(images)
    return torch.autograd.grad(loss, weights)
