"""Templates to begin with."""

from __future__ import annotations

from collections.abc import Callable

from nas_core.spaces._template_document import Block, Layer, Template

_DOWN = 2


def three_convolutions() -> Template:
    """Seven layers, in each a 1 x 1, a 3 x 3 and a 5 x 5 convolution; the third and fifth halve the image."""
    layers = []
    for number, filters in enumerate((8, 8, 16, 16, 32, 32, 32), start=1):
        stride = _DOWN if number in (3, 5) else 1
        layers.append(Layer(tuple(Block("conv", filters, kernel, stride) for kernel in (1, 3, 5))))
    return Template("3-conv-7-layer", tuple(layers))


def vgg() -> Template:
    """Plain stacks of convolutions with pooling between them, as VGG has them, each with a cheaper rival."""
    layers: list[Layer] = []
    for filters in (16, 32):
        for _ in range(2):
            layers.append(Layer((Block("conv", filters, 3), Block("separable_conv", filters, 3))))
        layers.append(Layer((Block("max_pool", kernel=2, stride=2), Block("avg_pool", kernel=2, stride=2))))
    return Template("VGG-like", (*layers, Layer((Block("dense", 64),))))


def residual() -> Template:
    """Convolutions beside an identity: where both are kept, a residual block as in ResNet."""
    layers = [Layer((Block("conv", 16, 3),))]
    for filters in (16, 32):
        if filters > 16:
            layers.append(Layer((Block("conv", filters, 3, _DOWN), Block("conv", filters, 1, _DOWN))))
        layers += [Layer((Block("conv", filters, 3), Block("identity"), Block("conv", filters, 1)))] * 2
    return Template("Residual", tuple(layers))


def dense_block() -> Template:
    """Every layer adds channels to those before it, as DenseNet does: a convolution concatenated to an identity."""
    first = Layer((Block("conv", 16, 3),))
    growing = Layer((Block("identity"), Block("conv", 8, 3), Block("conv", 8, 5)), "concat")
    narrowing = Layer((Block("conv", 16, 1, _DOWN), Block("conv", 16, 3, _DOWN)))
    return Template("Dense block", (first, growing, growing, narrowing, growing, growing))


def empty() -> Template:
    """One layer with one convolution, to build from."""
    return Template("My template", (Layer((Block("conv", 8, 3),)),))


PRESETS: dict[str, Callable[[], Template]] = {
    "3-conv-7-layer": three_convolutions,
    "VGG-like": vgg,
    "Residual": residual,
    "Dense block": dense_block,
    "Empty": empty,
}
"""Presets by name."""
