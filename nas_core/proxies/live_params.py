"""Parameters that have a path to the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.proxies._closed_form import ClosedForm
from nas_core.proxies._registry import register
from nas_core.proxies.base import Batches, check_batches, cross_entropy, gradients_of, untouched

if TYPE_CHECKING:
    from torch import nn


@register("live_params")
class LiveParams(ClosedForm):
    """Parameters a gradient reaches: in a cell space, those on a `none`-free path and the network around the cell."""

    name = "live_params"
    summary = "number of parameters with a path to the loss"

    def _count(self, model: nn.Module, batches: Batches) -> float:
        check_batches(batches, least=1)
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        with untouched(model):
            gradients = gradients_of(cross_entropy(model, *batches[0]), parameters)
        return sum(p.numel() for p, gradient in zip(parameters, gradients, strict=True) if gradient is not None)
