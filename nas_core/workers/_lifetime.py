"""How a worker process lives: it yields to others, leaves Ctrl-C to its parent, and never outlives it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PARENT_CHECK_SECONDS = 0.5
_NICENESS = int(os.environ.get("NAS_HELM_WORKER_NICENESS", "10"))
"""How far workers step back: pages must answer while every core scores, and scoring must go on beside other work. A
machine that does nothing else may set 0."""
_PR_SET_PDEATHSIG = 1


def become_worker() -> None:
    """Make this process a worker of the one that started it: the program, or its fork server, which ends with it."""
    parent = os.getppid()
    _yield_to_others()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(parent)
    follow(parent, lambda: os._exit(1))


def _yield_to_others() -> None:
    """Run only when nobody else wants the processor, unless told otherwise.

    Linux weighs sessions before it looks at niceness inside one (sched(7), autogroup): a worker that shared the
    session of a terminal would take as much time from the browser as the browser has. It gets one of its own.
    """
    with suppress(OSError):
        os.nice(_NICENESS)
    with suppress(OSError):
        os.setsid()
        Path("/proc/self/autogroup").write_text(str(_NICENESS))


def _end_with(parent: int) -> None:
    """Have the kernel end this process with the thread that started it: a thread of ours may never run again."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def follow(parent: int, leave: Callable[[], None]) -> None:
    """Call `leave`, from a thread, once the process `parent` is no longer this process's parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_SECONDS)
        leave()

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()


def end_group(process: int) -> None:
    """Kill a worker and whatever it started itself."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)  # a worker leads a session of its own, unless it died before that
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
