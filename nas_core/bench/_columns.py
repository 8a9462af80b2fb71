"""What a column of results is about: its kind, unit and direction; told by an importer, else inferred from its name.

Where the numbers lie is the matter of `_tables`, which table is meant that of `_truth`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np


class Kind(StrEnum):
    """What the numbers of a column measure."""

    VALIDATION_ACCURACY = "validation accuracy"
    TEST_ACCURACY = "test accuracy"
    TRAINING_ACCURACY = "training accuracy"
    LOSS = "loss"
    LATENCY = "latency"
    ENERGY = "energy"
    AREA = "area"
    MEMORY = "memory"
    THROUGHPUT = "throughput"
    PARAMETERS = "parameters"
    FLOPS = "flops"
    OTHER = "other"

    @property
    def is_accuracy(self) -> bool:
        """Whether it says how well a network does its task."""
        return self in ACCURACIES

    @property
    def higher_is_better(self) -> bool:
        """The direction that the kind usually has."""
        return self in (*ACCURACIES, Kind.THROUGHPUT, Kind.OTHER)


ACCURACIES = (Kind.VALIDATION_ACCURACY, Kind.TEST_ACCURACY, Kind.TRAINING_ACCURACY)
"""Kinds of accuracy, the one preferred as truth first."""

COSTS = (Kind.LATENCY, Kind.ENERGY, Kind.AREA, Kind.MEMORY, Kind.PARAMETERS, Kind.FLOPS)
"""Kinds of what a network costs."""


_ROW_NUMBERS = re.compile(r"\s*|Unnamed: \d+(_level_\d+)?|__index_level_\d+__")


def is_nameless(name: str) -> bool:
    """Whether a column has no name, or the one that pandas gives such a column: usually the row numbers that
    `DataFrame.to_csv` and `to_parquet` write beside a table. Such a column measures nothing."""
    return _ROW_NUMBERS.fullmatch(name) is not None


@dataclass(frozen=True)
class Column:
    """One column of a table: what it measures, in which unit, whether higher is better, and on which data set."""

    name: str
    kind: Kind
    unit: str
    higher_is_better: bool
    data_set: str = ""

    @property
    def sign(self) -> int:
        """What its values are multiplied by so that higher is better: 1 or -1."""
        return 1 if self.higher_is_better else -1

    def describe(self) -> str:
        """For people: `latency, ms, lower is better`."""
        usual = self.higher_is_better == self.kind.higher_is_better and self.kind.is_accuracy
        direction = "" if usual else f"{'higher' if self.higher_is_better else 'lower'} is better"
        return ", ".join(part for part in (str(self.kind), self.unit, direction) if part)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form."""
        return {**asdict(self), "kind": str(self.kind)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Column:
        """Read what `to_dict` wrote.

        Raises:
            ValueError, KeyError: `data` is something else.
        """
        return cls(
            str(data["name"]),
            Kind(data["kind"]),
            str(data["unit"]),
            bool(data["higher_is_better"]),
            str(data.get("data_set", "")),
        )


@dataclass(frozen=True)
class Table:
    """A table of results of one space: its name, its columns, how many architectures it has; `problem` says why it
    cannot be read, and then it has no columns."""

    name: str
    columns: tuple[Column, ...]
    rows: int = 0
    problem: str = ""

    def column(self, name: str) -> Column:
        """The column called `name`.

        Raises:
            ValueError: there is none; the message lists those that exist.
        """
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            names = [column.name for column in self.columns]
            shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
            raise ValueError(f"table {self.name!r} has no column {name!r}; expected one of: {shown or self.problem}")
        return found


_DEVICES = ("edgegpu", "edgetpu", "raspi4", "pixel3", "eyeriss", "fpga")
"""Devices of HW-NAS-Bench (Li et al., ICLR 2021): it measures latencies in ms and energies in mJ."""
_HARDWARE_UNITS = {Kind.LATENCY: "ms", Kind.ENERGY: "mJ"}

_UNITS = {
    Kind.LATENCY: {"ms": "ms", "us": "µs", "µs": "µs", "ns": "ns", "s": "s", "seconds": "s", "milliseconds": "ms"},
    Kind.ENERGY: {"mj": "mJ", "uj": "µJ", "µj": "µJ", "nj": "nJ", "pj": "pJ", "j": "J", "kwh": "kWh"},
    Kind.AREA: {"mm2": "mm²", "um2": "µm²", "luts": "LUTs"},
    Kind.MEMORY: {"b": "B", "bytes": "B", "kb": "kB", "mb": "MB", "gb": "GB", "kib": "KiB", "mib": "MiB", "gib": "GiB"},
    Kind.PARAMETERS: {"m": "M", "k": "k", "millions": "M"},
    Kind.FLOPS: {"m": "M", "g": "G", "k": "k", "millions": "M"},
    Kind.OTHER: {"s": "s", "seconds": "s", "ms": "ms"},
}
"""Words of a name that are units, by kind."""

_WORDS: tuple[tuple[Kind, frozenset[str]], ...] = (
    (Kind.THROUGHPUT, frozenset({"throughput", "fps", "qps"})),
    (Kind.LATENCY, frozenset({"latency", "delay"})),
    (Kind.ENERGY, frozenset({"energy"})),
    (Kind.AREA, frozenset({"area"})),
    (Kind.MEMORY, frozenset({"memory", "mem", "ram", "vram"})),
    (Kind.PARAMETERS, frozenset({"params", "parameters", "param"})),
    (Kind.FLOPS, frozenset({"flops", "flop", "macs", "mac", "madds"})),
    (Kind.LOSS, frozenset({"loss", "perplexity", "nll"})),
)
"""Words of a name that tell its kind, the first that holds one counts."""
_ACCURACY = frozenset({"accuracy", "acc", "top1", "top5", "acc1", "acc1es"})
_DATA_SET = re.compile(r"(cifar10|cifar100|imagenet16-120|imagenet16|imagenet|svhn|mnist|ninapro)(?=$|[^a-z0-9])", re.I)
_PER_SECOND = re.compile(r"([a-z]+)_per_(s|sec|second)(?=$|[^a-z])", re.I)


def inferred(name: str, values: np.ndarray | None = None) -> Column:
    """What a column is about, by the words of its name; `values` (n,) tell accuracies in percent from shares.

    A name that says nothing is of kind other, and higher is better.
    """
    words = [word for word in re.split(r"[^a-z0-9µ]+", name.lower()) if word]
    data_set = found[1] if (found := _DATA_SET.search(name)) else ""
    rate = _PER_SECOND.search(name)
    if rate:
        return Column(name, Kind.THROUGHPUT, f"{rate[1].lower()}/s", True, data_set)
    kind = _kind(words)
    if kind.is_accuracy:
        return Column(name, kind, accuracy_unit(values), True, data_set)
    units = _UNITS.get(kind, {})
    unit = next((units[word] for word in reversed(words) if word in units), "")
    if not unit and words[0:1] and words[0] in _DEVICES:
        unit = _HARDWARE_UNITS.get(kind, "")
    timed = kind is Kind.OTHER and unit in ("s", "ms")
    return Column(name, kind, unit, kind.higher_is_better and not timed, data_set)


def accuracy_unit(values: np.ndarray | None) -> str:
    """`%` unless all `values` (n,) are shares from 0 to 1."""
    if values is None or not np.isfinite(values).any():
        return "%"
    return "%" if float(np.nanmax(values)) > 1 else ""


def usual_unit(kind: Kind, unit: str) -> str:
    """`unit` where a column of `kind` may have it, else the unit that the kind usually has, or none."""
    if unit in _UNITS.get(kind, {}).values():
        return unit
    return "%" if kind.is_accuracy else ""


def _kind(words: list[str]) -> Kind:
    held = set(words)
    for kind, telling in _WORDS:
        if held & telling:
            return kind
    if not held & _ACCURACY:
        return Kind.OTHER
    if held & {"test", "ori", "testing"}:
        return Kind.TEST_ACCURACY
    trained = held & {"train", "training"} and not held & {"val", "valid", "validation"}
    return Kind.TRAINING_ACCURACY if trained else Kind.VALIDATION_ACCURACY
