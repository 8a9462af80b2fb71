"""The weights of a model that map features to features, wherever they stand and however they come about.

Convolutions of every dimension, linear layers, the projections of attention, recurrent layers. Embeddings and norms are
none. A weight may be a parameter, or computed for every pass (a parametrization, weight_norm, spectral_norm, pruning).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nas_core.proxies._snapshot import kept

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Layer:
    """One weight: its name in the model, the module and attribute that hold it, and its shape.

    `source` is the module whose output is the layer's own; None where no module returns it (the inner projections of
    attention, recurrent weights).
    """

    name: str
    module: nn.Module
    attribute: str
    shape: tuple[int, ...]
    source: nn.Module | None

    @property
    def kind(self) -> str:
        """The class of the module that holds the weight."""
        from torch.nn.utils import parametrize

        return parametrize.type_before_parametrizations(self.module).__name__

    @property
    def size(self) -> int:
        """Number of weights."""
        size = 1
        for side in self.shape:
            size *= side
        return size

    @property
    def fan_in(self) -> int:
        """Number of weights of an output channel."""
        from torch import nn

        transposed = isinstance(self.module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d)
        return self.size // (self.module.out_channels if transposed else self.shape[0])  # type: ignore[operator]

    @property
    def is_convolution(self) -> bool:
        """Whether it is a convolution, whose output has its channels second."""
        return isinstance(self.module, convolutions())

    @property
    def is_parametrized(self) -> bool:
        """Whether `torch.nn.utils.parametrize` computes it."""
        return self.attribute in getattr(self.module, "parametrizations", ())

    @property
    def is_computed(self) -> bool:
        """Whether it is made anew for every pass, from tensors of its module that have other names."""
        own = self.module
        return self.attribute not in own._parameters and self.attribute not in own._buffers

    @property
    def made_of(self) -> tuple[Tensor, ...]:
        """The tensors that hold it: itself, or those that it is computed from."""
        module: Any = self.module
        if self.is_parametrized:
            return tuple(module.parametrizations[self.attribute].parameters())
        if self.is_computed:
            names = (f"{self.attribute}_{part}" for part in ("orig", "g", "v"))
            return tuple(module._parameters[name] for name in names if name in module._parameters)
        return (getattr(module, self.attribute),)


def convolutions() -> tuple[type[nn.Module], ...]:
    """Every kind of convolution."""
    from torch import nn

    return (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def batch_norms() -> tuple[type[nn.Module], ...]:
    """Every kind of batch norm."""
    from torch import nn

    return (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def weight_names(module: nn.Module) -> tuple[str, ...]:
    """Attributes of `module` that are weights of layers; empty for any other module."""
    from torch import nn

    if isinstance(module, (nn.Linear, *convolutions())):
        return ("weight",)
    if isinstance(module, nn.MultiheadAttention):
        return ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
    if isinstance(module, nn.RNNBase):
        return tuple(name for name in module._flat_weights_names if name.startswith("weight"))
    if isinstance(module, nn.RNNCellBase):
        return ("weight_ih", "weight_hh")
    return ()


def layers_of(model: nn.Module) -> list[Layer]:
    """Every layer of `model` in definition order; layers that share one weight stand there each."""
    from torch import nn

    found, attention = [], {}
    for name, module in model.named_modules():
        if isinstance(module, nn.MultiheadAttention):
            attention[module.out_proj] = module  # it reads the weight of its out_proj without calling it
        for attribute, shape in _shapes(module):
            source = attention.get(module, module if attribute == "weight" else None)
            title = name if attribute == "weight" else ".".join(filter(None, (name, attribute)))
            found.append(Layer(title, module, attribute, shape, source))
    return found


def _shapes(module: nn.Module) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Weights of one module with their shapes, without moving what a computed one may move (power iterations)."""
    import torch

    for attribute in weight_names(module):
        tensor = module._parameters.get(attribute)
        if tensor is None and attribute not in module._parameters:
            with torch.no_grad(), kept(module):
                tensor = getattr(module, attribute, None)
        if tensor is not None:
            yield attribute, tuple(tensor.shape)


def distinct(layers: list[Layer]) -> list[Layer]:
    """The layers without those whose weight an earlier one holds already (tied weights)."""
    found: dict[tuple[int, ...], Layer] = {}
    for layer in layers:
        key = tuple(id(tensor) for tensor in layer.made_of) or (id(layer),)
        found.setdefault(key, layer)
    return list(found.values())
