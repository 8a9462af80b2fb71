"""Gradients of a model's logits by the first element of each of its parameters, image by image and class by class.

Where every module is one that torch defines and its rows are images, all of them come from few backward
passes; any other model takes a backward pass for each image and class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nas_core.proxies._subject import Subject
from nas_core.proxies._task import one_row_an_image
from nas_core.proxies._weights import Layer, weight_names
from nas_core.proxies.base import gradients_of

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.autograd.graph import GradientEdge

MOST_ROWS = 128
"""Images times classes in a pass, a bound on memory where classes are many."""


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter whose first element is asked for: its module, its name there, and its layer if it is a weight."""

    module: nn.Module
    name: str
    layer: Layer | None

    def tensor(self, subject: Subject) -> Tensor:
        """Its values as the last pass used them."""
        return getattr(self.module, self.name) if self.layer is None else subject.weight(self.layer)


def parameters_of(subject: Subject) -> list[Parameter]:
    """Weights and biases of layers and of BatchNorm2d, in definition order, each tensor once."""
    from torch import nn

    layers = {(layer.module, layer.attribute): layer for layer in subject.layers}
    found: list[Parameter] = []
    seen: set[int] = set()
    for module in subject.model.modules():
        weights = weight_names(module)
        if not weights and not isinstance(module, nn.BatchNorm2d):
            continue
        found += [Parameter(module, name, layers[module, name]) for name in weights if (module, name) in layers]
        for name, own in module._parameters.items():
            beside = name not in weights and (name == "weight" or "bias" in name)
            if own is not None and beside and id(own) not in seen:
                found.append(Parameter(module, name, None))
                seen.add(id(own))
    return found


class _NotQuickError(Exception):
    """The quick way does not hold for this model."""


