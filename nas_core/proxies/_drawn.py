"""Own passes with other weights than the model's: standard normal ones. No formula lives here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.proxies._subject import SEED, Subject
from nas_core.proxies._weights import Layer, batch_norms, weight_names

if TYPE_CHECKING:
    from torch import Tensor


def draw_gaussian_weights(subject: Subject) -> None:
    """For the rest of the visit: standard normal weights and no biases for layers, scale 1 and shift 0 for norms.

    Norms are batch norms and GroupNorm; other parameters stay as they are. Weights are drawn layer by layer in
    definition order from one generator of seed `SEED`; a computed weight is drawn, not what it is computed from.
    """
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(SEED)
    own: dict[int, Tensor] = {}
    computed: dict[Layer, Tensor] = {}
    for layer in subject.layers:
        normal = torch.randn(layer.shape, generator=generator, dtype=torch.float32, device="cpu")
        if layer.is_computed:
            computed[layer] = normal
        else:
            (weight,) = layer.made_of
            own[id(weight)] = torch.empty_like(weight.detach()).copy_(normal)
    norms = (*batch_norms(), nn.GroupNorm)
    for module in subject.model.modules():
        is_norm = isinstance(module, norms)
        for name, parameter in module._parameters.items():
            if parameter is None or not (is_norm or weight_names(module)):
                continue
            if "bias" in name:
                own[id(parameter)] = torch.zeros_like(parameter.detach())
            elif is_norm:
                own[id(parameter)] = torch.ones_like(parameter.detach())

    def stand_in(layer: Layer, weight: Tensor) -> Tensor:
        return torch.empty_like(weight.detach()).copy_(computed[layer]) if layer in computed else weight

    subject.replace(own, stand_in)
