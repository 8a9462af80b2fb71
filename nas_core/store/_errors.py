"""What can go wrong with a store, and how it is told: which store, what happened, what to do about it."""

from __future__ import annotations


class StoreError(ValueError):
    """The store cannot be read or written; the message says which one and what to do."""


class LeaseLost(RuntimeError):
    """Another engine holds the run; nothing was written."""


class LogMoved(RuntimeError):
    """Someone appended to the log since it was read; nothing was written. Read again and decide anew."""


_ADVICE = {
    "locked": "another program holds it; close that program or choose another --store",
    "disk is full": "free some disk space, nothing written so far is lost",
    "disk I/O": "check the disk; nothing written so far is lost",
    "malformed": "the file is damaged; restore a copy or choose another --store",
    "not a database": "the file is no SQLite database; choose another --store",
    "unable to open": "check that the folder exists and can be written",
    "readonly": "the file cannot be written; check its permissions",
    "no such column": "another program changed the file; restore a copy or choose another --store",
    "no such table": "the file was replaced by another; restore a copy or choose another --store",
}


def first_line(error: BaseException) -> str:
    """The first line of an error's text; its type where it has none."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def explain(url: str, error: BaseException) -> str:
    """One line for an error of the database: the store, the cause, and what to do."""
    text = first_line(getattr(error, "orig", None) or error)
    hint = next((hint for sign, hint in _ADVICE.items() if sign in text), "check the --store URL")
    return f"store {url!r}: {text}; {hint}"
