"""Watched networks as the Layers page reads them: tables of their layers at a step, aligned by depth, and films.

Nothing is drawn here.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from app.layer_names import operation
from app.pages.layers.evidence import SELECTED
from nas_core.store import MOST_SNAPSHOTS, NetworkRow, Snapshot, Store, StoreError, Structure

MOST_FRAMES = 120
"""Frames of a film that a browser is sent; of more, as many are picked evenly, the first and the last among them."""
LOG_SIZE = "log_size"
"""The statistic of a layer that is no more than its size."""
SIZES = ("params", "live_params", "flops", "sum_log_layer_size")
"""Sizes that a score may merely repeat."""


@dataclass(frozen=True)
class Watched:
    """A watched network: its row, what it is made of, and its snapshots in order, one at least."""

    row: NetworkRow
    structure: Structure
    snapshots: tuple[Snapshot, ...]

    @property
    def label(self) -> str:
        """Its name, also where that is what a candidate is called on the page."""
        name = self.row.name
        return f"{name} (watched)" if name.startswith("#") or name == SELECTED else name

    @property
    def scores(self) -> list[str]:
        """Scores with statistics of its layers."""
        return [score for score, rows in self.structure.layers.items() if rows]

    def films(self, score: str) -> tuple[Snapshot, ...]:
        """Snapshots that hold the layers of a score."""
        return tuple(snapshot for snapshot in self.snapshots if snapshot.layers.get(score))

    def at(self, score: str, step: int | None) -> Snapshot | None:
        """The last snapshot of a score's layers at a step, the first one before it; the last of all for None."""
        found = self.films(score)
        before = [snapshot for snapshot in found if step is None or snapshot.step <= step]
        return before[-1] if before else next(iter(found), None)

    def known(self, step: int | None = None) -> dict[str, float]:
        """Every score as it was last computed until a step."""
        values: dict[str, float] = dict(self.snapshots[0].values)
        for snapshot in self.snapshots:
            if step is None or snapshot.step <= step:
                values |= snapshot.values
        return values

    @property
    def reasons(self) -> dict[str, str]:
        """Why scores have no value, by score, as it was last told."""
        found: dict[str, str] = {}
        for snapshot in self.snapshots:
            found |= snapshot.reasons
        return found

    def table(self, score: str, step: int | None = None) -> pd.DataFrame:
        """The layers of a score at a step, in the order of a pass, with their `depth`; empty where there are none.

        Columns are those of a candidate's table, see `Cockpit.layers`, and `candidate`, the name of the network.
        """
        snapshot = self.at(score, step)
        if snapshot is None:
            return pd.DataFrame()
        about = pd.DataFrame([dict(row) for row in self.structure.layers[score]])
        about["module"] = about["layer"]
        if {"kind", "shape"} <= set(about):
            rows = zip(about["module"], about["kind"], about["shape"], strict=True)
            about["layer"] = [
                f"{module or 'network'} · {operation(str(kind), str(shape))}" for module, kind, shape in rows
            ]
        statistics = {name: list(values) for name, values in snapshot.layers[score].items()}
        table = about.assign(candidate=self.label, **statistics)
        return with_depth(table.iloc[self.order(score)].reset_index(drop=True))

    def column(self, score: str, statistic: str, snapshot: Snapshot) -> list[float]:
        """One statistic of a snapshot, in the order of `table`; NaN where it has none."""
        rows = self.structure.layers[score]
        if statistic == LOG_SIZE:
            values: Sequence[float] = [_log(float(row.get("weights", 0))) for row in rows]
        else:
            values = snapshot.layers.get(score, {}).get(statistic, [math.nan] * len(rows))
        return [values[k] for k in self.order(score)]

    def order(self, score: str) -> list[int]:
        """Places of a score's layers in the order of a pass; one that is not called stands with what holds it."""
        layers = [str(row["layer"]) for row in self.structure.layers[score]]
        called = {str(module["name"]): module["called"] for module in self.structure.modules}
        last = len(called)
        places = [next((called[n] for n in _holders(layer) if called.get(n) is not None), last) for layer in layers]
        return sorted(range(len(layers)), key=lambda k: places[k])


