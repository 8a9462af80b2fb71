"""Networks that somebody watches: what they are made of, and snapshots of their scores and layers while they train.

A film has a bounded size: where a network has `MOST_SNAPSHOTS`, those that stand closest to their neighbours make room,
so that the others stay spread over all of the training.
"""

from __future__ import annotations

import itertools
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Connection, RowMapping

from nas_core.store._database import Database
from nas_core.store._errors import StoreError
from nas_core.store._json import jsonable, numbers
from nas_core.store._rows import Layers, NetworkRow, Snapshot, Structure
from nas_core.store._tables import networks, snapshots

MOST_SNAPSHOTS = 400
"""Snapshots of one network that are kept."""
MOST_LAYERS = 2000
"""Layers in a table of one score, and modules of a network."""
_LONGEST_NAME = 120
_LONGEST_REASON = 300
_LISTED = tuple(networks.c[name] for name in ("id", "name", "made", "taken", "step", "about"))


class NetworkRecords(Database):
    """The tables of watched networks and their snapshots."""

    def add_network(self, name: str, about: Mapping[str, Any], structure: Structure, first: Snapshot) -> NetworkRow:
        """Keep a network with its first snapshot under `name`, or the next free one, `mine 2`, where that is taken.

        Args:
            name: what people call it.
            about: what its scores are computed on: a small JSON object.
            structure: its modules and layers.
            first: its first snapshot.

        Raises:
            ValueError: an empty or overlong name, or more modules or layers than `MOST_LAYERS`.
        """
        asked = name.strip()
        if not asked or len(asked) > _LONGEST_NAME:
            raise ValueError(f"name: got {len(asked)} letters, expected 1 to {_LONGEST_NAME}")
        _check_size("modules", len(structure.modules))
        for score, rows in structure.layers.items():
            _check_size(f"layers of {score}", len(rows))
        row: dict[str, Any] = {
            "id": uuid.uuid4().hex[:12],
            "made": time.time(),
            "about": dict(about),
            "modules": [dict(module) for module in structure.modules],
            "layers": {score: [dict(layer) for layer in rows] for score, rows in structure.layers.items()},
            "taken": 1,
            "step": first.step,
        }
        with self._writing() as connection:
            held = set(connection.scalars(select(networks.c.name)))
            names = itertools.chain([asked], (f"{asked} {number}" for number in itertools.count(2)))
            row["name"] = next(one for one in names if one not in held)
            connection.execute(networks.insert(), row)
            _keep(connection, row["id"], 1, first)
        return NetworkRow(row["id"], row["name"], row["made"], 1, first.step, row["about"])

    def add_snapshot(self, identifier: str, snapshot: Snapshot) -> int:
        """Keep a snapshot of a network; its number.

        Raises:
            StoreError: there is no such network.
            ValueError: a score has another number of layers than the network.
        """
        with self._writing() as connection:
            query = select(networks.c.taken, networks.c.layers).where(networks.c.id == identifier).with_for_update()
            found = connection.execute(query).one_or_none()
            if found is None:
                raise self._no_network(identifier)
            for score, columns in snapshot.layers.items():
                expected = len(found.layers.get(score, ()))
                for column, values in columns.items():
                    if len(values) != expected:
                        told = f"{column} of {score} has {len(values)} layers"
                        raise ValueError(f"snapshot: {told}, expected {expected} as the network has")
            number = int(found.taken) + 1
            _make_room(connection, identifier)
            _keep(connection, identifier, number, snapshot)
            change = update(networks).where(networks.c.id == identifier)
            connection.execute(change.values(taken=number, step=snapshot.step))
        return number

    def networks(self) -> list[NetworkRow]:
        """Every watched network, newest first."""
        with self._reading() as connection:
            rows = connection.execute(select(*_LISTED).order_by(networks.c.made.desc())).mappings().all()
        return [_row(row) for row in rows]

    def structure(self, identifier: str) -> Structure:
        """What a network is made of.

        Raises:
            StoreError: there is no such network.
        """
        query = select(networks.c.modules, networks.c.layers).where(networks.c.id == identifier)
        with self._reading() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            raise self._no_network(identifier)
        return Structure(found.modules, found.layers)

    def snapshots(self, identifier: str, *, after: int = 0) -> list[Snapshot]:
        """Snapshots of a network with a number above `after`, in the order they were taken; none where there is none"""
        query = select(snapshots).where(snapshots.c.network == identifier, snapshots.c.number > after)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(snapshots.c.number)).mappings().all()
        return [_snapshot(row) for row in rows]

    def watched(self) -> str:
        """What differs whenever a network or a snapshot was added or deleted: for polls."""
        query = select(func.count(), func.coalesce(func.sum(networks.c.taken), 0), func.max(networks.c.made))
        with self._reading() as connection:
            count, taken, made = connection.execute(query).one()
        return f"{count}-{taken}-{made or 0:.3f}"

    def delete_network(self, identifier: str) -> None:
        """Delete a network and its snapshots.

        Raises:
            StoreError: there is no such network.
        """
        with self._writing() as connection:
            if not connection.execute(delete(networks).where(networks.c.id == identifier)).rowcount:
                raise self._no_network(identifier)

    def _no_network(self, identifier: str) -> StoreError:
        return StoreError(f"unknown network {identifier!r}; expected the id of a watched network in {self.url}")


