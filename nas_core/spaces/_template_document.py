"""Templates as documents: layers of parallel blocks, their properties, the shapes they give. No space, no torch here.

Source of the workflow: NAS-Navigator (IEEE VIS 2022), whose Lego view builds such templates.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from nas_core.spaces.parts import ImageShape

FORMAT = "nas-helm-template/1"
MERGES = ("sum", "concat")
NORMS = ("batch", "none")
ACTIVATIONS = ("relu", "gelu", "silu", "none")
MOST_LAYERS = 24
MOST_BLOCKS = 8
_CONVOLUTION = ("filters", "kernel", "stride", "norm", "activation")
PROPERTIES: dict[str, tuple[str, ...]] = {
    "conv": _CONVOLUTION,
    "separable_conv": _CONVOLUTION,
    "max_pool": ("kernel", "stride"),
    "avg_pool": ("kernel", "stride"),
    "identity": (),
    "dense": ("filters", "activation"),
}
"""Kinds of blocks, and the properties that each has."""
KERNELS = {"conv": (1, 3, 5, 7), "separable_conv": (1, 3, 5, 7), "max_pool": (2, 3, 5), "avg_pool": (2, 3, 5)}
STRIDES = (1, 2)
MOST_FILTERS = 1024

Shape = tuple[int, ...]
"""Channels, height, width of a feature map, or the features of a vector."""


@dataclass(frozen=True)
class Block:
    """One block of a layer; what its kind does not have is ignored."""

    kind: str = "conv"
    filters: int = 16
    kernel: int = 3
    stride: int = 1
    norm: str = "batch"
    activation: str = "relu"

    @property
    def label(self) -> str:
        """A short name: `conv 3×3 16`."""
        has = PROPERTIES[self.kind]
        parts = [self.kind.replace("_", " ")]
        if "kernel" in has:
            parts.append(f"{self.kernel}×{self.kernel}")
        if "filters" in has:
            parts.append(str(self.filters))
        if self.stride > 1 and "stride" in has:
            parts.append(f"/{self.stride}")
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form: the kind and the properties it has."""
        return {"kind": self.kind, **{name: getattr(self, name) for name in PROPERTIES[self.kind]}}


@dataclass(frozen=True)
class Layer:
    """Parallel blocks, and how those kept are merged: summed, or one behind the other in the channels."""

    blocks: tuple[Block, ...] = (Block(),)
    merge: str = "sum"


@dataclass(frozen=True)
class Template:
    """Layers from left to right, for images of a size in pixels."""

    name: str = "template"
    layers: tuple[Layer, ...] = (Layer(),)
    image: ImageShape = field(default_factory=lambda: ImageShape(1, 8, 8))

    def to_dict(self) -> dict[str, Any]:
        """The document; `read` reads it back."""
        return {
            "format": FORMAT,
            "name": self.name,
            "image": asdict(self.image),
            "layers": [
                {"merge": layer.merge, "blocks": [block.to_dict() for block in layer.blocks]} for layer in self.layers
            ],
        }

    @property
    def digest(self) -> str:
        """Names what is built: equal for equal layers and images, whatever the template is called."""
        document = self.to_dict()
        image = [] if document["image"] == _IMAGE else [document["image"]]  # names from before images counted stay
        content = json.dumps(document["layers"] + image, sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=6).hexdigest()