class WatchedNetworks:
    """The watched networks of a store; what was read once is not read again. Safe to use from many request threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._read: dict[str, tuple[Structure, tuple[Snapshot, ...]]] = {}

    def of(self, chosen: Sequence[str] | None) -> list[Watched]:
        """The networks of these ids that are there, in this order."""
        if not chosen:
            return []
        rows = {row.id: row for row in self._store.networks()}
        return [found for identifier in chosen if identifier in rows and (found := self._watched(rows[identifier]))]

    def _watched(self, row: NetworkRow) -> Watched | None:
        with self._lock:
            structure, held = self._read.get(row.id) or (None, ())
            try:
                structure = structure or self._store.structure(row.id)
                held += tuple(self._store.snapshots(row.id, after=held[-1].number if held else 0))
                if len(held) > MOST_SNAPSHOTS:  # some of them made room in the store, too
                    held = tuple(self._store.snapshots(row.id))
            except StoreError:  # deleted since its row was read
                self._read.pop(row.id, None)
                return None
            self._read[row.id] = structure, held
        return Watched(row, structure, held) if held else None


def common_scores(of_run: list[str], own: list[Watched]) -> list[str]:
    """Scores with layers: those of all that is compared first, of the run and of the watched networks then."""
    found = dict.fromkeys([*of_run, *(score for network in own for score in network.scores)])
    return sorted(found, key=lambda score: bool(own) and not (score in of_run and score in own[0].scores))


def with_depth(table: pd.DataFrame) -> pd.DataFrame:
    """A table of layers in their order, with the middle of each as a share of all of them: `depth`, 0 to 1."""
    return table.assign(depth=(np.arange(len(table)) + 0.5) / max(len(table), 1))


def with_size(table: pd.DataFrame) -> pd.DataFrame:
    """A table of layers with the logarithm of the number of weights of each, where it has that number."""
    if "weights" not in table:
        return table
    return table.assign(**{LOG_SIZE: [_log(float(weights)) for weights in table["weights"]]})


def _log(weights: float) -> float:
    return math.log(weights) if weights > 0 else math.nan


def sizes_of(values: Mapping[str, float]) -> dict[str, float]:
    """The sizes among scores."""
    return {name: values[name] for name in SIZES if name in values}


def steps_of(networks: Sequence[Watched], score: str) -> list[int]:
    """Steps at which one of the networks has a snapshot of a score's layers, ascending, at most `MOST_FRAMES`."""
    steps = sorted({snapshot.step for network in networks for snapshot in network.films(score)})
    if len(steps) <= MOST_FRAMES:
        return steps
    return [steps[k] for k in np.linspace(0, len(steps) - 1, MOST_FRAMES).round().astype(int)]


def course(network: Watched, score: str, layer: str, statistic: str) -> pd.DataFrame:
    """A statistic of a layer, named as in `table`, over the snapshots: columns `step` and `value`."""
    table = network.table(score)
    places = [k for k, name in enumerate(table["layer"]) if name == layer] if len(table) else []
    rows = [
        {"step": snapshot.step, "value": network.column(score, statistic, snapshot)[places[0]]}
        for snapshot in (network.films(score) if places else ())
    ]
    return pd.DataFrame(rows, columns=["step", "value"])


def nearest(network: Watched, score: str, depth: float) -> str:
    """The name of the layer that is nearest to a depth, 0 to 1."""
    table = network.table(score)
    return str(table.loc[(table["depth"] - depth).abs().idxmin(), "layer"])


def _holders(name: str) -> list[str]:
    """A module and those that it is part of, the innermost first: `a.b.c`, `a.b`, `a`, ``."""
    parts = name.split(".")
    return [".".join(parts[:k]) for k in range(len(parts), 0, -1)] + [""]
