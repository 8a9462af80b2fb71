"""What proxies share: the protocol, the result, checks at the boundary, and leaving a model as it was found."""

from __future__ import annotations

import enum
import inspect
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import pandas as pd

from nas_core.proxies._snapshot import generators_kept, kept, seeded
from nas_core.proxies._subject import NO_LAYER, SEED, Subject, check_ready, unwrapped
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies._weights import convolutions

__all__ = [
    "SEED",
    "Batches",
    "Loss",
    "Needs",
    "Output",
    "Proxy",
    "ProxyScore",
    "Subject",
    "Task",
    "check_batches",
    "finite",
    "gaussian_images",
    "generators_kept",
    "gradients_of",
    "keyword_not_taken",
    "untouched",
    "unwrapped",
    "weighted_layers",
]

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.autograd.graph import GradientEdge

    Target: TypeAlias = Tensor | GradientEdge

Batches = Sequence[tuple["Tensor", "Tensor"]]


class Needs(enum.StrEnum):
    """What a proxy has to run: nothing, a forward pass, or gradients."""

    NOTHING = "nothing"
    FORWARD = "forward"
    GRADIENTS = "gradients"


@dataclass(frozen=True)
class ProxyScore:
    """A score: its value, the per-layer table behind it (empty where there is none), and seconds it took.

    `reason` says in one line why a value is NaN, or an empty sum, or says little; empty where all is well.
    """

    value: float
    layers: pd.DataFrame = field(default_factory=pd.DataFrame)
    seconds: float = 0.0
    reason: str = ""


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

        Weights, buffers, modes, gradients and the random generators are left as they were, whatever happens. A proxy
        that takes the keywords `output` and `loss` (see `Task`) scores models of other tasks too.

        Raises:
            ValueError: batches, or a model, that the score cannot use; one line.
        """


def check_batches(batches: Batches, *, least: int, classes: bool = True) -> None:
    """Refuse batches no proxy can use.

    Args:
        batches: a list of pairs (images, labels), both tensors.
        least: the fewest batches that will do.
        classes: whether labels are class numbers (integers, as many as images), as the default loss takes them.

    Raises:
        ValueError: no list, too few batches, something else than pairs of tensors, an empty batch, lengths that
            differ, labels that are no integers, NaN or infinity in an input.
    """
    if not isinstance(batches, Sequence):
        advice = "expected a list of (images, labels), as in list(itertools.islice(loader, 6))"
        raise ValueError(f"batches: got a {type(batches).__name__}, {advice}")
    if len(batches) < least:
        raise ValueError(f"batches: got {len(batches)}, expected at least {least}")
    for number, batch in enumerate(batches):
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise ValueError(f"batch {number} is a {type(batch).__name__}; expected a pair (images, labels)")
        _check_images(number, batch[0])
        if classes:
            _check_classes(number, *batch)


def _check_images(number: int, images: Any) -> None:
    import torch

    if not isinstance(images, torch.Tensor):
        raise ValueError(f"batch {number} has images of type {type(images).__name__}; expected a tensor")
    if images.dim() == 0 or len(images) == 0:
        raise ValueError(f"batch {number} is empty; expected at least one image")
    if not bool(torch.isfinite(images).all()):
        raise ValueError(f"batch {number} has NaN or infinity in its images; expected finite numbers")


def _check_classes(number: int, images: Tensor, labels: Any) -> None:
    import torch

    if not isinstance(labels, torch.Tensor):
        raise ValueError(f"batch {number} has labels of type {type(labels).__name__}; expected a tensor")
    if labels.dim() == 0 or len(images) != len(labels):
        found = f"{len(images)} images and {len(labels) if labels.dim() else 1} labels"
        raise ValueError(f"batch {number} has {found}; expected as many")
    if labels.is_floating_point() or labels.dtype is torch.bool or labels.is_complex():
        nan = labels.is_floating_point() and bool(torch.isnan(labels).any())
        found = "NaN labels" if nan else f"labels of type {labels.dtype}"
        raise ValueError(f"batch {number} has {found}; expected integer class numbers, or a loss= of your own")


def keyword_not_taken(proxy: Proxy, given: Iterable[str]) -> str:
    """The first of the keywords `given` that a score does not take; empty where it takes all."""
    known = inspect.signature(proxy.score).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return ""
    return next((word for word in given if word not in known), "")


@contextmanager
def untouched(model: nn.Module, *, train: bool = True) -> Iterator[None]:
    """Run a model in train (or eval) mode and give it back as it was: weights, buffers, gradients, modes, attributes.

    Whatever the model draws itself (dropout) comes from `SEED`; the caller's generators are given back too. This runs
    the model as it is; to read weights and gradients of anybody's model, see `Subject.visit`.

    Raises:
        ValueError: a lazy layer that has seen no input, or weights without values.
    """
    check_ready(model)
    with kept(model), seeded(SEED):
        model.train(train)
        yield


def weighted_layers(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Every convolution and Linear with its name, in definition order; each has a `weight`.

    Raises:
        ValueError: the model has none.
    """
    from torch import nn

    kinds = (nn.Linear, *convolutions())
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, kinds)]
    if not layers:
        raise ValueError(f"{NO_LAYER}; expected at least one")
    return layers


def gradients_of(
    loss: Tensor, targets: Sequence[Target], *, keep_graph: bool = False, twice: bool = False
) -> list[Tensor | None]:
    """Gradients of `loss` by weights or edges of its graph; None where they are frozen or have no path to the loss.

    Those of half precision come as float32, so that sums and squares of them do not vanish. `twice` keeps the graph
    of the gradients, to differentiate them once more.
    """
    import torch

    trained = [target for target in targets if getattr(target, "requires_grad", True)]
    if not trained or not loss.requires_grad:
        return [None] * len(targets)
    taken = torch.autograd.grad(loss, trained, allow_unused=True, retain_graph=keep_graph, create_graph=twice)
    found = iter(taken if twice else map(_full, taken))
    return [next(found) if getattr(target, "requires_grad", True) else None for target in targets]


def _full(gradient: Tensor | None) -> Tensor | None:
    """A gradient that can be summed: dense, in 32 bits at least."""
    import torch

    if gradient is None:
        return None
    dense = gradient.to_dense() if gradient.is_sparse else gradient
    return dense.float() if dense.dtype in (torch.float16, torch.bfloat16) else dense


def gaussian_images(images: Tensor, count: int) -> Tensor:
    """`count` images of the shape of `images` (b, ...), standard normal, always the same ones, laid out alike.

    Raises:
        ValueError: the inputs are integers, such as the numbers of tokens.
    """
    import torch

    if not images.is_floating_point():
        raise ValueError(f"the images are integers ({images.dtype}) and this score draws some; expected float images")

    generator = torch.Generator().manual_seed(SEED)
    # On this device and in this type, whatever the caller's defaults are: the numbers depend on both.
    drawn = torch.randn(count, *images.shape[1:], generator=generator, dtype=torch.float32, device="cpu")
    if images.dim() == 4 and images.is_contiguous(memory_format=torch.channels_last):
        drawn = drawn.contiguous(memory_format=torch.channels_last)
    return drawn.to(images.device, images.dtype)


def finite(value: float) -> float:
    """The value, or NaN where it is infinite: an undefined score is not the best nor the worst of a table."""
    return value if math.isfinite(value) else math.nan
