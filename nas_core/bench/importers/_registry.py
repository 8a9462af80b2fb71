"""The registry of formats, what a format yields, and recognition of a file by its contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np


@dataclass(frozen=True)
class Block:
    """Some rows of a table of results.

    archs: n architectures in the notation of their space. values: name of a metric to n numbers, NaN where the file
    has none. done: how much of the file has been read, from 0 to 1. skipped: columns of the file that hold no numbers.
    """

    archs: Sequence[str]
    values: Mapping[str, np.ndarray]
    done: float
    skipped: Sequence[str] = field(default=())


Blocks = Callable[[Path, str | None], Iterator[Block]]


@dataclass(frozen=True)
class Importer:
    """A format: its name, whether a file is in it, and its rows block by block.

    `blocks(path, column)` raises ValueError saying what is wrong with the contents. `column` names the column of
    architectures where `has_columns`, and is None elsewhere.
    """

    name: str
    summary: str
    recognises: Callable[[Path], bool]
    blocks: Blocks
    has_columns: bool = False


_IMPORTERS: dict[str, Importer] = {}


def register(
    name: str, summary: str, recognises: Callable[[Path], bool], *, has_columns: bool = False
) -> Callable[[Blocks], Blocks]:
    """Register a function that yields blocks as the format `name`."""

    def decorate(blocks: Blocks) -> Blocks:
        _IMPORTERS[name] = Importer(name, summary, recognises, blocks, has_columns)
        return blocks

    return decorate


def _load() -> None:
    package = __name__.rpartition(".")[0]
    for module in iter_modules(import_module(package).__path__):
        if not module.name.startswith("_"):
            import_module(f"{package}.{module.name}")


def names() -> list[str]:
    """Names of every format that can be read."""
    _load()
    return sorted(_IMPORTERS)


def get(name: str) -> Importer:
    """The format called `name`.

    Raises:
        ValueError: no such format; the message lists those that exist.
    """
    _load()
    if name not in _IMPORTERS:
        raise ValueError(f"unknown format {name!r}; expected auto or one of: {', '.join(names())}")
    return _IMPORTERS[name]


def recognise(path: Path) -> Importer:
    """The format that `path` is in, by its contents.

    Raises:
        ValueError: none of those known.
    """
    for name in names():
        if _IMPORTERS[name].recognises(path):
            return _IMPORTERS[name]
    known = "; ".join(f"{name}: {_IMPORTERS[name].summary}" for name in names())
    raise ValueError(f"{path} is in no format that is known ({known})")
