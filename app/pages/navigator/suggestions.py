"""What an analyst could do next, each with its evidence. Pure functions of a view and the regions kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.cockpit import View
from app.masks import unpacked
from app.pages.navigator.coverage import coverage, least_explored
from app.pages.navigator.named_regions import NamedRegion
from app.pages.navigator.region import region_of
from app.palette import block_name
from nas_core.ranks import rankdata
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
    asked = [kind() for kind in kinds]
    first = [suggestion for found in asked if (suggestion := next(found, None))]
    if len(first) < MOST:
        first += [suggestion for found in asked for suggestion in found]
    return first[:MOST]


@dataclass(frozen=True)
class _Block:
    """A block that the steering leaves, and the median fitness and the highest interval of its rivals, if supported."""

    decision: int
    choice: int
    fitness: float
    low: float
    high: float
    n: int
    median: float
    highest: float
    supported: bool

    def sentence(self) -> str:
        return f"Fitness {self.fitness:.2f} [{self.low:.2f}, {self.high:.2f}], n = {self.n},"


def _prunes(view: View) -> Iterator[Suggestion]:
    """Blocks whose whole interval lies below the median of the others left in their decision; clearest first."""
    clear = [block for block in _blocks(view) if block.high < block.median]
    for block in sorted(clear, key=lambda block: block.high - block.median)[:MOST]:
        yield from _acting(view, "prune", block, f"{block.sentence()} is below the others' median {block.median:.2f}")


def _pins(view: View) -> Iterator[Suggestion]:
    """Blocks whose whole interval lies above the interval of every other one left in their decision; clearest first."""
    clear = [block for block in _blocks(view) if block.supported and block.low > block.highest]
    for block in sorted(clear, key=lambda block: block.highest - block.low)[:MOST]:
        above = f"is above every other's interval (up to {block.highest:.2f})"
        yield from _acting(view, "pin", block, f"{block.sentence()} {above}")


def _blocks(view: View) -> Iterator[_Block]:
    """Blocks with support in decisions that the steering leaves open."""
    if not len(view.indices):
        return
    columns = {name: view.blocks[name].to_numpy() for name in view.blocks}
    for d, allowed in enumerate(view.steering.allowed):
        of_decision = np.flatnonzero((columns["decision"] == d) & np.isin(columns["choice"], allowed))
        for k in of_decision if len(of_decision) > 1 else ():
            left_out = view.table.space.decisions[d].optional and not columns["choice"][k]
            if columns["n"][k] < LEAST_SUPPORT or left_out:  # of an optional block, keeping it is what is judged
                continue
            others = of_decision[of_decision != k]
            yield _Block(
                decision=d,
                choice=int(columns["choice"][k]),
                fitness=float(columns["fitness"][k]),
                low=float(columns["low"][k]),
                high=float(columns["high"][k]),
                n=int(columns["n"][k]),
                median=float(np.median(columns["fitness"][others])),
                highest=float(columns["high"][others].max()),
                supported=bool((columns["n"][others] >= LEAST_SUPPORT).all()),
            )


def _acting(view: View, kind: str, block: _Block, evidence: str) -> Iterator[Suggestion]:
    decision = view.table.space.decisions[block.decision]
    choice = decision.choices[block.choice]
    act = Act("pin" if kind == "pin" else "prune", decision.name, (choice,))
    try:
        after = view.steering.extended(view.table.space, act)
    except SteeringConflict:
        return
    seen = view.preview(after)
    if seen.best_lost > MOST_LOST:
        return
    name = f"{kind} {block_name(decision, block.choice)}"
    words = (kind, str(block.decision), str(block.choice))
    yield Suggestion(name, f"{evidence}; {seen.sentence()}.", words)


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
        evidence = f"Scored there: {area.coverage.sentence()}; overall {coverage(view).percent}."
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