def read(document: Mapping[str, Any]) -> Template:
    """The template in a document.

    Raises:
        ValueError: no template, or a value out of place; the message names layer, block and property.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise ValueError(f"no template: expected a JSON object with format {FORMAT!r}, as the Template page saves it")
    layers = document.get("layers")
    if not isinstance(layers, list) or not 1 <= len(layers) <= MOST_LAYERS:
        raise ValueError(f"a template has 1 to {MOST_LAYERS} layers; found {_amount(layers)}")
    image = document.get("image") or {}
    if not isinstance(image, Mapping):
        raise ValueError(f"image is {image!r}; expected an object with {', '.join(_IMAGE)}")
    sides = [_whole(image.get(name, default), f"image {name}", 1, 1024) for name, default in _IMAGE.items()]
    return Template(
        str(document.get("name") or "template")[:60],
        tuple(_layer(layer, number) for number, layer in enumerate(layers, start=1)),
        ImageShape(*sides),
    )


_IMAGE = {"channels": 1, "height": 8, "width": 8}


def _layer(layer: Any, number: int) -> Layer:
    where = f"layer {number}"
    blocks = layer.get("blocks") if isinstance(layer, Mapping) else None
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= MOST_BLOCKS:
        raise ValueError(f"{where} has {_amount(blocks)} blocks; expected 1 to {MOST_BLOCKS}")
    merge = _one_of(layer.get("merge", "sum"), f"{where} merge", MERGES)
    return Layer(tuple(_block(block, f"{where} block {k}") for k, block in enumerate(blocks, start=1)), merge)


def _block(block: Any, where: str) -> Block:
    if not isinstance(block, Mapping):
        raise ValueError(f"{where} is {block!r}; expected an object with a kind")
    kind = _one_of(block.get("kind"), f"{where} kind", tuple(PROPERTIES))
    default = Block(kind)
    values: dict[str, Any] = {}
    for name in PROPERTIES[kind]:
        value = block.get(name, getattr(default, name))
        if name == "filters":
            values[name] = _whole(value, f"{where} filters", 1, MOST_FILTERS)
        else:
            values[name] = _one_of(value, f"{where} {name}", allowed(kind, name))
    return Block(kind, **values)


def allowed(kind: str, name: str) -> tuple[Any, ...]:
    """The values that a property other than filters may have."""
    options: dict[str, tuple[Any, ...]] = {"stride": STRIDES, "norm": NORMS, "activation": ACTIVATIONS}
    return KERNELS[kind] if name == "kernel" else options[name]


def _one_of(value: Any, what: str, options: Sequence[Any]) -> Any:
    if value not in options or isinstance(value, bool):
        raise ValueError(f"{what} is {value!r}; expected one of: {', '.join(map(str, options))}")
    return value


def _whole(value: Any, what: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{what} is {value!r}; expected a whole number from {least} to {most}")
    return value


def _amount(found: Any) -> str:
    return str(len(found)) if isinstance(found, list) else "none"


@dataclass(frozen=True)
class Shapes:
    """Shapes along a template: what goes into every layer and, last, out of it; problems by (layer, block)."""

    entering: tuple[Shape, ...]
    problems: Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class Skeleton:
    """What networks of a template are made of: layers, the decisions of each, shapes into each and, last, out."""

    layers: tuple[Layer, ...]
    members: tuple[tuple[int, ...], ...]
    entering: tuple[Shape, ...]


def shapes(template: Template) -> Shapes:
    """Walk the template for its image; a problem stands at the block that has it, and the walk goes on without it."""
    entering: list[Shape] = [(template.image.channels, template.image.height, template.image.width)]
    problems: dict[tuple[int, int], str] = {}
    for number, layer in enumerate(template.layers):
        found: list[Shape | None] = []
        for position, block in enumerate(layer.blocks):
            try:
                found.append(output(block, entering[-1]))
            except ValueError as error:
                problems[number, position] = str(error)
                found.append(None)
        entering.append(_merged(layer, number, found, entering[-1], problems))
    return Shapes(tuple(entering), problems)


def output(block: Block, shape: Shape) -> Shape:
    """What a block makes of `shape`.

    Raises:
        ValueError: it cannot stand there; the message says why.
    """
    if block.kind == "identity":
        return shape
    if block.kind == "dense":
        return (block.filters,)
    if len(shape) != 3:
        raise ValueError(f"needs an image, but {text(shape)} come in: a dense layer stands before")
    channels, *sides = shape
    padding = block.kernel // 2 if block.kernel % 2 else 0
    height, width = ((side + 2 * padding - block.kernel) // block.stride + 1 for side in sides)
    if height < 1 or width < 1:
        raise ValueError(f"a {block.kernel}×{block.kernel} window does not fit into {text(shape)}")
    return (block.filters if "filters" in PROPERTIES[block.kind] else channels, height, width)


def _merged(
    layer: Layer, number: int, found: list[Shape | None], entering: Shape, problems: dict[tuple[int, int], str]
) -> Shape:
    """The shape behind a layer: that of most blocks; those of another shape have a problem."""
    known = [shape for shape in found if shape is not None]
    if not known:
        return entering
    if layer.merge == "sum":
        kept: Shape = Counter(known).most_common(1)[0][0]
        advice = "give it the same filters and stride, or merge by concat"
        same = [shape == kept for shape in known]
    else:
        kept = Counter(shape[1:] for shape in known).most_common(1)[0][0]
        advice = "give it the same stride"
        same = [shape[1:] == kept for shape in known]
    places = [position for position, shape in enumerate(found) if shape is not None]
    for position, shape, fits in zip(places, known, same, strict=True):
        if not fits:
            others = text(kept) if layer.merge == "sum" else "×".join(map(str, kept)) + " pixels"
            problems[number, position] = f"gives {text(shape)}, the other blocks {others}: {advice}"
    if layer.merge == "sum":
        return kept
    return (sum(shape[0] for shape, fits in zip(known, same, strict=True) if fits), *kept)


def text(shape: Shape) -> str:
    """A shape for people."""
    return "×".join(map(str, shape)) if len(shape) == 3 else f"{shape[0]} features"
