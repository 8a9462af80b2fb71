"""The registry of formats, what a format yields, and recognition of a file by its contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nas_core.bench._columns import Column, inferred
from nas_core.bench.importers._architecture_column import Sought
from nas_core.registry import Registry


@dataclass(frozen=True)
class Block:
    """Some rows of a table of results.

    archs: n architectures in the notation of their space. values: name of a metric to n numbers, NaN where the file
    has none. done: how much of the file has been read, from 0 to 1. skipped: columns of the file that hold no numbers.
    by_decision: whether an architecture is given by its choices instead, in the order of the decisions, joined by
    commas. described: what the file itself says of its columns.
    """

    archs: Sequence[str]
    values: Mapping[str, np.ndarray]
    done: float
    skipped: Sequence[str] = field(default=())
    by_decision: bool = False
    described: Sequence[Column] = field(default=())


Blocks = Callable[[Path, Sought], Iterator[Block]]
Describe = Callable[[str, np.ndarray], Column]


@dataclass(frozen=True)
class Importer:
    """A format: its name, whether a file is in it, and its rows block by block.

    `blocks(path, sought)` raises ValueError saying what is wrong with the contents; `sought` says where architectures
    may stand and matters where `has_columns`. `describe(name, values)` says what a column is about.
    """

    name: str
    summary: str
    recognises: Callable[[Path], bool]
    blocks: Blocks
    has_columns: bool = False
    describe: Describe = inferred


_IMPORTERS: Registry[Importer] = Registry("format", "nas_core.bench.importers", besides="auto or ")
names = _IMPORTERS.names
get = _IMPORTERS.get


def register(
    name: str,
    summary: str,
    recognises: Callable[[Path], bool],
    *,
    has_columns: bool = False,
    describe: Describe = inferred,
) -> Callable[[Blocks], Blocks]:
    """Register a function that yields blocks as the format `name`."""

    def decorate(blocks: Blocks) -> Blocks:
        _IMPORTERS.add(name, Importer(name, summary, recognises, blocks, has_columns, describe))
        return blocks

    return decorate


def recognise(path: Path) -> Importer:
    """The format that `path` is in, by its contents.

    Raises:
        ValueError: none of those known.
    """
    known = [get(name) for name in names()]
    for importer in known:
        if importer.recognises(path):
            return importer
    summaries = "; ".join(f"{importer.name}: {importer.summary}" for importer in known)
    raise ValueError(f"{path} is in no format that is known ({summaries})")
