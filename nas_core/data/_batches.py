"""From images to the batches that a score runs on. Needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas_core.data._sources import ImageData

if TYPE_CHECKING:
    from torch import Tensor


def batches(
    data: ImageData, *, count: int, size: int, channels: int = 3, side: int = 32, seed: int = 0
) -> list[tuple[Tensor, Tensor]]:
    """Draw `count` batches of `size` training images without repeats.

    Images become float32 `(size, channels, side, side)` with zero mean and unit variance over the draw (bilinear
    resize, grey repeated over the channels); labels int64 `(size,)`.

    Raises:
        ValueError: a size below 1, or more images wanted than there are.
    """
    import torch
    from torch.nn import functional

    for name, value in (("batches", count), ("batch size", size), ("image size", side)):
        if value < 1:
            raise ValueError(f"{name}: got {value}, expected at least 1")
    if count * size > len(data.x_train):
        raise ValueError(f"{data.name} has {len(data.x_train)} images; {count} batches of {size} need {count * size}")
    picked = np.random.default_rng(seed).permutation(len(data.x_train))[: count * size]
    images = torch.from_numpy(np.ascontiguousarray(data.x_train[picked])).float()
    images = (images - images.mean()) / images.std().clamp_min(1e-6)
    if images.shape[-2:] != (side, side):
        images = functional.interpolate(images, size=(side, side), mode="bilinear", align_corners=False)
    if images.shape[1] != channels:
        images = images.mean(dim=1, keepdim=True).repeat(1, channels, 1, 1)
    labels = torch.from_numpy(data.y_train[picked])
    return [(images[k : k + size].contiguous(), labels[k : k + size]) for k in range(0, count * size, size)]
