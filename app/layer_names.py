"""What layers are called on pages: where they are in the network and what they are, as people say it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import Architecture, SearchSpace

_SIZES = re.compile(r"\d+")


def operation(kind: str, shape: str) -> str:
    """What a layer does, from the kind of its module and the shape of its weight: Conv2d and 16x3x3x3 are conv 3×3."""
    sizes = [int(size) for size in _SIZES.findall(shape)]
    if len(sizes) < 4:
        return "dense" if kind == "Linear" else kind.lower()
    window = f"{sizes[2]}×{sizes[3]}"
    return f"depthwise {window}" if sizes[1] == 1 and sizes[0] > 1 else f"conv {window}"


def layer_names(
    modules: Sequence[str],
    kinds: Sequence[str],
    shapes: Sequence[str],
    space: SearchSpace,
    arch: Architecture,
    settings: ScoreSettings,
) -> list[str]:
    """Names of the layers of one network, no two alike: `cell 2 · edge 0→1 · conv 3×3`.

    Args:
        modules: names of their modules, in the order of the network.
        kinds: kinds of their modules, such as `Conv2d`.
        shapes: shapes of their weights, such as 16x3x3x3.
        space: whose network it is.
        arch: the architecture that was built.
        settings: how large it was built.
    """
    scale = space.scale_for(channels=settings.channels, cells=settings.cells)
    names = [
        f"{_place(module, space, arch, scale)} · {operation(kind, shape)}"
        for module, kind, shape in zip(modules, kinds, shapes, strict=True)
    ]
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told


def _place(module: str, space: SearchSpace, arch: Architecture, scale: Any) -> str:
    try:
        return space.layer_place(module, arch, scale=scale)
    except (ValueError, IndexError, KeyError):  # a store may hold tables of networks as another version built them
        return module


def renamed(layers: pd.DataFrame, space: SearchSpace, arch: Architecture, settings: ScoreSettings) -> pd.DataFrame:
    """The per-layer table of a score with people's names in `layer`, and the modules' own in `module`."""
    if not len(layers):
        return layers
    modules = layers["layer"].tolist()
    if not {"kind", "shape"} <= set(layers):  # a score of another package may say less of layers
        return layers.assign(module=modules)
    named = layer_names(modules, layers["kind"].tolist(), layers["shape"].tolist(), space, arch, settings)
    return layers.assign(layer=named, module=modules)
