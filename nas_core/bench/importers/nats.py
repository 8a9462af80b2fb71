"""NATS-Bench (Dong et al. 2021) in its folders `NATS-tss-v1_0-3ffb9-simple` and `NATS-sss-v1_0-50262-simple`.

A folder holds `meta.pickle.pbz2`, a dictionary whose `meta_archs` lists the architectures, and for the architecture of
index 123 a file `000123.pickle.pbz2` (or `123.pickle.pbz2`): `{"12": results, "200": results}` by epochs of training,
in the size space "01", "12" and "90". All are pickles of plain containers and numbers, packed by bzip2.
Source: nats_bench/api_topology.py and api_utils.py in D-X-Y/NATS-Bench, and exps/NATS-Bench/tss-collect.py in
D-X-Y/AutoDL-Projects, which wrote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nas_core.bench import _safe_pickle
from nas_core.bench._bounded import open_bounded
from nas_core.bench.importers import _trials
from nas_core.bench.importers._architecture_column import Sought
from nas_core.bench.importers._registry import Block, register

_ENDING = ".pickle.pbz2"
# Published files unpack to about a megabyte; this is what one may unpack to before it is refused.
FILE_LIMIT = 256 * 2**20
_BLOCK = 64


def recognises(path: Path) -> bool:
    """Whether `path` is a folder with the meta file."""
    return (path / f"meta{_ENDING}").is_file()


@register("nats", "a folder NATS-...-simple with meta.pickle.pbz2", recognises, describe=_trials.described)
def blocks(path: Path, sought: Sought) -> Iterator[Block]:
    """Rows of every architecture that the folder has a file of."""
    archs = _architectures(path)
    files = sorted(
        (int(file.name.removesuffix(_ENDING)), file)
        for file in path.glob(f"*{_ENDING}")
        if file.name.removesuffix(_ENDING).isdecimal()
    )
    if not files:
        raise ValueError(f"it holds no file NNNNNN{_ENDING} of an architecture")
    for start in range(0, len(files), _BLOCK):
        part = files[start : start + _BLOCK]
        rows = [_row(archs, index, file) for index, file in part]
        yield Block([archs[index] for index, _ in part], _trials.columns(rows), (start + len(part)) / len(files))


def _architectures(path: Path) -> list[str]:
    meta = _read(path / f"meta{_ENDING}")
    archs = meta.get("meta_archs") if isinstance(meta, Mapping) else None
    if not isinstance(archs, list | tuple) or not all(isinstance(arch, str) for arch in archs):
        raise ValueError(f"meta{_ENDING} has no list 'meta_archs' of architectures")
    return list(archs)


def _row(archs: list[str], index: int, file: Path) -> dict[str, float]:
    if index >= len(archs):
        raise ValueError(f"{file.name} is no index of the {len(archs)} architectures in meta{_ENDING}")
    by_epochs = _read(file)
    if not isinstance(by_epochs, Mapping) or not by_epochs:
        raise ValueError(f"{file.name} is no dictionary of results by epochs")
    row: dict[str, float] = {}
    for epochs, results in by_epochs.items():
        if isinstance(results, Mapping) and results.get("arch_str", archs[index]) != archs[index]:
            raise ValueError(f"{file.name} is of {results['arch_str']!r}, meta{_ENDING} says {archs[index]!r}")
        try:
            row |= _trials.metrics(results, str(epochs).lstrip("0"))
        except ValueError as error:
            raise ValueError(f"{file.name}: {error}") from error
    return row


def _read(file: Path) -> Any:
    try:
        with open_bounded(file, FILE_LIMIT) as unpacked:
            return _safe_pickle.load(unpacked)
    except (ValueError, OSError) as error:
        raise ValueError(f"{file.name}: {error}") from error