def _check_size(what: str, count: int) -> None:
    if count > MOST_LAYERS:
        raise ValueError(f"{what}: got {count:,}, expected at most {MOST_LAYERS:,}")


def _make_room(connection: Connection, identifier: str) -> None:
    """Where the film is full, drop an eighth of it."""
    query = select(snapshots.c.number, snapshots.c.step).where(snapshots.c.network == identifier)
    held = [(number, step) for number, step in connection.execute(query.order_by(snapshots.c.number))]
    if len(held) >= MOST_SNAPSHOTS:
        dropped = _closest(held, max(len(held) // 8, 1))
        connection.execute(delete(snapshots).where(snapshots.c.network == identifier, snapshots.c.number.in_(dropped)))


def _closest(held: Sequence[tuple[int, int]], count: int) -> list[int]:
    """Numbers of the `count` snapshots, of (number, step), whose neighbours are closest; neither the first nor last."""
    left, dropped = list(held), []
    for _ in range(min(count, len(left) - 2)):
        place = min(range(1, len(left) - 1), key=lambda k: left[k + 1][1] - left[k - 1][1])
        dropped.append(left.pop(place)[0])
    return dropped


def _keep(connection: Connection, identifier: str, number: int, snapshot: Snapshot) -> None:
    layers = {
        score: {column: [_finite(value) for value in values] for column, values in columns.items()}
        for score, columns in snapshot.layers.items()
    }
    row = {
        "network": identifier,
        "number": number,
        "step": snapshot.step,
        "time": snapshot.time or time.time(),
        "values": jsonable(snapshot.values),
        "seconds": jsonable(snapshot.seconds),
        "reasons": {score: reason[:_LONGEST_REASON] for score, reason in snapshot.reasons.items()},
        "layers": layers,
    }
    connection.execute(snapshots.insert(), row)


def _finite(value: float) -> float | None:
    """Six digits, which a chart does not tell from all; None where it is not finite, as JSON has no such number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _row(row: RowMapping) -> NetworkRow:
    return NetworkRow(**row)


def _snapshot(row: RowMapping) -> Snapshot:
    return Snapshot(
        step=row["step"],
        values=numbers(row["values"]) or {},
        layers={score: _columns(columns) for score, columns in row["layers"].items()},
        reasons=row["reasons"],
        seconds=numbers(row["seconds"]) or {},
        number=row["number"],
        time=row["time"],
    )


def _columns(columns: Mapping[str, Sequence[float | None]]) -> Layers:
    return {name: [math.nan if value is None else value for value in values] for name, values in columns.items()}
