"""Calls that tests run on workers: functions at the top of a module, as jobs have to be."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from nas_core.workers import report


def doubled(number):
    return 2 * number


def raises(text):
    raise ValueError(text)


def leaves(code):
    os._exit(code)


def hangs():
    time.sleep(600)


def hangs_with_a_child(path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(path).write_text(str(child.pid))
    time.sleep(600)


def allocates_without_bound():
    held = []
    while True:
        held.append(bytearray(32 * 2**20))


def reports_often(times, pause):
    for number in range(times):
        report(number)
        time.sleep(pause)
    return times


def sleeps(seconds):
    time.sleep(seconds)
    return os.getpid()


def reads(reference):
    return len(reference.load())


def unpicklable():
    return lambda: None


def each(items):
    """One entry an item; `die` ends the process, `hang` hangs, `raise` fails alone."""
    from nas_core.workers import failure_of

    found = []
    for place, item in enumerate(items):
        report((place, place))
        if item == "die":
            os._exit(1)
        if item == "hang":
            time.sleep(600)
        found.append(failure_of(ValueError("no good")) if item == "raise" else item * 2)
    return found


def together(items):
    """As `each`, but as one step, so that nobody can tell which item is to blame."""
    if "die" in items:
        os._exit(1)
    return [item * 2 for item in items]


def cannot_start():
    os._exit(7)
