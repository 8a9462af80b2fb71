"""Regions: what architectures inside a lasso have in common, as a focus the search can obey. Pure functions."""

from __future__ import annotations

import numpy as np

from app.cockpit import View
from app.space_table import SpaceTable
from nas_core.spaces import Act, Region, Steering, SteeringConflict


def region_of(table: SpaceTable, inside: np.ndarray, axes: tuple[str, str]) -> Region:
    """The region that holds every architecture of `inside`, bool (n,), not empty.

    Blocks that all of them have are must-have, blocks that none has must-not; axes that are metrics of the space
    add their range. It may hold more than what was drawn around, never less.
    """
    archs = table.archs[inside]
    must_have, must_not = [], []
    for d, decision in enumerate(table.space.decisions):
        present = set(archs[:, d].tolist())
        if len(present) == 1:
            must_have.append((decision.name, decision.choices[present.pop()]))
        else:
            must_not += [(decision.name, choice) for c, choice in enumerate(decision.choices) if c not in present]
    ranges = []
    for axis in dict.fromkeys(axes):
        if axis in table.space.metric_names:
            values = table.closed[axis].to_numpy(dtype=float)[inside]
            ranges.append((axis, float(values.min()), float(values.max())))
    return Region(tuple(must_have), tuple(must_not), tuple(ranges))


def changes(view: View, act: Act) -> bool:
    """Whether `act`, a pin, prune or focus, would change the steering.

    A focus does where it removes an architecture; of a space that is shown as a sample, choices and ranges tell.

    Raises:
        SteeringConflict: the act cannot hold together with those in force, with the reason.
    """
    before, after = view.steering, view.steering.extended(view.table.space, act)
    if act.kind == "focus" and not view.table.sampled:
        return not np.array_equal(after.mask(view.table.archs), view.kept)
    return (after.allowed, _tightest(after)) != (before.allowed, _tightest(before))


def _tightest(steering: Steering) -> dict[str, tuple[float, float]]:
    """What the ranges in force leave of every metric."""
    left: dict[str, tuple[float, float]] = {}
    for metric, low, high in steering.ranges:
        lowest, highest = left.get(metric, (low, high))
        left[metric] = max(low, lowest), min(high, highest)
    return left


def describe(table: SpaceTable, inside: np.ndarray, kept: np.ndarray, axes: tuple[str, str]) -> str:
    """How many architectures were drawn around, and how many of the `kept` ones a focus on them would leave."""
    region = region_of(table, inside, axes)
    try:
        focused = Steering.free(table.space).extended(table.space, Act("focus", region=region))
    except SteeringConflict as conflict:
        return str(conflict)
    left = int((focused.mask(table.archs) & kept).sum())
    text = f"Region: {int(inside.sum()):,} inside; a focus keeps {left:,} of {int(kept.sum()):,}"
    return text + (" (it narrows nothing)" if left == int(kept.sum()) else "")
