"""How a call tells, from inside a worker, that it goes on: each report starts the clock of its time limit anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_listeners: list[Callable[[Any], None]] = []
"""At most one: where the worker that this process is sends reports."""


def report(mark: Any) -> None:
    """Tell that the call goes on, and how far it is; nothing happens outside a worker process.

    `mark` is small and picklable; the last one is part of the outcome.
    """
    for listener in _listeners:
        listener(mark)


def listen(listener: Callable[[Any], None]) -> None:
    """Send this process's reports to `listener`."""
    _listeners[:] = [listener]
