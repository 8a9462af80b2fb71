"""HW-NAS-Bench (Li et al. 2021): `HW-NAS-Bench-v1_0.pickle`, latencies in ms and energies in mJ on six devices.

`{"nasbench201": {data set: {metric: [value by index], "config": [{"arch_str": ..., ...} by index]}}, "fbnet": ...}`.
Architectures are read from `config`, not from their order. Source: hw_nas_bench_api/hw_nas_bench_api.py in
GATECH-EIC/HW-NAS-Bench. Its FBNet part is a look-up table of blocks, not of architectures, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nas_core.bench import _safe_pickle
from nas_core.bench._bounded import open_bounded
from nas_core.bench._columns import Column, inferred
from nas_core.bench.importers import nb201
from nas_core.bench.importers._architecture_column import Sought
from nas_core.bench.importers._registry import Block, register
from nas_core.bench.importers._trials import number

FILE_LIMIT = 2 * 2**30


def recognises(path: Path) -> bool:
    """Whether `path` is a pickle of protocol 2 or later that torch.save did not write."""
    if not path.is_file() or nb201.recognises(path):
        return False
    with path.open("rb") as file:
        return file.read(2) in {b"\x80" + bytes([protocol]) for protocol in range(2, 6)}


def _described(name: str, values: np.ndarray) -> Column:
    data_set, _, metric = name.partition("/")
    return replace(inferred(metric), name=name, data_set=data_set)


@register("hw-nas-bench", "a file HW-NAS-Bench-v1_0.pickle", recognises, describe=_described)
def blocks(path: Path, sought: Sought) -> Iterator[Block]:
    """Rows of every architecture, data set by data set."""
    with open_bounded(path, FILE_LIMIT) as file:
        content = _safe_pickle.load(file)
    data_sets = content.get("nasbench201") if isinstance(content, Mapping) else None
    if not isinstance(data_sets, Mapping) or not data_sets:
        raise ValueError("it has no dictionary 'nasbench201' of data sets")
    for done, (data_set, metrics) in enumerate(data_sets.items(), start=1):
        if not isinstance(metrics, Mapping) or "config" not in metrics:
            raise ValueError(f"data set {data_set!r} has no list 'config' of architectures")
        archs = [_architecture(config) for config in _in_order(metrics["config"])]
        values = {f"{data_set}/{name}": _column(metrics, name, len(archs)) for name in metrics if name != "config"}
        yield Block(archs, values, done / len(data_sets))


def _architecture(config: Any) -> str:
    return str(config.get("arch_str")) if isinstance(config, Mapping) else str(config)


def _column(metrics: Mapping[str, Any], name: str, count: int) -> np.ndarray:
    values = list(_in_order(metrics[name]))
    if len(values) != count:
        raise ValueError(f"metric {name!r} has {len(values)} values for {count} architectures in 'config'")
    return np.array([number(value) for value in values])


def _in_order(values: Any) -> Any:
    """A list, an array, or a dictionary by index, in the order of the index."""
    if isinstance(values, Mapping):
        return [values[index] for index in sorted(values)]
    if isinstance(values, np.ndarray):
        return values.tolist()
    if not isinstance(values, list | tuple):
        raise ValueError(f"it holds a {type(values).__name__}; expected a list by index of the architecture")
    return values
