"""Fisher (Turner et al., ICLR 2020): how much the loss feels a channel's activation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from nas_core.proxies._images import by_image, images_first, leaving, tensor_of
from nas_core.proxies._layers import sum_of_terms
from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._weights import Layer
from nas_core.proxies.base import Needs, ProxyScore

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

    from nas_core.proxies.base import Target


@dataclass(frozen=True, eq=False)
class _Call:
    """A layer's call: what it returned, and the place of that in the graph; None where there is none."""

    layer: Layer
    output: Tensor
    edge: Target | None


class ActivationGradients(Measurement):
    """What the loss of the first batch feels of every channel of a layer's output, by image (b, c); by layer."""

    needs = Needs.GRADIENTS

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._felt: dict[Layer, Tensor] = {}

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return [layer.source.register_forward_hook(partial(self._keep, layer)) for layer in subject.outputs]  # type: ignore[union-attr]

    def _keep(self, layer: Layer, _module: nn.Module, _inputs: Any, returned: Any) -> None:
        from torch.autograd.graph import get_gradient_edge

        # A copy and an edge of the graph, as a ReLU that works in place would change the tensor itself.
        output = tensor_of(returned, f"the output of {layer.name}")
        edge = get_gradient_edge(output) if output.requires_grad else None
        self._calls.append(_Call(layer, output.detach().clone(), edge))

    def targets(self, subject: Subject) -> Sequence[Target]:
        return [call.edge for call in self._calls if call.edge is not None]

    def add(self, step: Step) -> None:
        gradients = iter(step.gradients[self])
        taken = [None if call.edge is None else next(gradients) for call in self._calls]
        products = {
            call: call.output if gradient is None else call.output * gradient
            for call, gradient in zip(self._calls, taken, strict=True)
        }
        by_channel = _by_channel(step, products)
        for call, gradient in zip(self._calls, taken, strict=True):
            if gradient is not None:
                # A layer that runs twice in a pass is one layer: a channel's gate acts on both of its outputs.
                self._felt[call.layer] = self._felt.get(call.layer, 0) + by_channel[call]
        self._calls = []

    def term(self, layer: Layer) -> float | None:
        """A layer's sum over channels; None where its output has no path to the loss."""
        felt = self._felt.get(layer)
        return None if felt is None else float(felt.square().sum()) / (2 * len(felt))


def _by_channel(step: Step, products: dict[_Call, Tensor]) -> dict[_Call, Tensor]:
    """Products of output and gradient (b, ...) summed over positions: (b, c)."""
    found: dict[_Call, Tensor] = {}
    linear = [call for call in products if not call.layer.is_convolution]
    modules = list(dict.fromkeys(call.layer.source for call in linear if call.layer.source is not None))
    what = "the output of a linear layer"
    turned = by_image([products[call] for call in linear], step.subject, step.images, modules, leaving, what)
    for call, rows in zip(linear, turned, strict=True):
        found[call] = rows.flatten(1, -2).sum(1) if rows.dim() > 2 else rows
    for call, product in products.items():
        if call.layer.is_convolution:
            found[call] = images_first(product, len(step.images), f"the output of {call.layer.name}").flatten(2).sum(2)
    return found


@register("fisher")
class Fisher(Measured):
    """`sum_l sum_c 1/(2 b) sum_n ( sum_{h,w} a_nchw dL/da_nchw )^2`, a the outputs of convolutions and linear layers.

    On the first batch of b images, L the mean cross-entropy (so dL/da carries a factor 1/b). The positions of a linear
    layer over tokens or maps are those of a convolution; a layer that runs twice in a pass is one layer. The table's
    term is a layer's sum over channels, NaN where its output has no path to the loss. Without any the empty sum is 0.
    A model that folds windows or patches into its batch is refused.

    `weighting="fan_in"` multiplies a layer's term by the weights of an output channel. That is what the code of
    Abdelfattah et al. sums, so the figures published with it belong to this variant; the default is the formula.

    Source: Turner, Crowley, O'Boyle, Storkey & Gray, BlockSwap: Fisher-guided block substitution for network
    compression on a budget, ICLR 2020; summed over the network as in Abdelfattah et al., ICLR 2021.
    """

    name = "fisher"
    version = 2
    needs = Needs.GRADIENTS
    summary = "Fisher information of the layers' activations (Turner et al., ICLR 2020)"
    reads = (ActivationGradients,)

    def __init__(self, weighting: str = "none") -> None:
        if weighting not in ("none", "fan_in"):
            raise ValueError(f"weighting: got {weighting!r}, expected none or fan_in")
        self.weighting = weighting

    def read(self, readings: Readings) -> ProxyScore:
        """The sum over layers."""
        layers, felt = readings.subject.outputs, readings[ActivationGradients]
        empty = "no layer's output has a path to the loss"
        terms = [felt.term(layer) for layer in layers]
        if self.weighting == "fan_in":
            terms = [None if t is None else t * layer.fan_in for t, layer in zip(terms, layers, strict=True)]
        return sum_of_terms(layers, terms, empty=empty)
