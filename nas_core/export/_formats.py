"""The four forms an architecture leaves in, each as bytes, and how they reach the disk whole."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nas_core
from nas_core.export._blueprint import Blueprint, describe

if TYPE_CHECKING:
    from torch import nn

    from nas_core.export._source import Labels


@dataclass(frozen=True)
class Content:
    """What goes into a file, and how it was checked, in words."""

    data: bytes
    checked: str = ""


def python_source(blueprint: Blueprint, model: nn.Module) -> str:
    """One Python module that needs torch alone and builds the network of `model` under the same state-dict keys.

    The module is run here and compared with `model`, in eval and in training mode, before it is returned.

    Raises:
        ValueError: the network cannot be written, or what was written computes something else.
    """
    from nas_core.export._check import same_network
    from nas_core.export._source import load, source

    image = blueprint.image
    build = (
        f"The network, in training mode: images `(batch, {image.channels}, "
        f"{image.height}, {image.width})` to logits `(batch, {blueprint.classes})`."
    )
    text = source(model, _header(blueprint, model), build, _labels(blueprint))
    try:
        network = load(text)
    except Exception as error:  # whatever stands in code that was written wrongly
        raise ValueError(f"{blueprint.space} cannot be written as source: {error}") from error
    same_network(model, network, image, "the Python module")
    return text


def _header(blueprint: Blueprint, model: nn.Module) -> str:
    image, scale = blueprint.image, asdict(blueprint.scale)
    rows = {
        "space": f"{blueprint.space} ({blueprint.known.title})",
        "notation": blueprint.notation,
        "canonical form": blueprint.canonical,
        "parameters": f"{sum(p.numel() for p in model.parameters()):,}",
        "images": f"{image.channels} x {image.height} x {image.width}, {blueprint.classes} classes",
    }
    if scale:
        rows["scale"] = ", ".join(f"{name} {value}" for name, value in scale.items())
    lines = [f"{name:15}{' '.join(text.split())}" for name, text in rows.items()]
    return "\n".join(
        [
            f"{blueprint.known.title}: one network, written by NAS Helm {nas_core.__version__}. Needs torch only.",
            "",
            *lines,
            "",
            "Weights start as torch draws them, not as NAS Helm does. Those saved by NAS Helm load straight in:",
            "    network = build()",
            '    network.load_state_dict(torch.load("network.pt", weights_only=True))',
        ]
    )


def _labels(blueprint: Blueprint) -> Labels:
    """Comments for a list of children that is one a decision (`edges` for `edge 0→1`), and names of their inputs."""
    from nas_core.export._source import Labels

    words = {name.split()[0] for name in blueprint.decisions}
    if len(words) != 1:
        return Labels()
    (word,) = words
    comments = tuple(f"{name}: {choice}" for name, choice in blueprint.decisions.items())
    graph = blueprint.known.graph(blueprint.arch)
    origins = {edge.decision: graph.nodes[edge.source] for edge in graph.edges}
    named = len(set(origins.values())) < len(origins) == len(comments)  # more edges than nodes they leave: a cell
    inputs = tuple(origins[name].replace(" ", "_") for name in blueprint.decisions) if named else ()
    return Labels({f"{word}s": comments}, {f"{word}s": inputs})


def _python(blueprint: Blueprint, model: nn.Module) -> Content:
    return Content(python_source(blueprint, model).encode(), "same outputs as the model")


def _state_dict(blueprint: Blueprint, model: nn.Module) -> Content:
    import torch

    buffer = io.BytesIO()
    torch.save(dict(model.state_dict()), buffer)
    return Content(buffer.getvalue(), f"{len(model.state_dict())} tensors")


def _onnx(blueprint: Blueprint, model: nn.Module) -> Content:
    from nas_core.export._onnx import to_onnx
    from nas_core.export._source import load

    # Written from the exported module: it has nothing but torch's own layers, which every exporter knows.
    network = load(python_source(blueprint, model))
    network.load_state_dict(model.state_dict())
    return Content(*to_onnx(network, model, blueprint.image))


def _json(blueprint: Blueprint, model: nn.Module) -> Content:
    return Content((json.dumps(describe(blueprint), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


KINDS: Mapping[str, tuple[str, Callable[[Blueprint, nn.Module], Content]]] = {
    "py": (".py", _python),
    "onnx": (".onnx", _onnx),
    "json": (".json", _json),
    "state-dict": (".pt", _state_dict),
}
"""Kinds of files: the ending each is known by, and what writes it."""


def content(kind: str, blueprint: Blueprint, model: nn.Module) -> Content:
    """The content of a file of `kind`, checked.

    Raises:
        ValueError: unknown kind, or the network cannot be written so.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; expected one of: {', '.join(KINDS)}")
    return KINDS[kind][1](blueprint, model)


def write(data: bytes, path: Path) -> None:
    """Write a file whole or not at all: a reader sees the old content or the new."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
