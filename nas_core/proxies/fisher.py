"""Fisher (Turner et al., ICLR 2020): how much the loss feels a channel's activation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.proxies._layers import layer_table
from nas_core.proxies._passes import Measured, Measurement, Readings, Step, Subject
from nas_core.proxies._registry import register
from nas_core.proxies.base import Needs, ProxyScore

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

    from nas_core.proxies.base import Target


class ActivationGradients(Measurement):
    """Fisher term of every weighted layer on the first batch, from its output and the gradient by it."""

    needs = Needs.GRADIENTS

    def __init__(self) -> None:
        self._outputs: list[tuple[nn.Module, Tensor, Target]] = []
        self.of: dict[nn.Module, float] = {}

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return [module.register_forward_hook(self._keep) for _, module in subject.layers]

    def _keep(self, module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        from torch.autograd.graph import get_gradient_edge

        # A copy and an edge of the graph, as a ReLU that works in place would change the tensor itself.
        if output.requires_grad:
            self._outputs.append((module, output.detach().clone(), get_gradient_edge(output)))

    def targets(self, subject: Subject) -> Sequence[Target]:
        return [edge for _, _, edge in self._outputs]

    def add(self, step: Step) -> None:
        for (module, output, _), gradient in zip(self._outputs, step.gradients[self], strict=True):
            if gradient is not None:
                self.of[module] = self.of.get(module, 0.0) + _fisher(output, gradient)
        self._outputs = []


def _fisher(output: Tensor, gradient: Tensor) -> float:
    sensitivity = output * gradient
    if sensitivity.dim() > 2:
        sensitivity = sensitivity.flatten(2).sum(dim=2)
    return float(sensitivity.square().sum()) / (2 * len(output))


@register("fisher")
class Fisher(Measured):
    """`sum_l sum_c 1/(2 b) sum_n ( sum_{h,w} a_nchw dL/da_nchw )^2`, a the outputs of Conv2d and Linear layers.

    On the first batch of b images, L the mean cross-entropy (so dL/da carries a factor 1/b). The table's term is a
    layer's sum over channels, NaN where its output has no path to the loss. Without any the empty sum is 0.

    Source: Turner, Crowley, O'Boyle, Storkey & Gray, BlockSwap: Fisher-guided block substitution for network
    compression on a budget, ICLR 2020; summed over the network as in Abdelfattah et al., ICLR 2021.
    """

    name = "fisher"
    needs = Needs.GRADIENTS
    summary = "Fisher information of the layers' activations (Turner et al., ICLR 2020)"
    reads = (ActivationGradients,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum over layers."""
        layers, of = readings.subject.layers, readings[ActivationGradients].of
        table = layer_table(layers, ["term"], [(of.get(module, math.nan),) for _, module in layers])
        return ProxyScore(float(table["term"].sum()), table)
