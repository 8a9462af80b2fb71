"""Ctrl-C as an event: long commands end between two steps, never in the midst of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupting() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets, instead of an exception that may come anywhere, even before a thread is watched."""
    interrupted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
