"""The engine beside the web server: started, started again where it was killed, ended with the server."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence

_PATIENCE_SECONDS = 20
_SOON_SECONDS = 10
_TRIES = 5


class EngineProcess:
    """An engine that outlives its own death: a run goes on where it stood once its lease has run out.

    One that ended by itself, with exit code 0, was asked to. One that dies soon after its start, again and again, is
    given up, with a line on the terminal.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._stopping = threading.Event()
        self.problem = ""
        """What is wrong with it, for the pages; empty while it works."""
        self._process = subprocess.Popen(self._command)
        self._watcher = threading.Thread(target=self._watch, name="watch-engine", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """End the engine, by force where it does not listen: whatever it knows is in the store."""
        self._stopping.set()
        self._watcher.join()
        self._process.terminate()
        try:
            self._process.wait(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _watch(self) -> None:
        tries, started = 1, time.monotonic()
        while not self._stopping.wait(0.5):
            code = self._process.poll()
            if code is None:
                if self.problem and time.monotonic() - started > _SOON_SECONDS:
                    self.problem = ""  # it has found its feet
                continue
            tries = tries + 1 if time.monotonic() - started < _SOON_SECONDS else 1
            if code == 0 or tries > _TRIES:
                if code:
                    self.problem = f"The engine ended {_TRIES} times with code {code}: start the app again"
                    print(f"the engine ended {_TRIES} times with code {code}; start the app again", file=sys.stderr)
                else:
                    self.problem = "The engine was ended: start the app again, or `python -m nas_core engine`"
                return
            self.problem = f"The engine ended with code {code} and is started again"
            print(f"the engine ended with code {code}; it is started again", file=sys.stderr)
            self._process, started = subprocess.Popen(self._command), time.monotonic()
