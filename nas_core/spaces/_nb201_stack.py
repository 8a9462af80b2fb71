"""Many NAS-Bench-201 networks in one pass: grouped convolutions, one group a network. Needs torch.

Small networks leave a CPU idle between tiny operations; side by side their arithmetic fills it. Every network has the
weights that `NasBench201.build` draws after `torch.manual_seed`, and the outputs it would have alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas_core.spaces._nb201_cell import CONV1, CONV3, EDGES, NONE, POOL, live_edges
from nas_core.spaces.parts import Architecture

_KERNELS = {CONV1: 1, CONV3: 3}
_DENSE_POOLING = 256
"""Largest map, in positions, that is pooled by a matrix."""


@dataclass(frozen=True)
class StackedWeight:
    """One layer's weight in every network that has the layer alive.

    `tensor` holds them one after another, (networks * outputs, inputs, height, width) or (networks, outputs, inputs);
    `members` are the numbers of those networks in the stack.
    """

    layer: str
    tensor: Tensor
    members: tuple[int, ...]


class Stack:
    """Networks of the cells `archs` side by side; `seeds` give each its weights.

    `weights` are the leaves to differentiate by; `layers[k]` describes network k as (name, kind, shape, weights) in
    definition order, layers without a live path included. Networks without any live path are not run.
    """

    def __init__(
        self,
        archs: Sequence[Architecture],
        *,
        seeds: Sequence[int],
        image_channels: int,
        classes: int,
        channels: int,
        cells: int,
    ) -> None:
        everything = np.asarray(archs, dtype=np.int64).reshape(-1, 6)
        self._numbers = np.flatnonzero(live_edges(everything).any(axis=1)).tolist()
        table = everything[self._numbers]
        live = live_edges(table)
        self._count, self._cells, self._channels, self._classes = len(table), cells, channels, classes
        self._image_channels = image_channels
        # Networks by edge and operation, over live edges only: what is dead reaches neither loss nor gradient.
        self._groups = {
            (edge, operation): np.flatnonzero((table[:, edge] == operation) & live[:, edge]).tolist()
            for edge in range(6)
            for operation in range(1, 5)
        }
        self._index = {
            group: torch.tensor(members) for group, members in self._groups.items() if 0 < len(members) < self._count
        }
        shapes = [self._shapes(row) for row in everything]
        self.layers = [[_described(*layer) for layer in own] for own in shapes]
        self._draw(live, [shapes[k] for k in self._numbers], [seeds[k] for k in self._numbers])

    def _shapes(self, row: np.ndarray) -> list[tuple[str, tuple[int, ...]]]:
        """Name and weight shape of every layer of one network, in definition order."""
        width = self._channels
        found: list[tuple[str, tuple[int, ...]]] = [("stem.0", (width, self._image_channels, 3, 3))]
        block = 0
        for stage in range(3):
            if stage:
                narrow, width = width, 2 * width
                found += [
                    (f"blocks.{block}.first.1", (width, narrow, 3, 3)),
                    (f"blocks.{block}.second.1", (width, width, 3, 3)),
                    (f"blocks.{block}.shortcut.1", (width, narrow, 1, 1)),
                ]
                block += 1
            for _ in range(self._cells):
                for edge, operation in enumerate(row):
                    if operation in _KERNELS:
                        kernel = _KERNELS[int(operation)]
                        found.append((f"blocks.{block}.edges.{edge}.1", (width, width, kernel, kernel)))
                block += 1
        return [*found, ("classifier", (self._classes, width))]

    def _draw(
        self,
        live: np.ndarray,
        shapes: Sequence[Sequence[tuple[str, tuple[int, ...]]]],
        seeds: Sequence[int],
    ) -> None:
        """Draw every network's weights in definition order, each from its own generator, into the stacked tensors."""
        alive: dict[tuple[str, tuple[int, ...]], list[int]] = {}
        for k, own in enumerate(shapes):
            for name, shape in own:
                if ".edges." not in name or live[k, int(name.split(".")[3])]:
                    alive.setdefault((name, shape), []).append(k)
        stacked = {key: torch.empty(len(members), *key[1]) for key, members in alive.items()}
        place = {key: {k: slot for slot, k in enumerate(members)} for key, members in alive.items()}
        self._bias = torch.empty(self._count, self._classes)
        for k, (own, seed) in enumerate(zip(shapes, seeds, strict=True)):
            generator = torch.Generator().manual_seed(seed)
            for name, shape in own:
                slot = place.get((name, shape), {}).get(k)
                target = torch.empty(shape) if slot is None else stacked[name, shape][slot]
                if len(shape) == 4:
                    target.normal_(0, math.sqrt(2 / math.prod(shape[1:])), generator=generator)
                else:
                    bound = 1 / math.sqrt(shape[1])
                    target.uniform_(-bound, bound, generator=generator)
                    self._bias[k].uniform_(-bound, bound, generator=generator)
        self.weights = [
            StackedWeight(
                name,
                (tensor if len(shape) == 2 else tensor.flatten(0, 1)).requires_grad_(),
                tuple(self._numbers[k] for k in alive[name, shape]),
            )
            for (name, shape), tensor in stacked.items()
        ]
        self._weight = {
            (weight.layer, 0 if weight.layer == "classifier" else weight.tensor.shape[-1]): weight.tensor
            for weight in self.weights
        }

    def __call__(self, images: Tensor) -> Tensor:
        """Logits (networks with a live path, b, classes) of images (b, channels, height, width); train mode."""
        features = _normalised(functional.conv2d(images, self._weight["stem.0", 3], padding=1))
        block = 0
        for stage in range(3):
            if stage:
                features = self._reduction(features, f"blocks.{block}")
                block += 1
            for _ in range(self._cells):
                features = self._cell(features, f"blocks.{block}")
                block += 1
        pooled = functional.relu(_normalised(features)).mean(dim=(2, 3)).view(len(images), self._count, -1)
        weight = self._weight["classifier", 0]
        return torch.baddbmm(self._bias[:, None, :], pooled.transpose(0, 1), weight.transpose(1, 2))

    def _reduction(self, features: Tensor, name: str) -> Tensor:
        def convolved(inputs: Tensor, part: str, kernel: int, stride: int = 1) -> Tensor:
            weight = self._weight[f"{name}.{part}.1", kernel]
            return functional.conv2d(inputs, weight, stride=stride, padding=kernel // 2, groups=self._count)

        first = _normalised(convolved(functional.relu(features), "first", 3, 2))
        second = _normalised(convolved(functional.relu(first), "second", 3))
        return convolved(functional.avg_pool2d(features, 2, 2, ceil_mode=True), "shortcut", 1) + second

    def _cell(self, features: Tensor, name: str) -> Tensor:
        batch, width, *pixels = features.shape
        size = (batch, self._count, width // self._count, *pixels)
        nodes: list[Tensor | None] = [features, None, None, None]
        for target in (1, 2, 3):
            received: Tensor | None = None
            # Added up in the order of the edges, in every network alike: no score depends on its neighbours.
            for edge, (source, node) in enumerate(EDGES):
                for operation in range(NONE + 1, POOL + 1) if node == target else ():
                    members = self._groups[edge, operation]
                    if not members:
                        continue
                    origin = nodes[source]
                    assert origin is not None  # a live edge has a source that receives something
                    if received is None:
                        received = features.new_zeros(size)
                    layer = f"{name}.edges.{edge}.1"
                    if len(members) == self._count:
                        received.add_(self._operation(origin, operation, layer, self._count).view(size))
                        continue
                    index = self._index[edge, operation]
                    origin = origin.view(size).index_select(1, index).flatten(1, 2)
                    value = self._operation(origin, operation, layer, len(members))
                    received.index_add_(1, index, value.view(batch, len(members), *size[2:]))
            nodes[target] = None if received is None else received.flatten(1, 2)
        assert nodes[3] is not None
        return nodes[3]

    def _operation(self, features: Tensor, operation: int, layer: str, groups: int) -> Tensor:
        if operation == POOL:
            return _pooled(features)
        if operation not in _KERNELS:
            return features
        kernel = _KERNELS[operation]
        weight = self._weight[layer, kernel]
        return _normalised(functional.conv2d(functional.relu(features), weight, padding=kernel // 2, groups=groups))


def _described(name: str, shape: tuple[int, ...]) -> tuple[str, str, str, int]:
    return name, "Linear" if len(shape) == 2 else "Conv2d", "x".join(map(str, shape)), math.prod(shape)


def _pooled(features: Tensor) -> Tensor:
    """Average of 3 x 3 without the padding; on small maps one matrix product, a third of the time."""
    height, width = features.shape[2:]
    if height * width > _DENSE_POOLING:
        return functional.avg_pool2d(features, 3, stride=1, padding=1, count_include_pad=False)
    return (features.reshape(-1, height * width) @ _pooling_matrix(height, width)).view(features.shape)


@functools.lru_cache(maxsize=8)
def _pooling_matrix(height: int, width: int) -> Tensor:
    points = torch.eye(height * width).view(height * width, 1, height, width)
    averages = functional.avg_pool2d(points, 3, stride=1, padding=1, count_include_pad=False)
    return averages.view(height * width, height * width)


def _normalised(features: Tensor) -> Tensor:
    """Batch norm in train mode with the weight 1 and bias 0 of a fresh network."""
    return functional.batch_norm(features, None, None, training=True)
