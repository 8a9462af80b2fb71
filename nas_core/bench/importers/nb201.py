"""NAS-Bench-201 (Dong & Yang 2020) as `NAS-Bench-201-v1_1-096897.pth`, written by torch.save; read without torch.

A dictionary with `meta_archs` (architectures by index), `evaluated_indexes` and `arch2infos`:
`{index: {"less": results after 12 epochs, "full": results after 200}}`. Source: nas_201_api/api_201.py in
D-X-Y/NAS-Bench-201. The published files predate the zip container of torch 1.6: they are three small pickles (magic
number, protocol, system) and the pickle of the dictionary; files of later versions hold it as `NAME/data.pkl` in a
zip archive. The whole dictionary is held in memory, about seven times the size of the file.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from nas_core.bench import _safe_pickle
from nas_core.bench._bounded import bounded, free_memory, open_bounded
from nas_core.bench.importers import _trials
from nas_core.bench.importers._architecture_column import Sought
from nas_core.bench.importers._registry import Block, register

_EPOCHS = {"less": "12", "full": "200"}
# torch/serialization.py, MAGIC_NUMBER, as its first pickle: protocol 2, LONG1 of ten bytes, little endian.
_LEGACY_START = b"\x80\x02\x8a\n" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
# The published file has 4.7 GB.
FILE_LIMIT = 8 * 2**30
# Memory by byte of file: 6.5 to 7 measured on files of this structure.
_MEMORY_FACTOR = 7
_MEMORY_LEAST = 2**30
_BLOCK = 256


def recognises(path: Path) -> bool:
    """Whether `path` was written by torch.save."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(len(_LEGACY_START)) == _LEGACY_START:
            return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return _data_member(archive) is not None


@register("nb201", "a file NAS-Bench-201-...pth written by torch.save", recognises, describe=_trials.described)
def blocks(path: Path, sought: Sought) -> Iterator[Block]:
    """Rows of every architecture that was trained."""
    content = _read(path)
    archs, infos = (content.get(key) if isinstance(content, Mapping) else None for key in ("meta_archs", "arch2infos"))
    if not isinstance(archs, list | tuple) or not isinstance(infos, dict):
        raise ValueError("it has no list 'meta_archs' and no dictionary 'arch2infos'")
    indices = sorted(infos)
    for start in range(0, len(indices), _BLOCK):
        part = indices[start : start + _BLOCK]
        rows = [_row(infos.pop(index), index) for index in part]
        texts = [str(archs[index]) if index < len(archs) else f"index {index}" for index in part]
        yield Block(texts, _trials.columns(rows), (start + len(part)) / len(indices))


def _row(info: Any, index: int) -> dict[str, float]:
    if not isinstance(info, Mapping):
        raise ValueError(f"architecture {index} has no dictionary of results")
    row: dict[str, float] = {}
    for kind, results in info.items():
        try:
            row |= _trials.metrics(results, _EPOCHS.get(kind, str(kind).lstrip("0")))
        except ValueError as error:
            raise ValueError(f"architecture {index}: {error}") from error
    return row


def _read(path: Path) -> Any:
    needed, free = _MEMORY_FACTOR * path.stat().st_size, free_memory()
    if free is not None and needed > free:
        raise ValueError(
            f"that takes about {needed / 1e9:.0f} GB of memory and {free / 1e9:.0f} GB are free; "
            "a folder NATS-tss-...-simple of NATS-Bench is read file by file"
        )
    memory = 2 * needed + _MEMORY_LEAST
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            member = _data_member(archive)
            if member is None:
                raise ValueError("it is a zip archive without data.pkl")
            with bounded(archive.open(member), FILE_LIMIT) as file:
                return _load(file, memory)
    with open_bounded(path, FILE_LIMIT) as file:
        for _ in ("magic number", "protocol", "system"):
            _load(file, memory)
        return _load(file, memory)


def _data_member(archive: zipfile.ZipFile) -> str | None:
    return next((name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")), None)


def _load(file: IO[bytes], memory: int) -> Any:
    return _safe_pickle.load(file, stand_ins=_WEIGHTS, memory=memory)


def _nothing(*_: Any) -> None:
    """Weights are not results."""


_WEIGHTS = {
    ("torch._utils", "_rebuild_tensor_v2"): _safe_pickle.StandIn(_nothing),
    **{("torch", f"{kind}Storage"): None for kind in ("Float", "Double", "Half", "Long", "Int", "Byte", "Bool")},
}
