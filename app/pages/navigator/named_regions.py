"""Regions that a run keeps under a name: lines of its log, so that they outlive a reload and can be brought back."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.masks import packed
from nas_core.store import LogEntry, Store

KIND = "region"
LONGEST_NAME = 24


@dataclass(frozen=True)
class NamedRegion:
    """Architectures under a name: `mask` as `app.masks` packs it, `axes` those of the map it was drawn on."""

    id: int
    name: str
    mask: str
    axes: tuple[str, str]


def named_regions(entries: Sequence[LogEntry]) -> list[NamedRegion]:
    """The regions that the log of a run leaves, oldest first."""
    found: dict[int, NamedRegion] = {}
    gone: set[int] = set()
    for entry in entries:
        body = entry.body
        if body["do"] == "keep":
            found[entry.id] = NamedRegion(entry.id, body["name"], body["mask"], tuple(body["axes"]))
        elif body["do"] == "rename" and body["region"] in found:
            found[body["region"]] = replace(found[body["region"]], name=body["name"])
        elif body["do"] == "delete":
            gone.add(body["region"])
        elif body["do"] == "restore":
            gone.discard(body["region"])
    return [region for region in found.values() if region.id not in gone]


def deleted_last(entries: Sequence[LogEntry]) -> NamedRegion | None:
    """The region that the newest line of the log deleted, to be offered back."""
    if not entries or entries[-1].body["do"] != "delete":
        return None
    before = named_regions(entries[:-1])
    return next((region for region in before if region.id == entries[-1].body["region"]), None)


def keep(store: Store, run: str, inside: np.ndarray, axes: tuple[str, str]) -> int:
    """Keep the architectures of `inside`, bool (n,), under the next free letter; the number of the region."""
    taken = {entry.body["name"] for entry in store.log(run, kind=KIND) if entry.body["do"] == "keep"}
    letters = [*string.ascii_uppercase, *(f"{letter}{k}" for k in range(2, 100) for letter in string.ascii_uppercase)]
    name = next(letter for letter in letters if letter not in taken)
    return store.append(run, KIND, {"do": "keep", "name": name, "mask": packed(inside), "axes": list(axes)})


def rename(store: Store, run: str, region: int, name: str) -> None:
    """Call a region otherwise.

    Raises:
        ValueError: no name is left, or another region bears it.
    """
    name = name.strip()[:LONGEST_NAME]
    if not name:
        raise ValueError("A region needs a name of at least one letter.")
    if any(other.name == name and other.id != region for other in named_regions(store.log(run, kind=KIND))):
        raise ValueError(f"There is a region {name} already.")
    store.append(run, KIND, {"do": "rename", "region": region, "name": name})
