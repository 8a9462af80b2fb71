"""Features of a network's blocks on Gaussian images, as AZ-NAS reads them: entropies, and gradients across blocks.

Blocks are the children of `model.blocks` where that is an nn.Sequential (as in our NAS-Bench-201 network): the
features are what enters the first of them and what leaves each. Any other model has the outputs of its convolutions,
linear layers and attention for features, in the order of the forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from nas_core.proxies._images import images_first, tensor_of
from nas_core.proxies._passes import Measurement, Pass, Step
from nas_core.proxies._subject import SEED, Subject
from nas_core.proxies._weights import Layer
from nas_core.proxies.base import Needs

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from torch.autograd.graph import GradientEdge
    from torch.utils.hooks import RemovableHandle

NO_FEATURE = "no block or layer returned features"
_LARGE = 2**22
"""Elements of a product of features from which on its norm is found without making it (linear layers on large maps)."""


def feature_hooks(subject: Subject, keep: Callable[[Tensor, int], None]) -> list[RemovableHandle]:
    """Hooks that call `keep` with every feature and the dimension of its channels, first to last."""
    from torch import nn

    blocks = getattr(subject.model, "blocks", None)
    if isinstance(blocks, nn.Sequential) and len(blocks):
        first = blocks[0].register_forward_pre_hook(partial(_enters, keep))
        return [first, *(block.register_forward_hook(partial(_leaves_block, keep)) for block in blocks)]
    return [layer.source.register_forward_hook(partial(_leaves_layer, keep, layer)) for layer in subject.outputs]  # type: ignore[union-attr]


def _enters(keep: Callable[[Tensor, int], None], _module: nn.Module, inputs: tuple[Any, ...]) -> None:
    features = tensor_of(inputs, "what enters the first block")
    keep(features, 1 if features.dim() == 4 else -1)


def _leaves_block(keep: Callable[[Tensor, int], None], _module: nn.Module, _inputs: Any, returned: Any) -> None:
    features = tensor_of(returned, "the output of a block")
    keep(features, 1 if features.dim() == 4 else -1)


def _leaves_layer(
    keep: Callable[[Tensor, int], None], layer: Layer, _module: nn.Module, _inputs: Any, returned: Any
) -> None:
    keep(tensor_of(returned, f"the output of {layer.name}"), 1 if layer.is_convolution else -1)


def positions(features: Tensor, channels: int) -> Tensor:
    """Features with their channels in dimension `channels` as rows (images and positions, c)."""
    channels_last = features.movedim(channels, -1)
    return channels_last.reshape(-1, channels_last.shape[-1])


def entropy(rows: Tensor) -> float:
    """Entropy of the normalised eigenvalues of the covariance of rows (n, c).

    NaN where all are equal, or one holds NaN or infinity.
    """
    import torch

    rows = rows.detach().double()
    if not bool(rows.isfinite().all()):
        return math.nan
    rows = rows - rows.mean(dim=0)
    eigenvalues = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp_(min=0)
    shares = eigenvalues / eigenvalues.sum()
    return float(-torch.xlogy(shares, shares).sum())


class BlockEntropies(Measurement):
    """`entropy` of every feature, first to last."""

    listens = Pass.RANDOM

    def __init__(self) -> None:
        self.entropies: list[float] = []

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return feature_hooks(subject, self._keep)

    def _keep(self, features: Tensor, channels: int) -> None:
        self.entropies.append(entropy(positions(features, channels)))

    def add(self, step: Step) -> None:
        """All is computed by the hooks."""


@dataclass(frozen=True)
class _Feature:
    """A feature as it stood in the pass: its place in the graph, values and dimension of channels."""

    edge: GradientEdge | None
    values: Tensor
    channels: int


class BlockNorms(Measurement):
    """Spectral norms of `g_in^T g_out / positions` across every block, g_out Rademacher; NaN across an identity.

    Pairs of features without a path between them are left out.
    """

    listens = Pass.RANDOM
    needs = Needs.GRADIENTS
    keeps_graph = True

    def __init__(self) -> None:
        self._features: list[_Feature] = []
        self.norms: list[float] = []

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return feature_hooks(subject, self._keep)

    def _keep(self, features: Tensor, channels: int) -> None:
        from torch.autograd.graph import get_gradient_edge

        edge = get_gradient_edge(features) if features.requires_grad else None
        self._features.append(_Feature(edge, features.detach(), channels))

    def add(self, step: Step) -> None:
        import torch

        generator = torch.Generator().manual_seed(SEED)
        for number in range(1, len(self._features)):
            before, after = self._features[number - 1], self._features[number]
            if before.edge is None or after.edge is None:
                continue
            drawn = 2 * torch.randint(2, after.values.shape, generator=generator, device="cpu") - 1
            g_out = torch.empty_like(after.values).copy_(drawn)
            (g_in,) = torch.autograd.grad([after.edge], [before.edge], [g_out], retain_graph=True, allow_unused=True)
            if g_in is not None:
                places = (before.channels, after.channels)
                self.norms.append(spectral_norm(g_in, g_out, places, step.subject.images))
        self._features = []


def spectral_norm(g_in: Tensor, g_out: Tensor, channels: tuple[int, int], images: int) -> float:
    """Of `g_in^T g_out / positions`; a larger map is folded into channels first.

    NaN where both are the same (an identity), or a gradient is NaN.

    Args:
        g_in: gradient by what enters a block.
        g_out: gradient by what leaves it.
        channels: their dimensions of channels.
        images: number of images in the pass.
    """
    import torch
    from torch.nn import functional

    if (g_in.shape == g_out.shape and bool((g_in == g_out).all())) or not bool(g_in.isfinite().all()):
        return math.nan
    maps = g_in.dim() == 4 and g_out.dim() == 4 and channels == (1, 1)
    if maps and g_in.shape[2:] != g_out.shape[2:]:
        height, width = g_out.shape[2:]
        stride = max(1, g_in.shape[2] // height)
        g_in = functional.pixel_unshuffle(g_in[..., : height * stride, : width * stride], stride)
    rows_in, rows_out = positions(g_in, channels[0]), positions(g_out, channels[1])
    if len(rows_in) != len(rows_out):
        rows_in, rows_out = (_row_an_image(gradient, images).flatten(1) for gradient in (g_in, g_out))
    rows_in, rows_out = rows_in.to(_wide(rows_in)), rows_out.to(_wide(rows_in))
    if rows_in.shape[1] * rows_out.shape[1] > _LARGE:
        grams = (rows_in.double() @ rows_in.double().T) @ (rows_out.double() @ rows_out.double().T)
        return float(torch.linalg.eigvals(grams).real.max().sqrt()) / len(rows_out)
    return float(torch.linalg.matrix_norm((rows_in.T @ rows_out / len(rows_out)).double(), ord=2))


def _row_an_image(gradient: Tensor, images: int) -> Tensor:
    second = gradient.dim() == 3 and len(gradient) != images == gradient.shape[1]
    return images_first(gradient.movedim(1, 0) if second else gradient, images, "a feature")


def _wide(tensor: Tensor) -> torch.dtype:
    import torch

    return torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else tensor.dtype
