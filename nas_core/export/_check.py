"""Whether two networks are one: the same keys, and the same outputs on drawn weights and images. Needs torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_core.spaces import ImageShape

TOLERANCE = 1e-4
"""Largest difference that passes, as a share of the largest output: float32 rounding, and no more."""


def draw_statistics(model: nn.Module, batch: Tensor) -> None:
    """Give every batch normalisation a drawn scale and shift, and as its statistics those of `batch`.

    The statistics are none that a fresh network has, and under them the outputs depend on the images: whatever an
    export leaves out shows.
    """
    generator = torch.Generator().manual_seed(0)
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    kept = [module.momentum for module in norms]
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # the plain average, which after one batch is that batch
        if module.affine:
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.uniform_(-0.5, 0.5, generator=generator)
    _outputs(model, batch, training=True)
    for module, momentum in zip(norms, kept, strict=True):
        module.momentum = momentum


def images(shape: ImageShape, count: int, seed: int = 0) -> Tensor:
    """Random images `(count, channels, height, width)`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, shape.channels, shape.height, shape.width, generator=generator)


def difference(expected: Tensor, found: Tensor, what: str) -> float:
    """The largest absolute difference.

    Raises:
        ValueError: it exceeds the tolerance, or is no number; `what` begins the message.
    """
    if expected.shape != found.shape:
        raise ValueError(f"{what} has outputs {tuple(found.shape)}, expected {tuple(expected.shape)}")
    largest = float((expected - found).abs().max())
    scale = float(expected.abs().max()) or 1.0
    if not largest <= TOLERANCE * scale:
        raise ValueError(
            f"{what} differs from the model by up to {largest:.2g}, outputs being up to {scale:.2g}; not written"
        )
    return largest


def same_network(own: nn.Module, other: nn.Module, shape: ImageShape, what: str) -> None:
    """Check keys and shapes, and outputs in eval and in training mode; `own` keeps its weights.

    Raises:
        ValueError: the networks differ; `what` begins the message.
    """
    expected = {key: value.shape for key, value in own.state_dict().items()}
    if list(expected.items()) != [(key, value.shape) for key, value in other.state_dict().items()]:
        raise ValueError(f"{what} has other weights than the model; not written")
    kept = {key: value.clone() for key, value in own.state_dict().items()}
    try:
        batch = images(shape, 3)
        draw_statistics(own, batch)
        other.load_state_dict(own.state_dict())
        for training in (False, True):
            difference(_outputs(own, batch, training), _outputs(other, batch, training), what)
    finally:
        own.load_state_dict(kept)
        own.eval()


def _outputs(model: nn.Module, batch: Tensor, training: bool) -> Tensor:
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return model.train(training)(batch)
