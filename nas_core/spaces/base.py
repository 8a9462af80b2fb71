"""What every search space shares: decisions, steering, and sampling, mutation, neighbours and counts under a steering.

A space is a product of decisions, optionally narrowed by `valid`. No torch and no concrete space lives here.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

Architecture = tuple[int, ...]
Metrics = Callable[[Sequence[Architecture] | np.ndarray], Mapping[str, np.ndarray]]
Ranges = tuple[tuple[str, float, float], ...]
"""Closed ranges of metrics: name, lowest, highest."""

_ENUMERATION_LIMIT = 1_000_000
_COUNT_SAMPLES = 20_000
_REJECTION_LIMIT = 2_000
_MEMBERS_LIMIT = 4_000_000
_FEW = 65_536  # choices whose metrics take no longer than ten draws by rejection
_PROBE, _PROBE_HITS = 8_192, 16
_BLOCKS = (64, 512, 4_096, *[32_768] * 8)
_CHUNK = 65_536


OPTIONAL = ("off", "on")
"""The choices of a decision that keeps something or leaves it out."""


@dataclass(frozen=True)
class Decision:
    """One choice a space leaves open: its name and the names of its choices."""

    name: str
    choices: tuple[str, ...]

    @property
    def optional(self) -> bool:
        """Whether it decides no more than to keep what it is named after."""
        return self.choices == OPTIONAL


@dataclass(frozen=True)
class ImageShape:
    """Input of a network: channels, height and width in pixels."""

    channels: int = 3
    height: int = 32
    width: int = 32


@dataclass(frozen=True)
class Scale:
    """Size of the network around a cell: channels of the first stage and cells in each stage."""

    channels: int = 16
    cells: int = 5


@dataclass(frozen=True)
class GraphEdge:
    """A directed edge between two nodes, labelled with the operation it carries."""

    source: int
    target: int
    operation: str
    decision: str
    live: bool = True


@dataclass(frozen=True)
class CellGraph:
    """Nodes and operation-labelled edges of an architecture, to draw and to compare."""

    nodes: tuple[str, ...]
    edges: tuple[GraphEdge, ...]


@dataclass(frozen=True)
class Count:
    """How many architectures; `exact` is False where the number was estimated by sampling."""

    value: int
    exact: bool = True


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
    def free(cls, space: SearchSpace) -> Steering:
        """No act in force: everything is allowed."""
        return cls(tuple(tuple(range(len(d.choices))) for d in space.decisions), metrics=space.metrics)

    @classmethod
    def fold(cls, space: SearchSpace, acts: Iterable[Act]) -> Steering:
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
    def settle(cls, space: SearchSpace, acts: Sequence[Act]) -> tuple[Steering, dict[int, str]]:
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

    def extended(self, space: SearchSpace, act: Act) -> Steering:
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
        space: SearchSpace, allowed: list[set[int]], act: Act, positions: list[int], choices: list[list[int]]
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
        space: SearchSpace, allowed: list[set[int]], act: Act, positions: list[int], choices: list[list[int]]
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


def _locate(space: SearchSpace, decision: str, choices: Sequence[str]) -> tuple[list[int], list[list[int]]]:
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


class SearchSpace(ABC):
    """A search space. Concrete spaces give notation, canonical form, build, graph and encoding; the rest is generic."""

    name: str
    title: str
    decisions: tuple[Decision, ...]
    metric_names: tuple[str, ...] = ()

    @abstractmethod
    def parse(self, text: str) -> Architecture:
        """Read the field's notation. Raises ValueError naming the offending part."""

    @abstractmethod
    def format(self, arch: Architecture) -> str:
        """Write the field's notation; `parse` reads it back."""

    @abstractmethod
    def canonical(self, arch: Architecture) -> Architecture:
        """The one architecture that stands for all that build the same network."""

    @abstractmethod
    def build(self, arch: Architecture, *, image: ImageShape, classes: int, scale: Scale) -> nn.Module:
        """The torch module of `arch`, freshly initialised from torch's global generator."""

    def stack(
        self, archs: Sequence[Architecture], *, seeds: Sequence[int], image: ImageShape, classes: int, scale: Scale
    ) -> Any:
        """The networks of `archs` side by side, to be scored in one pass, or None where the space cannot.

        Each has the weights that `build` draws after `torch.manual_seed` with its seed. See `nas_core.proxies.Stack`.
        """
        return None

    @abstractmethod
    def graph(self, arch: Architecture) -> CellGraph:
        """Nodes and edges to draw."""

    @abstractmethod
    def encode(self, archs: Sequence[Architecture] | np.ndarray) -> np.ndarray:
        """Features for projections and predictors: float array (n, features)."""

    def valid(self, arch: Architecture) -> bool:
        """Whether `arch` belongs to the space at all; spaces with constraints override this."""
        return len(arch) == len(self.decisions) and all(
            0 <= choice < len(decision.choices) for choice, decision in zip(arch, self.decisions, strict=True)
        )

    def closed_forms(
        self,
        archs: Sequence[Architecture] | np.ndarray,
        *,
        image: ImageShape | None = None,
        classes: int = 10,
        scale: Scale | None = None,
    ) -> pd.DataFrame:
        """Counts that need no network, one row an architecture; spaces that know none return no columns."""
        import pandas as pd

        return pd.DataFrame(index=range(len(archs)))

    def metrics(self, archs: Sequence[Architecture] | np.ndarray) -> Mapping[str, np.ndarray]:
        """Values that ranges of a focus may refer to: the closed forms at full scale."""
        frame = self.closed_forms(archs)
        return {str(column): frame[column].to_numpy() for column in frame}

    @property
    def image(self) -> ImageShape:
        """The images that a network is built for where nobody says."""
        return ImageShape()

    def check(self, allowed: Sequence[Sequence[int]]) -> None:  # noqa: B027 - a hook, not a duty
        """Whether `allowed` choices, by decision, leave something to build; spaces with constraints may look closer.

        Raises:
            SteeringConflict: with the reason, when nothing would be left.
        """

    @property
    def one_shot_settings(self) -> Mapping[str, Any]:
        """What shared weights over this space are trained with where the user says nothing.

        Only where it differs from the defaults of `nas_core.supernet.SupernetSettings`.
        """
        return {}

    @property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Decisions that belong together, to be shown so: a label and their positions; by default each is alone."""
        return tuple((decision.name, (d,)) for d, decision in enumerate(self.decisions))

    def deal(
        self, group: tuple[int, ...], allowed: Sequence[Sequence[int]], rng: np.random.Generator
    ) -> list[tuple[int, ...]]:
        """Allowed choices of a group of decisions, in a random order, no choice more often than another.

        What strictly fair sampling takes from one after another; groups are dealt independently of each other.

        Raises:
            SteeringConflict: constraints of the space do not allow that.
        """
        if type(self).valid is not SearchSpace.valid or len(group) != 1:
            raise SteeringConflict(f"fair sampling deals one decision at a time; constraints of {self.name} forbid it")
        return [(int(choice),) for choice in rng.permutation(allowed[group[0]])]

    @property
    def size(self) -> int:
        """Number of architectures if every combination of choices is valid."""
        return math.prod(len(decision.choices) for decision in self.decisions)

    def architectures(self, steering: Steering | None = None) -> Iterator[Architecture]:
        """Every valid architecture that obeys `steering`, in lexicographic order.

        Raises:
            ValueError: the space is too large to enumerate.
        """
        steering = steering or Steering.free(self)
        product = math.prod(map(len, steering.allowed))
        if product > (_MEMBERS_LIMIT if steering.ranges else _ENUMERATION_LIMIT):
            raise ValueError(f"{self.name} is too large to enumerate; sample it instead")
        if steering.ranges:
            yield from map(tuple, _members(self, steering.allowed, steering.ranges).tolist())
        else:
            yield from filter(self.valid, itertools.product(*steering.allowed))

    def count(self, steering: Steering | None = None) -> Count:
        """How many architectures obey `steering`; exact where the space factorises or can be enumerated."""
        steering = steering or Steering.free(self)
        product = math.prod(map(len, steering.allowed))
        unconstrained = type(self).valid is SearchSpace.valid
        if unconstrained and not steering.ranges:
            return Count(product)
        if steering.ranges and (few := self._left(steering)) is not None:
            return Count(len(few))
        if product <= _ENUMERATION_LIMIT:
            return Count(sum(1 for _ in self.architectures(steering)))
        draws = np.random.default_rng(0)
        picks = [tuple(int(draws.choice(choices)) for choices in steering.allowed) for _ in range(_COUNT_SAMPLES)]
        share = np.mean([self.valid(pick) for pick in picks] & steering.mask(picks))
        return Count(round(float(share) * product), exact=False)

    def sample(self, rng: np.random.Generator, steering: Steering | None = None) -> Architecture:
        """One architecture, uniform over those that obey `steering`.

        Raises:
            SteeringConflict: nothing in the space obeys it.
        """
        steering = steering or Steering.free(self)
        if steering.ranges and (few := self._left(steering)) is not None:
            if len(few):
                return tuple(few[rng.integers(len(few))].tolist())
            raise SteeringConflict("no architecture obeys the steering; undo an act")
        if steering.ranges:
            found = self._by_rejection(rng, steering, _BLOCKS, 1)
            if len(found):
                return tuple(found[0].tolist())
            raise SteeringConflict("no architecture obeys the steering, or too few to be found; undo an act")
        for _ in range(_REJECTION_LIMIT):
            arch = tuple(int(choices[rng.integers(len(choices))]) for choices in steering.allowed)
            if self.valid(arch):
                return arch
        if math.prod(map(len, steering.allowed)) <= _ENUMERATION_LIMIT:
            left = list(self.architectures(steering))
            if left:
                return left[int(rng.integers(len(left)))]
        raise SteeringConflict("no architecture obeys the steering; undo an act")

    def sample_many(self, rng: np.random.Generator, steering: Steering, n: int) -> np.ndarray:
        """At most `n` architectures, uniform over those that obey a steering with metric ranges: (found, decisions).

        Fewer than `n`, yet at least one, where few are left and cannot be enumerated.

        Raises:
            SteeringConflict: nothing in the space obeys it, or it is too rare to be found.
        """
        left = self._left(steering)
        if left is not None:
            found = left[rng.integers(len(left), size=n)] if len(left) else left
        else:
            found = self._by_rejection(rng, steering, [_BLOCKS[-1]] * len(_BLOCKS), n)
        if not len(found):
            raise SteeringConflict("no architecture obeys the steering; undo an act")
        return found

    def _left(self, steering: Steering) -> np.ndarray | None:
        """Every architecture that obeys metric ranges, where rejection would take longer than a table once."""
        product = math.prod(map(len, steering.allowed))
        if product > _MEMBERS_LIMIT or (product > _FEW and not _rare(self, steering.allowed, steering.ranges)):
            return None
        return _members(self, steering.allowed, steering.ranges)

    def _by_rejection(self, rng: np.random.Generator, steering: Steering, blocks: Sequence[int], n: int) -> np.ndarray:
        """The first `n` draws that obey, or all of `blocks`: metrics of a block take hardly longer than one."""
        found = np.empty((0, len(steering.allowed)), dtype=np.int16)
        for size in blocks:
            found = np.concatenate([found, self._drawn(rng, steering, size)])
            if len(found) >= n:
                break
        return found[:n]

    def _drawn(self, rng: np.random.Generator, steering: Steering, n: int) -> np.ndarray:
        """Those of `n` uniform draws that are valid and obey the steering: (kept, decisions)."""
        table = np.stack(
            [np.asarray(c, dtype=np.int16)[rng.integers(len(c), size=n)] for c in steering.allowed], axis=1
        )
        return self._obeying(table, steering)

    def _obeying(self, table: np.ndarray, steering: Steering) -> np.ndarray:
        kept = table[steering.mask(table)]
        return kept[[self.valid(tuple(row)) for row in kept.tolist()]] if len(kept) else kept

    def neighbours(self, arch: Architecture, steering: Steering | None = None) -> list[Architecture]:
        """Every architecture that obeys `steering` and differs from `arch` in exactly one decision."""
        steering = steering or Steering.free(self)
        found = [
            (*arch[:position], choice, *arch[position + 1 :])
            for position, choices in enumerate(steering.allowed)
            for choice in choices
            if choice != arch[position]
        ]
        if not found:
            return []
        keep = steering.mask(found)
        return [other for other, kept in zip(found, keep, strict=True) if kept and self.valid(other)]

    def mutate(self, arch: Architecture, rng: np.random.Generator, steering: Steering | None = None) -> Architecture:
        """`arch` with one decision redrawn, repaired first where it breaks `steering`."""
        steering = steering or Steering.free(self)
        repaired = tuple(
            choice if choice in choices else int(choices[rng.integers(len(choices))])
            for choice, choices in zip(arch, steering.allowed, strict=True)
        )
        near = self.neighbours(repaired, steering)
        return near[int(rng.integers(len(near)))] if near else self.sample(rng, steering)


@lru_cache(maxsize=8)
def _members(space: SearchSpace, allowed: tuple[tuple[int, ...], ...], ranges: Ranges) -> np.ndarray:
    steering = Steering(allowed, ranges, metrics=space.metrics)
    sizes = tuple(map(len, allowed))
    found = []
    for start in range(0, math.prod(sizes), _CHUNK):
        picks = np.unravel_index(np.arange(start, min(start + _CHUNK, math.prod(sizes))), sizes)
        table = np.stack([np.asarray(c, dtype=np.int16)[k] for c, k in zip(allowed, picks, strict=True)], axis=1)
        found.append(space._obeying(table, steering))
    members = np.concatenate(found)
    members.setflags(write=False)
    return members


@lru_cache(maxsize=64)
def _rare(space: SearchSpace, allowed: tuple[tuple[int, ...], ...], ranges: Ranges) -> bool:
    """Whether rejection would take long. The same in every process, so that equal seeds draw equally."""
    steering = Steering(allowed, ranges, metrics=space.metrics)
    return len(space._drawn(np.random.default_rng(0), steering, _PROBE)) < _PROBE_HITS
