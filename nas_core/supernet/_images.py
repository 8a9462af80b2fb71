"""The images a supernet trains on, is re-calibrated with and is ranked on. Needs torch."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas_core import data
from nas_core.supernet._settings import SupernetSettings

_AHEAD = 64
"""Steps whose cuts are drawn together."""


@dataclass(frozen=True)
class Images:
    """Training part and held-out part, normalised by the training part's mean and deviation a channel.

    `padded` float32 (n, height + 2 shift, width + 2 shift, channels); `held_out` float32 (m, channels, height, width);
    labels int64 (n,) and (m,). `size` in pixels. The test images of the data set are not touched.
    """

    padded: Tensor
    labels: Tensor
    held_out: Tensor
    held_out_labels: Tensor
    size: int
    shift: int
    flip: bool
    classes: int

    @property
    def channels(self) -> int:
        """Channels of an image: 1 or 3."""
        return self.padded.shape[3]

    def batches(self, batch_size: int) -> int:
        """Whole batches an epoch."""
        return max(1, len(self.labels) // batch_size)

    def batch(self, step: int, batch_size: int, seed: int) -> tuple[Tensor, Tensor]:
        """Augmented batch number `step` since the start: images (b, channels, height, width) and labels (b,).

        Depends on nothing but its arguments, so a resumed training meets the batches of an undisturbed one.
        """
        epoch, position = divmod(step, self.batches(batch_size))
        order = _order(len(self.labels), seed, epoch)
        picked = order[position * batch_size : (position + 1) * batch_size]
        ahead, at = divmod(step, _AHEAD)
        rows, columns = _cuts(len(picked), self.size, self.shift, self.flip, seed, ahead)[at]
        rows = picked[:, None] * self.padded.shape[1] + rows
        pixels = rows[:, :, None] * self.padded.shape[2] + columns[:, None, :]
        crop = self.padded.flatten(0, 2).index_select(0, torch.from_numpy(pixels.ravel()))
        images = crop.view(len(picked), self.size, self.size, self.channels).permute(0, 3, 1, 2)
        return images, self.labels.index_select(0, torch.from_numpy(picked))

    def calibration(self, count: int, size: int, seed: int) -> list[Tensor]:
        """`count` batches of `size` training images as they are, for the statistics of batch normalisation."""
        order = np.random.default_rng((seed, 2)).permutation(len(self.labels))[: count * size]
        inner = slice(self.shift, self.shift + self.size)
        whole = self.padded[torch.from_numpy(order), inner, inner].permute(0, 3, 1, 2)
        return [whole[k : k + size] for k in range(0, len(whole), size)]


@functools.lru_cache(maxsize=2)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    """In which order an epoch meets `count` images; to be read only."""
    return np.random.default_rng((seed, 0, epoch)).permutation(count)


@functools.lru_cache(maxsize=2)
def _cuts(count: int, size: int, shift: int, flip: bool, seed: int, ahead: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows and columns that are cut out of the `count` padded images of a batch: each (count, size).

    Of all steps from `ahead * _AHEAD` on: made between two steps, a generator takes longer than a layer.
    """
    along, cuts = np.arange(size), []
    for step in range(ahead * _AHEAD, (ahead + 1) * _AHEAD):
        rng = np.random.default_rng((seed, 1, step))
        down, right = rng.integers(0, 2 * shift + 1, size=(2, count, 1))
        columns = right + along
        if flip:
            columns = np.where(rng.random((count, 1)) < 0.5, right + along[::-1], columns)
        cuts.append((down + along, columns))
    return cuts


def load_images(settings: SupernetSettings) -> Images:
    """Load and resize what `settings` name, and hold a part out.

    Raises:
        ValueError: unreadable data, or too few images for a batch or a held-out part.
    """
    found = data.load(settings.data, seed=settings.seed)
    order = np.random.default_rng((settings.seed, 3)).permutation(len(found.x_train))
    kept = round(len(order) * settings.held_out)
    if kept < 1 or len(order) - kept < settings.batch_size:
        raise ValueError(
            f"{found.name} has {len(order)} training images; {settings.held_out:g} of them held out and a batch of "
            f"{settings.batch_size} need more"
        )
    images = torch.from_numpy(np.ascontiguousarray(found.x_train[order])).float()
    if images.shape[-2:] != (settings.image_size, settings.image_size):
        side = (settings.image_size, settings.image_size)
        images = functional.interpolate(images, size=side, mode="bilinear", align_corners=False, antialias=True)
    deviation, mean = torch.std_mean(images[kept:], dim=(0, 2, 3), keepdim=True)
    images = (images - mean) / deviation.clamp_min(1e-6)
    labels = torch.from_numpy(found.y_train[order])
    padded = functional.pad(images[kept:], (settings.shift,) * 4)
    return Images(
        padded=padded.permute(0, 2, 3, 1).contiguous(),
        labels=labels[kept:],
        held_out=images[:kept].contiguous(memory_format=torch.channels_last),
        held_out_labels=labels[:kept],
        size=settings.image_size,
        shift=settings.shift,
        flip=images.shape[1] == 3 if settings.flip is None else settings.flip,
        classes=found.classes,
    )
