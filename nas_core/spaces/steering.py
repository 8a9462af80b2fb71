"""Steering: acts that narrow a space, and what a log of them folds to. Defined on decisions, so for any space."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from nas_core.spaces.parts import Architecture, Decision

Metrics = Callable[[Sequence[Architecture] | np.ndarray], Mapping[str, np.ndarray]]
Ranges = tuple[tuple[str, float, float], ...]
"""Closed ranges of metrics: name, lowest, highest."""


class Steerable(Protocol):
    """What steering asks of a search space."""

    name: str
    decisions: tuple[Decision, ...]

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics that ranges may refer to."""

    def metrics(self, archs: Sequence[Architecture] | np.ndarray) -> Mapping[str, np.ndarray]:
        """Values that ranges may refer to, by name."""

    def check(self, allowed: Sequence[Sequence[int]]) -> None:
        """Raises SteeringConflict: with these choices left, by decision, nothing could be built."""


class SteeringConflict(ValueError):
    """An act that would leave nothing to choose, or contradicts one in force. The message gives the reason."""


@dataclass(frozen=True)
class Region:
    """Part of a space: choices an architecture must have, must not have, and closed ranges of metrics."""

    must_have: tuple[tuple[str, str], ...] = ()
    must_not: tuple[tuple[str, str], ...] = ()
    ranges: Ranges = ()

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; `from_dict` reads it back."""
        return {key: [list(item) for item in getattr(self, key)] for key in ("must_have", "must_not", "ranges")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Region:
        """Read what `to_dict` wrote."""
        return cls(
            must_have=tuple((str(d), str(c)) for d, c in data.get("must_have", ())),
            must_not=tuple((str(d), str(c)) for d, c in data.get("must_not", ())),
            ranges=tuple((str(m), float(low), float(high)) for m, low, high in data.get("ranges", ())),
        )


@dataclass(frozen=True)
class Act:
    """One steering act. `decision` may be `"*"`: every decision that offers the choices.

    kind `pin` keeps only `choices`, `prune` drops them, `focus` narrows to `region`, `undo` lifts the act numbered
    `target` (its position in the log).
    """

    kind: Literal["pin", "prune", "focus", "undo"]
    decision: str = ""
    choices: tuple[str, ...] = ()
    region: Region | None = None
    target: int | None = None
    author: str = ""
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; `from_dict` reads it back."""
        return {
            "kind": self.kind,
            "decision": self.decision,
            "choices": list(self.choices),
            "region": self.region.to_dict() if self.region else None,
            "target": self.target,
            "author": self.author,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Act:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: the kind is none of pin, prune, focus, undo.
        """
        if data.get("kind") not in ("pin", "prune", "focus", "undo"):
            raise ValueError(f"unknown steering act {data.get('kind')!r}; expected pin, prune, focus or undo")
        region = data.get("region")
        return cls(
            kind=data["kind"],
            decision=data.get("decision") or "",
            choices=tuple(data.get("choices") or ()),
            region=Region.from_dict(region) if region else None,
            target=data.get("target"),
            author=data.get("author") or "",
            note=data.get("note") or "",
        )

    def describe(self) -> str:
        """A short line for people: `pin edge 0→3 = skip_connect`."""
        if self.kind == "focus":
            region = self.region or Region()
            parts = [f"{d}={c}" for d, c in region.must_have] + [f"{d}≠{c}" for d, c in region.must_not]
            parts += [f"{low:g} ≤ {metric} ≤ {high:g}" for metric, low, high in region.ranges]
            return "focus " + (", ".join(parts) or "everything")
        if self.kind == "undo":
            return f"undo act {self.target}"
        where = "everywhere" if self.decision == "*" else self.decision
        return f"{self.kind} {where} = {' or '.join(self.choices)}"


@dataclass(frozen=True)
class Steering:
    """The folded state of a log of acts: the choices left in every decision, and the metric ranges in force.

    `allowed[d]` holds the choice indices left for decision `d`, ascending. `acts` are those in force.
    """

    allowed: tuple[tuple[int, ...], ...]
    ranges: Ranges = ()
    acts: tuple[Act, ...] = ()
    metrics: Metrics | None = field(default=None, compare=False, repr=False)

    @classmethod
    def free(cls, space: Steerable) -> Steering:
        """No act in force: everything is allowed."""
        return cls(tuple(tuple(range(len(d.choices))) for d in space.decisions), metrics=space.metrics)

    @classmethod
    def fold(cls, space: Steerable, acts: Iterable[Act]) -> Steering:
        """Fold a log of acts, in order; an `undo` lifts an earlier act as if it had never been made.

        Raises:
            SteeringConflict: an act names what the space lacks, or leaves a decision without a choice.
        """
        log = list(acts)
        lifted: set[int] = set()
        for position, act in enumerate(log):
            if act.kind == "undo":
                if act.target is None or not 0 <= act.target < position or log[act.target].kind == "undo":
                    raise SteeringConflict(
                        f"nothing to undo at act {act.target}; expected the number of an earlier act"
                    )
                lifted.add(act.target)
        steering = cls.free(space)
        for position, act in enumerate(log):
            if act.kind != "undo" and position not in lifted:
                steering = steering.extended(space, act)
        return steering

    @classmethod
    def fold_compatible(cls, space: Steerable, acts: Sequence[Act]) -> tuple[Steering, dict[int, str]]:
        """Fold a log in which acts may contradict each other: the later one is left out.

        Returns the steering and, by position in the log, the reason why an act was refused.
        """
        try:
            return cls.fold(space, acts), {}
        except SteeringConflict:
            pass
        kept: list[Act] = []
        refused: dict[int, str] = {}
        for position, act in enumerate(acts):
            try:
                cls.fold(space, [*kept, act])
                kept.append(act)
            except SteeringConflict as conflict:
                kept.append(Act("focus"))  # holds the place, since undo counts positions, and narrows nothing
                refused[position] = str(conflict)
        return cls.fold(space, kept), refused

    def extended(self, space: Steerable, act: Act) -> Steering:
        """This steering with one more act in force.

        Raises:
            SteeringConflict: with the reason, when the act cannot hold together with those in force.
        """
        allowed = [set(choices) for choices in self.allowed]
        ranges = self.ranges
        if act.kind == "focus":
            region = act.region or Region()
            for decision, choice in region.must_have:
                self._keep(space, allowed, act, *_locate(space, decision, (choice,)))
            for decision, choice in region.must_not:
                self._drop(space, allowed, act, *_locate(space, decision, (choice,)))
            for metric, low, high in region.ranges:
                if not low <= high:
                    raise SteeringConflict(f"empty range for {metric}: {low:g} to {high:g}; expected low ≤ high")
                if metric not in space.metric_names:
                    raise SteeringConflict(
                        f"unknown metric {metric!r}; expected one of: {', '.join(space.metric_names)}"
                    )
            ranges = ranges + region.ranges
        elif act.kind in ("pin", "prune"):
            if not act.choices:
                raise SteeringConflict(f"{act.kind} of {act.decision!r} names no choice; expected at least one")
            change = self._keep if act.kind == "pin" else self._drop
            change(space, allowed, act, *_locate(space, act.decision, act.choices))
        else:
            raise SteeringConflict("an undo is folded with its log, not applied to a steering")
        space.check([sorted(choices) for choices in allowed])
        return Steering(
            tuple(tuple(sorted(choices)) for choices in allowed), ranges, (*self.acts, act), metrics=self.metrics
        )

    @staticmethod
    def _keep(
        space: Steerable, allowed: list[set[int]], act: Act, positions: list[int], choices: list[list[int]]
    ) -> None:
        for position, kept in zip(positions, choices, strict=True):
            left = allowed[position] & set(kept)
            if not left:
                decision = space.decisions[position]
                raise SteeringConflict(
                    f"cannot pin {decision.name} to {' or '.join(decision.choices[k] for k in kept)}: "
                    "an earlier act removed it; undo that act first"
                )
            allowed[position] = left

    @staticmethod
    def _drop(
        space: Steerable, allowed: list[set[int]], act: Act, positions: list[int], choices: list[list[int]]
    ) -> None:
        for position, dropped in zip(positions, choices, strict=True):
            left = allowed[position] - set(dropped)
            if not left:
                decision = space.decisions[position]
                raise SteeringConflict(
                    f"cannot prune {' or '.join(decision.choices[k] for k in dropped)} from {decision.name}: "
                    "it is the last choice left there"
                )
            allowed[position] = left

    def allows(self, arch: Architecture) -> bool:
        """Whether `arch` obeys every act in force."""
        return bool(self.mask([arch])[0])

    def mask(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Which of `archs` (n x decisions) obey the steering: bool array of length n."""
        table = np.asarray(archs, dtype=np.int64).reshape(len(archs), len(self.allowed))
        keep = np.ones(len(table), dtype=bool)
        for column, choices in enumerate(self.allowed):
            keep &= np.isin(table[:, column], choices)
        if self.ranges and self.metrics is not None and keep.any():
            rows = np.flatnonzero(keep)
            values = self.metrics(table[rows])
            for metric, low, high in self.ranges:
                column_values = np.asarray(values[metric])
                keep[rows] &= (column_values >= low) & (column_values <= high)
        return keep

    @property
    def is_free(self) -> bool:
        """Whether no act is in force."""
        return not self.acts


def _locate(space: Steerable, decision: str, choices: Sequence[str]) -> tuple[list[int], list[list[int]]]:
    """Positions of the decisions meant, and for each the indices of the choices meant."""
    positions, indices = [], []
    for position, candidate in enumerate(space.decisions):
        if decision in ("*", candidate.name):
            known = [candidate.choices.index(choice) for choice in choices if choice in candidate.choices]
            if decision != "*" and len(known) < len(choices):
                missing = next(choice for choice in choices if choice not in candidate.choices)
                raise SteeringConflict(
                    f"{candidate.name} has no choice {missing!r}; expected one of: {', '.join(candidate.choices)}"
                )
            if known:
                positions.append(position)
                indices.append(known)
    if not positions:
        if decision == "*":
            raise SteeringConflict(f"no decision of {space.name} offers {' or '.join(map(repr, choices))}")
        expected = ", ".join(d.name for d in space.decisions)
        raise SteeringConflict(f"unknown decision {decision!r}; expected one of: {expected}")
    return positions, indices