def jacobians(subject: Subject, images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits (classes,) and their gradients (classes, parameters) by first elements, image by image, in double.

    To be run within a visit in eval mode.

    Args:
        subject: the model.
        images: (b, ...).

    Raises:
        ValueError: the model's outputs are not (b, classes).
    """
    parameters = parameters_of(subject)
    try:
        yield from list(_quick(subject, parameters, images))
    except _NotQuickError:
        yield from _one_by_one(subject, parameters, images)


def _logits(subject: Subject, images: Tensor) -> Tensor:
    """Outputs (b, classes)."""
    outputs = one_row_an_image(subject(images), len(images))
    if outputs.dim() != 2:
        raise ValueError(f"the model's output has shape {tuple(outputs.shape)}; vkdnw takes (images, classes)")
    return outputs


def _one_by_one(subject: Subject, parameters: Sequence[Parameter], images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    import torch

    for image in images.split(1):
        logits = _logits(subject, image)[0]
        tensors = [parameter.tensor(subject) for parameter in parameters]
        jacobian = torch.zeros(len(logits), len(parameters), dtype=torch.float64, device="cpu")
        for number, logit in enumerate(logits):
            for place, gradient in enumerate(gradients_of(logit, tensors, keep_graph=True)):
                if gradient is not None:
                    jacobian[number, place] = gradient.flatten()[0].double()
        yield logits.detach().double().cpu(), jacobian


@dataclass
class _Call:
    """A module's call: what went in, and the place of what came out in the graph."""

    module: nn.Module
    entered: Tensor
    left: GradientEdge


def _quick(subject: Subject, parameters: Sequence[Parameter], images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """All images and some classes at once.

    Every image is passed once a class, so that one backward pass finds the gradients of all logits: in eval mode the
    images of a batch do not meet. From the gradient by a module's output follows that by each parameter, row by row.
    """
    import torch

    with torch.no_grad():
        classes = len(_watched(subject, parameters, images[:1])[0][0])
    for some in images.split(max(1, MOST_ROWS // classes)):
        parts = [
            _of_classes(subject, parameters, some, range(start, min(start + MOST_ROWS, classes)))
            for start in range(0, classes, MOST_ROWS)
        ]
        logits, jacobian = parts[0][0], torch.cat([part for _, part in parts], dim=1)
        yield from zip(logits, jacobian, strict=True)


def _of_classes(
    subject: Subject, parameters: Sequence[Parameter], images: Tensor, classes: range
) -> tuple[Tensor, Tensor]:
    """Logits (b, all classes) and gradients (b, classes, parameters) of the logits of some classes."""
    import torch

    logits, calls = _watched(subject, parameters, images.repeat_interleave(len(classes), dim=0))
    chosen = logits[torch.arange(len(logits)), torch.tensor(classes).repeat(len(images))].sum()
    called = {call.module for call in calls}
    elsewhere = [p.tensor(subject) for p in parameters if p.module not in called]
    found = gradients_of(chosen, [*(call.left for call in calls), *elsewhere])
    if any(gradient is not None for gradient in found[len(calls) :]):
        raise _NotQuickError  # a weight is read without its module being called
    places = {(p.module, p.name): place for place, p in enumerate(parameters)}
    jacobian = torch.zeros(len(logits), len(parameters), dtype=torch.float64, device="cpu")
    for call, gradient in zip(calls, found[: len(calls)], strict=True):
        for name in ("weight", "bias"):
            place = places.get((call.module, name))
            if gradient is not None and place is not None:
                jacobian[:, place] += _first_gradient(call, name, gradient).double().cpu()
    values = logits.detach()[:: len(classes)].double().cpu()
    return values, jacobian.reshape(len(images), len(classes), len(parameters))


def _watched(subject: Subject, parameters: Sequence[Parameter], images: Tensor) -> tuple[Tensor, list[_Call]]:
    """Logits of a pass, and the calls of the modules that hold parameters.

    Raises:
        _NotQuickError: a module is called in another way than the quick one knows, or shares a parameter.
    """
    calls: list[_Call] = []

    def record(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        from torch.autograd.graph import get_gradient_edge

        if not inputs or not _is_known(module) or {len(inputs[0]), len(output)} != {len(images)}:
            raise _NotQuickError
        if output.requires_grad:
            calls.append(_Call(module, inputs[0].detach().clone(), get_gradient_edge(output)))

    if subject.is_tied:
        raise _NotQuickError
    modules = dict.fromkeys(parameter.module for parameter in parameters)
    handles = [module.register_forward_hook(record) for module in modules]
    try:
        return _logits(subject, images), calls
    finally:
        for handle in handles:
            handle.remove()


def _is_known(module: nn.Module) -> bool:
    """Whether it computes what torch's own module computes, image by image."""
    from torch import nn

    convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
    for kind in (*convolutions, nn.Linear, nn.BatchNorm2d):
        if isinstance(module, kind):
            same = type(module).forward is kind.forward and "forward" not in vars(module)
            if kind in convolutions:
                return same and type(module)._conv_forward is kind._conv_forward  # type: ignore[attr-defined]
            return same and (kind is nn.Linear or module.running_mean is not None)
    return False


def _first_gradient(call: _Call, name: str, gradient: Tensor) -> Tensor:
    """Gradients (rows,) by the first element of a parameter, from those by the module's output."""
    import torch
    from torch import nn

    module, entered = call.module, call.entered
    if isinstance(module, nn.Linear):
        first = gradient[..., 0] if name == "bias" else gradient[..., 0] * entered[..., 0]
        return first.reshape(len(first), -1).sum(dim=1)
    first = gradient[:, 0]
    if name == "weight" and isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        # What the element adds to the output is the convolution with a kernel that is 1 there and 0 elsewhere.
        kernel = torch.zeros_like(module.weight[: module.groups])
        kernel[(0,) * kernel.dim()] = 1
        first = first * module._conv_forward(entered, kernel, None)[:, 0]
    elif name == "weight" and isinstance(module, nn.BatchNorm2d):
        first = first * nn.functional.batch_norm(entered, module.running_mean, module.running_var, eps=module.eps)[:, 0]
    return first.flatten(1).sum(dim=1)
