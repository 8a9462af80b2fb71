"""The contract of a search space under steering: draws, neighbours, mutations, counts and enumeration."""

from __future__ import annotations

import itertools

import numpy as np

from nas_core.spaces import Act, Region, SearchSpace, Steering, SteeringConflict
from nas_core.testing._contract import require
from nas_core.testing._sampled import Sampled

_DRAWS = 12
_ENUMERATED = 40_000
"""Combinations of choices up to which the whole space is enumerated."""


def steerings(space: SearchSpace, seed: int) -> list[Steering]:
    """No act; a pinned decision and a pruned choice where the space allows them; and a range of a metric."""
    rng = np.random.default_rng(seed)
    arch = space.sample(rng)
    acts = [Act("pin", d.name, (d.choices[c],)) for d, c in zip(space.decisions[:1], arch, strict=False)]
    for decision, kept in zip(space.decisions[1:], arch[1:], strict=True):
        others = [choice for number, choice in enumerate(decision.choices) if number != kept]
        acts += [Act("prune", decision.name, (others[0],))] if others else []
    found = [Steering.free(space), _folded(space, acts[:1]), _folded(space, acts)]
    if space.metric_names:
        metric = space.metric_names[0]
        values = np.asarray(space.metrics([space.sample(rng) for _ in range(40)])[metric], dtype=float)
        low, high = float(np.median(values)), float(values.max())
        found.append(_folded(space, [Act("focus", region=Region(ranges=((metric, low, high),)))]))
    return found


def _folded(space: SearchSpace, acts: list[Act]) -> Steering:
    """Those of `acts` that can hold together: constraints of a space may forbid some."""
    steering = Steering.free(space)
    for act in acts:
        try:
            steering = steering.extended(space, act)
        except SteeringConflict:
            continue
    return steering


def _draws_obey(checked: Sampled) -> None:
    """What `sample` draws obeys the steering, and equal generators draw equally."""
    space = checked.space
    for steering in steerings(space, checked.seed):
        one, other = (np.random.default_rng(checked.seed) for _ in range(2))
        for _ in range(_DRAWS):
            arch = space.sample(one, steering)
            obeys = space.valid(arch) and steering.allows(arch)
            require(obeys, f"sample draws {arch} under {_spelled(steering)}", "a valid architecture that obeys")
            require(space.sample(other, steering) == arch, "sample draws otherwise from an equal generator", f"{arch}")


def _neighbours_obey(checked: Sampled) -> None:
    """Neighbours are all that obey and differ in one decision; a mutation is one of them."""
    space = checked.space
    for steering in steerings(space, checked.seed):
        rng = np.random.default_rng(checked.seed)
        for _ in range(3):
            arch = space.sample(rng, steering)
            near = space.neighbours(arch, steering)
            expected = _near(space, arch, steering)
            require(len(near) == len(set(near)), f"neighbours of {arch} repeat one", "each once")
            strange = next(iter(set(near) - expected), None)
            found = f"{strange} is a neighbour of {arch} under {_spelled(steering)}"
            require(strange is None, found, "one decision changed, valid and obeying")
            lacking = next(iter(expected - set(near)), None)
            require(lacking is None, f"{lacking} is no neighbour of {arch}", "every one that differs in one decision")
            child = space.mutate(arch, rng, steering)
            require(child in expected or not expected, f"mutate makes {child} of {arch}", "one of its neighbours")


def _near(space: SearchSpace, arch: tuple[int, ...], steering: Steering) -> set[tuple[int, ...]]:
    changed = (
        (*arch[:position], choice, *arch[position + 1 :])
        for position, choices in enumerate(steering.allowed)
        for choice in choices
        if choice != arch[position]
    )
    return {other for other in changed if space.valid(other) and steering.allows(other)}


def _counts(checked: Sampled) -> str:
    """A count is a positive number; where the space can be enumerated, it is exact and equals the enumeration."""
    space = checked.space
    count = space.count()
    product = 1
    for decision in space.decisions:
        product *= len(decision.choices)
    require(
        0 < space.size <= product, f"size is {space.size}", f"1 to {product}, the product of the numbers of choices"
    )
    within = 0 < count.value <= (space.size if count.exact else product)
    require(within, f"count is {count.value}", f"1 to {space.size}, the size of the space")
    if product > _ENUMERATED:
        return f"about {count.value:,} architectures" if not count.exact else f"{count.value:,} architectures"
    archs = list(space.architectures())
    require(count.exact and count.value == len(archs), f"count is {count}", f"exactly {len(archs)}, as enumerated")
    ordered = all(one < other for one, other in itertools.pairwise(archs))
    require(ordered, "architectures are not in lexicographic order, each once", "that order")
    missing = next((arch for arch in checked.archs if arch not in set(archs)), None)
    require(missing is None, f"sample draws {missing}, which is not enumerated", "every valid architecture")
    for steering in steerings(space, checked.seed)[1:]:
        left = sum(1 for _ in space.architectures(steering))
        found = space.count(steering)
        require(found.exact and found.value == left, f"count under {_spelled(steering)} is {found}", f"exactly {left}")
    return f"{len(archs):,} architectures, enumerated"


def _spelled(steering: Steering) -> str:
    return "; ".join(act.describe() for act in steering.acts) or "no act"


PROMISES = (_draws_obey, _neighbours_obey, _counts)
