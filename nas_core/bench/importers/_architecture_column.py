"""Where a table holds its architectures: in one column as text, or in a column for every decision of the space."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

GUESSES = ("arch", "architecture", "arch_str", "config")


@dataclass(frozen=True)
class Sought:
    """What is asked of a table: the `column` of architectures that a user named, and the space's `decisions`."""

    column: str | None = None
    decisions: tuple[str, ...] = ()


def architecture_columns(columns: Sequence[str], sought: Sought) -> list[str]:
    """The column that was named, else the first of the guesses that there is, else those of all decisions in order.

    Raises:
        ValueError: there is none, or a column is named twice.
    """
    twice = next((name for name in columns if list(columns).count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"it names column {twice!r} twice")
    shown = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
    if sought.column is not None:
        if sought.column not in columns:
            raise ValueError(f"it has no column {sought.column!r}; found: {shown}")
        return [sought.column]
    found = next((name for guess in GUESSES for name in columns if name.strip().lower() == guess), None)
    if found is not None:
        return [found]
    by_words = {_words(name): name for name in columns}
    decisions = [by_words.get(_words(decision), "") for decision in sought.decisions]
    if not decisions or not all(decisions):
        raise ValueError(
            f"no column of it is called {' or '.join(GUESSES)}, and the decisions of the space are no columns of it; "
            f"name one with --column, found: {shown}"
        )
    return decisions


def _words(name: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", name.lower()))
