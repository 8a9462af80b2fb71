"""SynFlow (Tanaka et al., NeurIPS 2020): flow through the network with all signs taken away."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nas_core.proxies._layers import NO_PATH, sum_of_terms
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies._weights import Layer, batch_norms
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, finite, gradients_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@register("synflow")
class SynFlow:
    """`sum_l sum_w |w| dR/d|w|` over the layers' weights, each once, R the summed outputs for one image of ones.

    Every parameter is replaced by its absolute value (a computed weight, not what it is computed from), batch norms by
    the identity, and all is computed in eval mode in double precision, as in the authors' code; in the model's own
    where its forward pass makes tensors of another precision. Neither images nor labels matter, but for the shape of
    an image. The table's term is a layer's sum, NaN without a path to R; without any the empty sum is 0. The score is
    NaN where it overflows, or a weight is NaN.

    Source: Tanaka, Kunin, Yamins & Ganguli, Pruning neural networks without any data by iteratively conserving
    synaptic flow, NeurIPS 2020; as a score, Abdelfattah et al., ICLR 2021.
    """

    name = "synflow"
    version = 1
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "synaptic flow of the network without signs (Tanaka et al., NeurIPS 2020)"

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Score `model` with the shape of the first batch's images (b, ...).

        Raises:
            ValueError: batches, or a model, that cannot be used; images that are integers.
        """
        import torch

        check_batches(batches, least=1, classes=loss is None)
        started = time.perf_counter()
        subject, images = Subject(model, Task(output, loss)), batches[0][0]
        if not images.is_floating_point():
            raise ValueError(f"synflow passes an image of ones; got integers ({images.dtype}), expected float images")
        reason = subject.not_a_number()
        if reason:
            return ProxyScore(math.nan, seconds=time.perf_counter() - started, reason=reason)
        try:
            terms = _terms(subject, images[:1], torch.float64)
        except RuntimeError as error:
            if not any(word in str(error) for word in ("dtype", "scalar type", "Input type")):
                raise
            terms = _terms(subject, images[:1], None)
        found = sum_of_terms(subject.layers, terms, empty=NO_PATH.replace("loss", "output"))
        return replace(found, value=finite(found.value), seconds=time.perf_counter() - started)


def _terms(subject: Subject, image: Tensor, precision: torch.dtype | None) -> list[float | None]:
    """The layers' sums, in `precision` or that of each tensor; None without a path."""
    import torch

    with subject.visit(train=False), torch.autocast(image.device.type, enabled=False):
        _take_signs(subject, precision)
        flow = subject(torch.ones_like(image, dtype=precision)).sum()
        weights = subject.weights
        found = gradients_of(flow, weights)
        return [None if g is None else float((w.detach() * g).sum()) for w, g in zip(weights, found, strict=True)]


def _take_signs(subject: Subject, precision: torch.dtype | None) -> None:
    """For the rest of the visit: absolute weights, and batch norms that change nothing."""
    import torch

    def positive(tensor: Tensor) -> Tensor:
        return tensor.detach().to(precision or tensor.dtype).abs().requires_grad_()

    def stand_in(_layer: Layer, weight: Tensor) -> Tensor:
        return positive(weight)

    parts = {id(tensor) for layer in subject.layers if layer.is_computed for tensor in layer.made_of}
    own: dict[int, Tensor] = {}
    for tensor in (*subject.model.parameters(), *subject.model.buffers()):
        if not tensor.is_floating_point():
            continue
        if isinstance(tensor, torch.nn.Parameter) and id(tensor) not in parts:
            own[id(tensor)] = positive(tensor)
        else:
            own[id(tensor)] = tensor.detach().to(precision or tensor.dtype, copy=True)
    subject.replace(own, stand_in)
    for module in subject.model.modules():
        if isinstance(module, batch_norms()):
            _make_identity(module, precision)


def _make_identity(norm: nn.Module, precision: torch.dtype | None) -> None:
    """A batch norm that gives back what enters it, and whatever a subclass does after it (an activation)."""
    import torch

    like = next((t for t in (*norm._parameters.values(), *norm._buffers.values()) if t is not None), None)
    kind = precision or (torch.float32 if like is None else like.dtype)
    place = None if like is None else like.device
    ones = torch.ones(norm.num_features, dtype=kind, device=place)  # type: ignore[arg-type]
    norm._buffers.update(running_mean=torch.zeros_like(ones), running_var=ones)
    norm.eps = 0.0  # type: ignore[assignment]
    for name, value in (("weight", ones), ("bias", torch.zeros_like(ones))):
        if norm._parameters.get(name) is not None:
            norm._parameters[name] = value  # type: ignore[assignment]
