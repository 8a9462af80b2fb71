"""Which column of a table holds the architectures."""

from __future__ import annotations

from collections.abc import Sequence

GUESSES = ("arch", "architecture", "arch_str", "config")


def architecture_column(columns: Sequence[str], wanted: str | None) -> str:
    """The column called `wanted`, else the first of the guesses that there is.

    Raises:
        ValueError: there is none, or a column is named twice.
    """
    twice = next((name for name in columns if list(columns).count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"it names column {twice!r} twice")
    shown = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
    if wanted is not None:
        if wanted not in columns:
            raise ValueError(f"it has no column {wanted!r}; found: {shown}")
        return wanted
    found = next((name for guess in GUESSES for name in columns if name.strip().lower() == guess), None)
    if found is None:
        raise ValueError(f"no column of it is called {' or '.join(GUESSES)}; name one with --column, found: {shown}")
    return found
