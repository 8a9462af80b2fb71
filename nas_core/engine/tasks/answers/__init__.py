"""What pages ask for and only the engine can compute, one module a kind; a request names its kind as `what`.

An answer is made as `(store, run, request)` and carried out by `begin`, what its worker is to do, and `end`, what is
kept of it. Answers have a worker of their own, so they never wait behind a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nas_core.registry import Registry
from nas_core.store import LogEntry, RunRow, Store


@dataclass(frozen=True)
class Call:
    """What a worker is to do: `call(*arguments)`."""

    call: Callable[..., Any]
    arguments: tuple[Any, ...]


class Answer(Protocol):
    """One request on its way."""

    def begin(self) -> Call:
        """What a worker is to do.

        Raises:
            ValueError: what is asked for cannot be had; the page is told the message.
        """

    def end(self, value: Any) -> Mapping[str, Any]:
        """Keep what the worker returned; what the page is told beside."""


_ANSWERS: Registry[Callable[[Store, RunRow, LogEntry], Answer]] = Registry("answer", "nas_core.engine.tasks.answers")
register = _ANSWERS.register
"""Register an answer class under the name by which requests ask for it."""
get = _ANSWERS.get

__all__ = ["Answer", "Call", "get", "register"]
