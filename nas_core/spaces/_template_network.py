"""Networks of a template: one alone, and all of them on shared weights. Needs torch."""

from __future__ import annotations

import math
from typing import cast

from torch import Tensor, nn

from nas_core.spaces._template_document import Block, Shape, Skeleton, output
from nas_core.spaces.parts import Architecture

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


class PaddedChannels(nn.Module):
    """Features at their place among the channels of a concatenation, zeros around them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before, self.after = before, after

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.pad(features, (0, 0, 0, 0, self.before, self.after))


class PaddedFeatures(PaddedChannels):
    """The same for vectors of features."""

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.pad(features, (self.before, self.after))


class ParallelBlocks(nn.Module):
    """A layer: the sum of its blocks."""

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, features: Tensor) -> Tensor:
        total = self.blocks[0](features)
        for block in list(self.blocks)[1:]:
            total = total + block(features)
        return total


def block_module(block: Block, shape: Shape) -> nn.Sequential:
    """The module of a block that `shape` goes into."""
    parts: list[nn.Module] = []
    if block.kind == "dense":
        parts += [nn.Flatten(), nn.Linear(math.prod(shape), block.filters)]
    elif block.kind in ("max_pool", "avg_pool"):
        padding = block.kernel // 2 if block.kernel % 2 else 0
        pool = nn.MaxPool2d if block.kind == "max_pool" else nn.AvgPool2d
        parts.append(pool(block.kernel, stride=block.stride, padding=padding))
    elif block.kind != "identity":
        parts += _convolution(block, shape[0])
        if block.norm == "batch":
            parts.append(nn.BatchNorm2d(block.filters))
    if block.kind in ("dense", "conv", "separable_conv") and block.activation != "none":
        parts.append(_ACTIVATIONS[block.activation]())
    return nn.Sequential(*(parts or [nn.Identity()]))


def _convolution(block: Block, inputs: int) -> list[nn.Module]:
    bias, padding = block.norm != "batch", block.kernel // 2
    if block.kind == "conv":
        return [nn.Conv2d(inputs, block.filters, block.kernel, stride=block.stride, padding=padding, bias=bias)]
    return [
        nn.Conv2d(inputs, inputs, block.kernel, stride=block.stride, padding=padding, groups=inputs, bias=False),
        nn.Conv2d(inputs, block.filters, 1, bias=bias),
    ]


def _layer_modules(skeleton: Skeleton, number: int) -> list[nn.Sequential]:
    """Modules of all blocks of a layer, each with its place where the layer concatenates."""
    layer, shape = skeleton.layers[number], skeleton.entering[number]
    modules = [block_module(block, shape) for block in layer.blocks]
    if layer.merge == "concat" and len(modules) > 1:
        widths = [output(block, shape)[0] for block in layer.blocks]
        place = PaddedChannels if len(skeleton.entering[number + 1]) == 3 else PaddedFeatures
        for k, module in enumerate(modules):
            module.append(place(sum(widths[:k]), sum(widths[k + 1 :])))
    return modules


def _head(shape: Shape, classes: int) -> nn.Sequential:
    pooling: list[nn.Module] = [nn.AdaptiveAvgPool2d(1), nn.Flatten()] if len(shape) == 3 else []
    return nn.Sequential(*pooling, nn.Linear(shape[0], classes))


class Network(nn.Module):
    """One network of the template: the blocks kept, and a linear head."""

    def __init__(self, skeleton: Skeleton, arch: Architecture, *, classes: int) -> None:
        super().__init__()
        layers = []
        for number, members in enumerate(skeleton.members):
            modules = _layer_modules(skeleton, number)
            layers.append(ParallelBlocks([m for m, d in zip(modules, members, strict=True) if arch[d]]))
        self.layers = nn.Sequential(*layers)
        self.head = _head(skeleton.entering[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.layers(images))


class SharedNetwork(nn.Module):
    """All blocks of the template; a path runs those it keeps and no others."""

    def __init__(self, skeleton: Skeleton, *, classes: int) -> None:
        super().__init__()
        self._groups = skeleton.members
        self.layers = nn.ModuleList(
            nn.ModuleList(_layer_modules(skeleton, number)) for number in range(len(skeleton.members))
        )
        self.head = _head(skeleton.entering[-1], classes)

    def forward(self, images: Tensor, arch: Architecture) -> Tensor:
        features = images
        for blocks, members in zip(self.layers, self._groups, strict=True):
            kept = [block for block, d in zip(cast(nn.ModuleList, blocks), members, strict=True) if arch[d]]
            total = kept[0](features)
            for block in kept[1:]:
                total = total + block(features)
            features = total
        return self.head(features)

    def weights_of(self, decision: int, choice: int) -> list[nn.Parameter]:
        """The weights of the block that the decision keeps; none where it leaves it out."""
        if not choice:
            return []
        modules = [block for blocks in self.layers for block in cast(nn.ModuleList, blocks)]
        return list(modules[decision].parameters())
