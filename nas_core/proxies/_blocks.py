"""Features of a network's blocks on Gaussian images, as AZ-NAS reads them: entropies, and gradients across blocks.

Blocks are the children of `model.blocks` where that is an nn.Sequential (as in our NAS-Bench-201 network): the
features are what enters the first of them and what leaves each. Any other model has the outputs of its weighted
layers for features, in the order of the forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from nas_core.proxies._passes import Measurement, Pass, Step, Subject
from nas_core.proxies.base import SEED, Needs

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.autograd.graph import GradientEdge
    from torch.utils.hooks import RemovableHandle


def feature_hooks(subject: Subject, keep: Callable[[Tensor], None]) -> list[RemovableHandle]:
    """Hooks that call `keep` with every feature, first to last."""
    from torch import nn

    def leaves(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        keep(output)

    def enters(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        keep(inputs[0])

    blocks = getattr(subject.model, "blocks", None)
    if isinstance(blocks, nn.Sequential) and len(blocks):
        return [blocks[0].register_forward_pre_hook(enters), *(b.register_forward_hook(leaves) for b in blocks)]
    return [module.register_forward_hook(leaves) for _, module in subject.layers]


def positions(features: Tensor) -> Tensor:
    """Features (b, c, h, w) as rows (b h w, c); whatever has its channels last as (rows, c)."""
    channels_last = features.movedim(1, -1) if features.dim() == 4 else features
    return channels_last.reshape(-1, channels_last.shape[-1])


def entropy(features: Tensor) -> float:
    """Entropy of the normalised eigenvalues of the channels' covariance; NaN where all features are equal."""
    import torch

    rows = positions(features.detach()).double()
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
        return feature_hooks(subject, lambda features: self.entropies.append(entropy(features)))

    def add(self, step: Step) -> None:
        """All is computed by the hooks."""


class BlockNorms(Measurement):
    """Spectral norms of `g_in^T g_out / positions` across every block, g_out Rademacher; NaN across an identity.

    Pairs of features without a path between them are left out.
    """

    listens = Pass.RANDOM
    needs = Needs.GRADIENTS
    keeps_graph = True

    def __init__(self) -> None:
        self._features: list[tuple[GradientEdge | None, Tensor]] = []
        self.norms: list[float] = []

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return feature_hooks(subject, self._keep)

    def _keep(self, features: Tensor) -> None:
        from torch.autograd.graph import get_gradient_edge

        edge = get_gradient_edge(features) if features.requires_grad else None
        self._features.append((edge, features.detach()))

    def add(self, step: Step) -> None:
        import torch

        generator = torch.Generator().manual_seed(SEED)
        for number in range(1, len(self._features)):
            (edge_in, _), (edge_out, features) = self._features[number - 1], self._features[number]
            if edge_in is None or edge_out is None:
                continue
            g_out = torch.empty_like(features).copy_(2 * torch.randint(2, features.shape, generator=generator) - 1)
            (g_in,) = torch.autograd.grad([edge_out], [edge_in], [g_out], retain_graph=True, allow_unused=True)
            if g_in is not None:
                self.norms.append(spectral_norm(g_in, g_out))
        self._features = []


def spectral_norm(g_in: Tensor, g_out: Tensor) -> float:
    """Of `g_in^T g_out / positions`; a larger map is folded into channels first. NaN where both are the same."""
    import torch
    from torch.nn import functional

    if g_in.shape == g_out.shape and bool((g_in == g_out).all()):
        return math.nan
    if g_in.dim() == 4 and g_out.dim() == 4 and g_in.shape[2:] != g_out.shape[2:]:
        height, width = g_out.shape[2:]
        stride = max(1, g_in.shape[2] // height)
        g_in = functional.pixel_unshuffle(g_in[..., : height * stride, : width * stride], stride)
    rows_in, rows_out = positions(g_in), positions(g_out)
    if len(rows_in) != len(rows_out):
        rows_in, rows_out = g_in.flatten(1), g_out.flatten(1)
    return float(torch.linalg.matrix_norm((rows_in.T @ rows_out / len(rows_out)).double(), ord=2))
