"""One snapshot of a network: every score by itself, so that one that refuses costs no other, and rows for the store."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from nas_core import proxies
from nas_core.proxies import Batches
from nas_core.proxies.base import Task, generators_kept, keyword_not_taken
from nas_core.store import MOST_LAYERS, Layers, Snapshot

if TYPE_CHECKING:
    from torch import nn

CONSTANT = ("layer", "kind", "shape", "weights", "channels", "positions")
"""Columns of a table of layers that no training changes."""


@dataclass(frozen=True)
class Taken:
    """A snapshot, and by score the rows of its table of layers without what a training changes."""

    snapshot: Snapshot
    constant: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def take(model: nn.Module, given: Mapping[str, Batches], task: Task, step: int) -> Taken:
    """Score `model` as it is; it and the random generators are left as they were.

    Args:
        model: any network.
        given: by score, the batches that it is computed on.
        task: which output and which loss.
        step: updates of the weights so far.
    """
    values, reasons, seconds = {}, {}, {}
    layers: dict[str, Layers] = {}
    constant: dict[str, list[dict[str, Any]]] = {}
    for name, batches in given.items():
        started = time.perf_counter()
        values[name], table, reason = _score(name, model, batches, task)
        seconds[name] = time.perf_counter() - started
        if len(table) > MOST_LAYERS:
            table, reason = table.iloc[:0], f"of {len(table):,} layers none is kept; at most {MOST_LAYERS:,} are"
        if len(table):
            constant[name] = _constant(table)
            layers[name] = _statistics(table)
        if reason:
            reasons[name] = reason
    return Taken(Snapshot(step, values, layers, reasons, seconds), constant)


def _score(name: str, model: nn.Module, batches: Batches, task: Task) -> tuple[float, pd.DataFrame, str]:
    """A score, its table of layers, and why it is undefined; whatever goes wrong is a reason, and ends no training."""
    import torch

    keywords = task.keywords()
    try:
        proxy = proxies.get(name)
        refused = keyword_not_taken(proxy, keywords)
        if refused:
            return math.nan, pd.DataFrame(), f"{name} takes no {refused}="
        with torch.inference_mode(False), torch.enable_grad(), generators_kept():
            found = proxy.score(model, batches, **keywords)
    except Exception as error:
        told = " ".join(str(error).split()) or type(error).__name__
        return math.nan, pd.DataFrame(), told if isinstance(error, ValueError) else f"{type(error).__name__}: {told}"
    reason = getattr(found, "reason", "")
    if math.isnan(found.value) and not reason:
        reason = "undefined for this network"
    return float(found.value), found.layers if "layer" in found.layers else pd.DataFrame(), reason


def _constant(table: pd.DataFrame) -> list[dict[str, Any]]:
    about = table[[name for name in CONSTANT if name in table]]
    return [{str(name): _plain(value) for name, value in row.items()} for row in about.to_dict("records")]


def _plain(value: Any) -> Any:
    """A value of a table as JSON has it."""
    if isinstance(value, str | None):
        return value
    return int(value) if float(value).is_integer() else float(value)


def _statistics(table: pd.DataFrame) -> dict[str, Sequence[float]]:
    columns = [name for name in table if name not in CONSTANT and table[name].dtype.kind in "fiub"]
    return {str(name): [float(value) for value in table[name]] for name in columns}
