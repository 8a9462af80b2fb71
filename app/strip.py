"""An architecture as a strip: one segment a decision, in the colour of its choice, with its short name inside.

Pure: a space and an architecture in, a part of a page out, or JSON that `assets/strips.js` draws in a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dash import html

from app.palette import OPERATION_NAMES, block_colour, block_label
from nas_core.spaces import Architecture, Decision, SearchSpace

_NOTHING = "none"
"""The operation that is no path by itself: it is not struck through for having none."""
_KEPT_PATHS = 20_000
"""Architectures whose dead paths are remembered: tables draw the same ones again and again."""


@dataclass(frozen=True)
class Segment:
    """One decision of a strip.

    Args:
        decision: its name.
        name: what is inside: the short name of the choice; empty where the decision keeps a block or leaves it out.
        meaning: the choice in full words, for those who hover or listen.
        colour: of the choice, #RRGGBB.
        live: whether anything flows through it.
        held: False where it is a block that is left out.
        unlike: whether it differs from what it is compared with.
        first: whether a group of decisions begins with it.
    """

    decision: str
    name: str
    meaning: str
    colour: str
    live: bool = True
    held: bool = True
    unlike: bool = False
    first: bool = False


def segments(space: SearchSpace, arch: Architecture, unlike: Architecture | None = None) -> tuple[Segment, ...]:
    """The segments of `arch`, a choice for every decision; those that differ from `unlike` say so."""
    dead, first = dead_decisions(space, arch), _firsts(space)
    return tuple(
        Segment(
            decision.name,
            *_named(decision, choice),
            live=d not in dead,
            held=not decision.optional or bool(choice),
            unlike=unlike is not None and unlike[d] != choice,
            first=d in first,
        )
        for d, (decision, choice) in enumerate(zip(space.decisions, arch, strict=True))
    )


@lru_cache(maxsize=_KEPT_PATHS)
def dead_decisions(space: SearchSpace, arch: Architecture) -> frozenset[int]:
    """Decisions of `arch` whose operation lies on no live path; one that says "no operation" is none of them."""
    place = {decision.name: d for d, decision in enumerate(space.decisions)}
    return frozenset(
        place[edge.decision]
        for edge in space.graph(arch).edges
        if not edge.live and edge.operation != _NOTHING and edge.decision in place
    )


def words(space: SearchSpace, arch: Architecture) -> str:
    """The strip as one line of text: `conv3 · skip · none`, of optional blocks those that are kept."""
    parts = [part.name or part.meaning for part in segments(space, arch) if part.held]
    return " · ".join(parts) or "nothing kept"


def strip(space: SearchSpace, arch: Architecture, unlike: Architecture | None = None) -> html.Span:
    """The strip of `arch`, for a card or a tooltip; segments that differ from `unlike` have a ring."""
    parts = segments(space, arch, unlike)
    said = "; ".join(_said(part) for part in parts if part.held)
    return html.Span(
        [
            html.Span(part.name, className=_looks(part), style={"--op": part.colour}, title=_said(part))
            for part in parts
        ],
        className="strip",
        role="img",
        **{"aria-label": said or "nothing kept"},
    )


def legend(space: SearchSpace) -> list[dict[str, Any]]:
    """What a table needs once to draw the strips of a space: for every decision its name and its choices."""
    first = _firsts(space)
    return [
        {
            "decision": decision.name,
            "first": d in first,
            "choices": [[*_named(decision, c), not decision.optional or bool(c)] for c in range(len(decision.choices))],
        }
        for d, decision in enumerate(space.decisions)
    ]


def row(space: SearchSpace, arch: Architecture) -> dict[str, list[int]]:
    """What a row of a table says of its architecture: `strip` its choices, `dead` its decisions without a live path."""
    return {"strip": list(arch), "dead": sorted(dead_decisions(space, arch))}


def _named(decision: Decision, choice: int) -> tuple[str, str, str]:
    """Short name, meaning and colour of a choice."""
    full = decision.choices[choice]
    if decision.optional:
        return "", decision.name if choice else f"{decision.name} left out", block_colour(decision, choice)
    return block_label(decision, choice), OPERATION_NAMES.get(full, full), block_colour(decision, choice)


def _firsts(space: SearchSpace) -> frozenset[int]:
    """Decisions that a group of several begins with: a gap stands before them."""
    grouped = any(len(members) > 1 for _, members in space.groups)
    return frozenset(members[0] for _, members in space.groups if grouped and members and members[0])


def _looks(part: Segment) -> str:
    """The classes of a segment; `assets/strips.js` gives the same."""
    return " ".join(
        [
            "segment",
            *(["narrow"] if not part.name else []),
            *(["dead"] if not part.live else []),
            *(["out"] if not part.held else []),
            *(["unlike"] if part.unlike else []),
            *(["first"] if part.first else []),
        ]
    )


def _said(part: Segment) -> str:
    """A segment in words."""
    what = part.meaning if part.meaning.startswith(part.decision) else f"{part.decision} {part.meaning}"
    return f"{what}{'' if part.live else ', no live path'}{', differs' if part.unlike else ''}"
