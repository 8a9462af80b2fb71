"""`watch`: a network of your own into the store, from a function of a module that you name."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.cli._engine import StoreUrl
from nas_core.cli._lists import Json

if TYPE_CHECKING:
    from nas_core.proxies import Batches

_FUNCTION = "package.module:function"
_SOURCES = ("npz", "folder", "cifar10", "cifar100")
"""Kinds of data sets whose name is followed by a path."""


def watch(
    factory: Annotated[str, typer.Argument(help=f"{_FUNCTION} that returns the network.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the name of the function by default.")] = None,
    data: Annotated[
        str,
        typer.Option(
            help=f"digits, noise, npz:PATH, folder:PATH, cifar10:PATH, cifar100:PATH, or {_FUNCTION}: batches."
        ),
    ] = "digits",
    batches: Annotated[int, typer.Option(min=2, help="Batches of images.")] = 2,
    batch_size: Annotated[int, typer.Option(min=2, help="Images in a batch.")] = 16,
    image_size: Annotated[int, typer.Option(min=1, help="Side of the images in pixels.")] = 32,
    channels: Annotated[int, typer.Option(min=1, help="Channels of the images.")] = 3,
    proxy: Annotated[list[str] | None, typer.Option("--proxy", help="Score to compute; repeat for several.")] = None,
    output: Annotated[str | None, typer.Option(help=f"{_FUNCTION} that picks the output to score.")] = None,
    loss: Annotated[str | None, typer.Option(help=f"{_FUNCTION}: loss of outputs and labels.")] = None,
    seed: options.Seed = 0,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Put scores, statistics of layers and modules of a network of yours into the store; the page Layers shows them.

    The functions named are imported and called here, in your own process; the app never does so.
    """
    import torch

    from nas_core import proxies, watching

    for score in proxy or ():
        proxies.get(score)
    make = _function("factory", factory)
    task = {word: _function(f"--{word}", text) for word, text in (("output", output), ("loss", loss)) if text}
    given = _batches(data, batches, batch_size, image_size, channels, seed)
    torch.manual_seed(seed)
    watcher = watching.watch(
        _called("factory", factory, make),
        given,
        name=name or factory.rpartition(":")[2],
        store=store,
        every=None,
        scores=proxy or watching.SCORES,
        film=(),
        **task,
    )
    network, first = watcher.network, watcher.first
    if as_json:
        values = {score: value if math.isfinite(value) else None for score, value in first.values.items()}
        told = {"network": network.id, "name": network.name, "scores": values, "reasons": dict(first.reasons)}
        typer.echo(json.dumps(told))
        return
    lines = [f"{score:20} {_told(value, first.reasons.get(score, ''))}" for score, value in first.values.items()]
    typer.echo("\n".join([f"network {network.id}: {network.name!r} is watched; see the page Layers", *lines]))


def _told(value: float, reason: str) -> str:
    shown = f"{value:14,.4f}" if math.isfinite(value) else f"{'–':>14}"
    return f"{shown}  {reason}".rstrip()


def _function(what: str, text: str) -> Callable[..., Any]:
    """What `package.module:function` names.

    Raises:
        ValueError: nothing, or nothing that can be called.
    """
    module, colon, path = text.partition(":")
    if not module or not colon or not path:
        raise ValueError(f"{what}: got {text!r}, expected {_FUNCTION}")
    here = str(Path.cwd())
    if here not in sys.path:  # as with `python -m`, also where the command is a program of its own
        sys.path.insert(0, here)
    try:
        found: Any = import_module(module)
    except Exception as error:  # whatever a module of somebody else does
        raise ValueError(f"{what}: cannot import {module!r}: {_reason(error)}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{what}: {module!r} has no {path!r}")
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(f"{what}: {text!r} is of type {type(found).__name__}, expected a function")
    return found


def _called(what: str, text: str, function: Callable[..., Any]) -> Any:
    try:
        return function()
    except Exception as error:  # whatever a function of somebody else does
        raise ValueError(f"{what}: {text!r} failed: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    told = str(error)
    return told if isinstance(error, ImportError | ValueError) and told else f"{type(error).__name__}: {told}"


def _batches(data: str, count: int, size: int, side: int, channels: int, seed: int) -> Batches:
    """Batches of a data set, or those that a function returns."""
    kind, colon, _ = data.partition(":")
    if colon and kind not in _SOURCES:
        found = _called("--data", data, _function("--data", data))
        return list(found) if isinstance(found, tuple) else found
    from nas_core import data as room

    options.check_path(data)
    return room.batches(room.load(data, seed=seed), count=count, size=size, side=side, channels=channels, seed=seed)
