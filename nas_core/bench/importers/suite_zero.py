"""NAS-Bench-Suite-Zero (Krishnakumar et al. 2022): `zc_nasbench201.json`, zero-cost scores of NASLib.

`{data set: {"(4, 0, 3, 1, 4, 3)": {proxy: {"score": s, "time": t}, ..., "val_accuracy": a}}}`. The six numbers are
NASLib's, in another order than those of this program: they index its list of operations, not the one of the paper, and
stand for edges by source, not by target. Source: OP_NAMES_NB201 and EDGE_LIST in
naslib/search_spaces/nasbench201/conversions.py of automl/NASLib, whose nodes count from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nas_core.bench._bounded import open_bounded
from nas_core.bench._columns import Column, Kind, inferred
from nas_core.bench.importers import _trials
from nas_core.bench.importers._architecture_column import Sought
from nas_core.bench.importers._registry import Block, register

NASLIB_OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
NASLIB_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
_CELL = re.compile(r"[(\[]\s*" + r"\s*,\s*".join([r"([0-4])"] * len(NASLIB_EDGES)) + r"\s*[)\]]")
# The published file has less than 100 MB.
FILE_LIMIT = 2 * 2**30
_BLOCK = 4096
_COUNTS = {"flops": Kind.FLOPS, "params": Kind.PARAMETERS}


def recognises(path: Path) -> bool:
    """Whether `path` is a text that opens with a brace."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"{")


def _described(name: str, values: np.ndarray) -> Column:
    """Accuracies in percent, seconds of a score, scores of which more is better, and counts."""
    data_set, metric, *seconds = name.split("/")
    if seconds:
        return Column(name, Kind.OTHER, "s", False, data_set)
    if metric in _COUNTS:
        return Column(name, _COUNTS[metric], "", False, data_set)
    accuracy = metric.endswith("accuracy")
    return Column(name, inferred(metric).kind if accuracy else Kind.OTHER, "%" if accuracy else "", True, data_set)


@register("suite-zero", "a file zc_nasbench201.json of NAS-Bench-Suite-Zero", recognises, describe=_described)
def blocks(path: Path, sought: Sought) -> Iterator[Block]:
    """Rows of every architecture, data set by data set."""
    with open_bounded(path, FILE_LIMIT) as file:
        content = json.load(file)
    expected = "expected {data set: {architecture: {proxy: {score, time}}}}"
    if not isinstance(content, dict) or not content:
        raise ValueError(f"it is no dictionary of data sets; {expected}")
    for done, (data_set, results) in enumerate(content.items()):
        if not isinstance(results, dict) or not all(isinstance(scores, dict) for scores in results.values()):
            raise ValueError(f"{data_set!r} is no dictionary of architectures; {expected}")
        archs = list(results)
        for start in range(0, len(archs), _BLOCK):
            part = archs[start : start + _BLOCK]
            rows = [_row(data_set, results[arch]) for arch in part]
            share = (start + len(part)) / len(archs)
            yield Block([cell(arch) for arch in part], _trials.columns(rows), (done + share) / len(content))


def cell(text: str) -> str:
    """The notation of NAS-Bench-201 for NASLib's `(4, 0, 3, 1, 4, 3)`; any other text as it is."""
    match = _CELL.fullmatch(text.strip())
    if match is None:
        return text
    chosen = {edge: NASLIB_OPERATIONS[int(k)] for edge, k in zip(NASLIB_EDGES, match.groups(), strict=True)}
    return "+".join("|" + "|".join(f"{chosen[s, t]}~{s}" for s in range(t)) + "|" for t in (1, 2, 3))


def _row(data_set: str, scores: Mapping[str, Any]) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, value in scores.items():
        if isinstance(value, dict):
            row[f"{data_set}/{name}"] = _trials.number(value.get("score"))
            row[f"{data_set}/{name}/seconds"] = _trials.number(value.get("time"))
        else:
            row[f"{data_set}/{name}"] = _trials.number(value)
    return row
