"""`export`: an architecture as a Python module, ONNX, a state dict or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.cli import _options as options

if TYPE_CHECKING:
    from nas_core.export import Content


class Kind(StrEnum):
    """Forms that an architecture can leave in."""

    PY = "py"
    ONNX = "onnx"
    JSON = "json"
    STATE_DICT = "state-dict"


_ENDINGS = {
    ".py": Kind.PY,
    ".onnx": Kind.ONNX,
    ".json": Kind.JSON,
    ".pt": Kind.STATE_DICT,
    ".pth": Kind.STATE_DICT,
}
Size = Annotated[int | None, typer.Option(min=1, help="As the space's own benchmark has it by default.")]


def export(
    out: Annotated[Path, typer.Option(help="File to write; with several kinds, each gets its own ending.")],
    architecture: Annotated[
        str | None, typer.Argument(help="Architecture in the notation of its space; not needed with --checkpoint.")
    ] = None,
    space: options.Space = "nb201",
    to: Annotated[list[Kind] | None, typer.Option(help="Kind of file; by default what the ending says.")] = None,
    channels: Size = None,
    cells: Size = None,
    image_channels: Size = None,
    image_size: Size = None,
    classes: Size = None,
    weights: Annotated[Path | None, typer.Option(help="State dict to export, by torch.save.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A training of one network, as `train` writes it.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights, where none are given.")] = 0,
) -> None:
    """Write an architecture as a Python module of its own, ONNX, a state dict or JSON, each checked before."""
    from dataclasses import replace

    from nas_core.export import Blueprint, content, read_weights, trained_model

    files = _files(out, to or [])
    for name, given in (("--checkpoint", checkpoint), ("--weights", weights)):
        if given is not None and given.resolve() in [path.resolve() for path in files.values()]:
            raise ValueError(f"{name} {given} would be overwritten; expected another --out")
    if checkpoint is not None:
        if architecture or weights:
            raise ValueError("--checkpoint brings architecture and weights; expected neither beside it")
        blueprint, model = trained_model(checkpoint.read_bytes(), name=str(checkpoint))
        _write_all(files, {kind: content(kind, blueprint, model) for kind in files})
        return
    if architecture is None:
        raise ValueError("no architecture; expected one in the notation of its space, or --checkpoint")
    own = Blueprint.of(space, architecture)
    blueprint = Blueprint.of(
        space,
        own.arch,
        image=replace(
            own.image,
            channels=image_channels or own.image.channels,
            height=image_size or own.image.height,
            width=image_size or own.image.width,
        ),
        classes=classes,
        scale=own.known.scale_for(channels=channels, cells=cells),
    )
    model = blueprint.model(seed=seed, weights=None if weights is None else read_weights(weights))
    _write_all(files, {kind: content(kind, blueprint, model) for kind in files})


def _write_all(files: Mapping[Kind, Path], contents: Mapping[Kind, Content]) -> None:
    """Write every file once all of them are checked."""
    from nas_core.export import write

    for kind, found in contents.items():
        write(found.data, files[kind])
        print(f"{files[kind]}: {len(found.data):,} bytes{', ' + found.checked if found.checked else ''}")


def _files(out: Path, kinds: Sequence[Kind]) -> dict[Kind, Path]:
    """The file of each kind.

    Raises:
        ValueError: no kind can be told, or the place is not one for a file.
    """
    if out.is_dir() or not out.parent.is_dir():
        reason = "is a folder" if out.is_dir() else "lies in no folder that exists"
        raise ValueError(f"--out {out} {reason}; expected the name of a file")
    if not kinds:
        if out.suffix not in _ENDINGS:
            raise ValueError(f"--out {out}: expected an ending {', '.join(_ENDINGS)}, or --to")
        return {_ENDINGS[out.suffix]: out}
    if len(set(kinds)) == 1:
        return {kinds[0]: out}
    stem = out.with_suffix("") if out.suffix in _ENDINGS else out
    ending = {kind: suffix for suffix, kind in reversed(_ENDINGS.items())}
    return {kind: stem.with_name(stem.name + ending[kind]) for kind in kinds}
