"""What runs inside a worker process: one job after another, until the pipe to the parent closes."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from nas_core.workers import _memory, _reporting
from nas_core.workers._lifetime import become_worker
from nas_core.workers.base import Failure, FailureKind

READY, REPORTED, DONE, FAILED = "ready", "reported", "done", "failed"
"""First word of a message to the parent."""


def main(connection: Connection, environment: dict[str, str], prepare: Callable[[], None] | None) -> None:
    """Serve jobs `(number, memory limit in MiB, pickled call and arguments)` from `connection`."""
    become_worker()
    os.environ.clear()
    os.environ.update(environment)  # a fork server knows that of when it was started
    if prepare is not None:
        prepare()
    connection.send((READY,))
    while True:
        try:
            number, mib, payload = connection.recv()
        except (EOFError, OSError):
            return
        _reporting.listen(lambda mark, number=number: connection.send((REPORTED, number, mark)))  # type: ignore[misc]
        _memory.limit(mib)
        answer = _carried_out(number, mib, payload)
        try:
            connection.send_bytes(answer)
        except (BrokenPipeError, OSError):
            return


def _carried_out(number: int, mib: int, payload: bytes) -> bytes:
    try:
        call, arguments = pickle.loads(payload)
        return bytes(ForkingPickler.dumps((DONE, number, call(*arguments), _memory.resident_mib())))
    except BaseException as error:  # a SystemExit of somebody's code is a failure like any other
        failure = failure_of(error, mib)
    return bytes(ForkingPickler.dumps((FAILED, number, failure, _memory.resident_mib())))


def failure_of(error: BaseException, mib: int | None = None) -> Failure:
    """The failure that an exception of a call stands for."""
    if _memory.is_exhaustion(error):
        more = f"more than the {mib:,} MiB it may use" if mib else "more memory than there is"
        return Failure(FailureKind.MEMORY, f"it needs {more}")
    bad_input = isinstance(error, ValueError | OSError)
    text = " ".join(str(error).split()) or type(error).__name__
    return Failure(FailureKind.RAISED, text if bad_input else f"{type(error).__name__}: {text}", bad_input)


def as_value(payload: Any) -> Any:
    """Any value, for workers that only carry it (a test of the pipe)."""
    return payload
