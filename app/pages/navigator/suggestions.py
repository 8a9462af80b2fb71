"""What an analyst could do next, each with its evidence. Pure functions of a view and the regions kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from app.cockpit import View
from app.masks import unpacked
from app.pages.navigator.coverage import coverage, least_explored
from app.pages.navigator.named_regions import NamedRegion
from app.pages.navigator.region import region_of
from app.palette import OPERATION_NAMES
from nas_core.spaces import Act, Steering, SteeringConflict

MOST = 3
LEAST_SUPPORT = 10
"""Scored candidates that a block or region must have before anything is said of it."""
MOST_LOST = 0.1
"""An act that loses the best candidate with a greater chance is not suggested."""
_STILL_RISING = 0.75
"""A run that found its best in the last quarter of its candidates has not levelled off."""


@dataclass(frozen=True)
class Suggestion:
    """Something to do: its name, the evidence in one sentence, and the words of the press that does it."""

    name: str
    evidence: str
    press: tuple[str, ...]


def suggestions(view: View, regions: Sequence[NamedRegion] = ()) -> list[Suggestion]:
    """At most three, of different kinds where there are several; none where the evidence carries none."""
    kinds: tuple[Callable[[], Iterator[Suggestion]], ...] = (
        lambda: _prunes(view),
        lambda: _pins(view),
        lambda: _focuses(view, regions),
        lambda: _explorations(view),
        lambda: _extensions(view),
    )
    each = [[*kind()] for kind in kinds]
    first = [found[0] for found in each if found]
    return [*first, *(more for found in each for more in found[1:])][:MOST]


def _prunes(view: View) -> Iterator[Suggestion]:
    """Blocks whose whole interval lies below the median of the others left in their decision; clearest first."""
    clear = []
    for block, others in _rivals(view):
        median = float(others["fitness"].median())
        if block.n >= LEAST_SUPPORT and block.high < median:
            clear.append((median - block.high, block, median))
    for _, block, median in sorted(clear, key=lambda found: -found[0])[:MOST]:
        evidence = f"{_fitness(block)} is below the others' median {median:.2f}"
        yield from _acting(view, "prune", block, evidence)


def _pins(view: View) -> Iterator[Suggestion]:
    """A block whose whole interval lies above the interval of every other one left in its decision."""
    for block, others in _rivals(view):
        supported = (others["n"] >= LEAST_SUPPORT).all()
        if supported and block.n >= LEAST_SUPPORT and block.low > others["high"].max():
            evidence = f"{_fitness(block)} is above every other's interval (up to {others['high'].max():.2f})"
            yield from _acting(view, "pin", block, evidence)


def _rivals(view: View) -> Iterator[tuple[pd.Series, pd.DataFrame]]:
    """Every block that the steering leaves, with the others left in its decision; decisions that are open only."""
    for d, blocks in view.blocks.groupby("decision"):
        left = blocks[blocks["choice"].isin(view.steering.allowed[int(d)])]
        if len(left) > 1 and len(view.indices):
            for place in range(len(left)):
                yield left.iloc[place], left.drop(index=left.index[place])


def _acting(view: View, kind: str, block: pd.Series, evidence: str) -> Iterator[Suggestion]:
    decision = view.table.space.decisions[int(block.decision)]
    choice = decision.choices[int(block.choice)]
    act = Act("pin" if kind == "pin" else "prune", decision.name, (choice,))
    try:
        after = view.steering.extended(view.table.space, act)
    except SteeringConflict:
        return
    seen = view.preview(after)
    if seen.best_lost > MOST_LOST:
        return
    name = f"{kind} {decision.name} {OPERATION_NAMES.get(choice, choice)}"
    words = (kind, str(int(block.decision)), str(int(block.choice)))
    yield Suggestion(name, f"{evidence}; {seen.sentence()}.", words)


def _fitness(block: pd.Series) -> str:
    return f"Fitness {block.fitness:.2f} [{block.low:.2f}, {block.high:.2f}], n = {int(block.n)},"


def _focuses(view: View, regions: Sequence[NamedRegion]) -> Iterator[Suggestion]:
    """Regions whose candidates rank above the middle, where a focus narrows anything."""
    ranked = rankdata(np.nan_to_num(view.ranked, nan=-np.inf)) if len(view.indices) else np.zeros(0)
    ranks = (ranked - 1) / max(len(ranked) - 1, 1)
    good = []
    for region in regions:
        inside = unpacked(region.mask, len(view.table.archs))
        held = ranks[inside[view.indices]]
        if len(held) < LEAST_SUPPORT or not _narrows(view, inside, region.axes):
            continue
        mean, margin = float(held.mean()), 1.96 * float(held.std(ddof=1)) / len(held) ** 0.5
        if mean - margin > 0.5:
            good.append((mean, margin, len(held), region))
    for mean, margin, n, region in sorted(good, key=lambda found: found[1] - found[0]):
        evidence = f"Its scored candidates rank at {mean:.2f} ± {margin:.2f} on average (0.5 is the middle), n = {n}."
        yield Suggestion(f"focus on region {region.name}", evidence, ("focus", str(region.id)))


def _narrows(view: View, inside: np.ndarray, axes: tuple[str, str]) -> bool:
    if not inside.any():
        return False
    act = Act("focus", region=region_of(view.table, inside, axes))
    try:
        after: Steering = view.steering.extended(view.table.space, act)
    except SteeringConflict:
        return False
    left = after.mask(view.table.archs)
    return 0 < int(left.sum()) < int(view.kept.sum())


def _explorations(view: View) -> Iterator[Suggestion]:
    area = least_explored(view)
    if area is not None:
        evidence = f"Scored there: {area.coverage.sentence()}; overall {100 * coverage(view).share:.0f} %."
        yield Suggestion("look into the least explored area", evidence, ("explore",))


def _extensions(view: View) -> Iterator[Suggestion]:
    """More budget for a run that is through with its own and was still finding better candidates."""
    values = view.ranked
    if view.run.state != "finished" or not len(values) or np.isnan(values).all():
        return
    best = int(np.nanargmax(values)) + 1
    rest = coverage(view)
    if best > _STILL_RISING * len(values) and rest.scored < rest.networks:
        evidence = f"The best candidate came as number {best:,} of {len(values):,}: the curve has not levelled off."
        yield Suggestion("extend the budget", evidence, ("extend", view.run.id))
