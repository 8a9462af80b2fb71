"""`python -m nas_core ...` as a real process, forked from one that has imported everything once.

Importing torch takes longer than most commands of the tests. A command started here has its own process, arguments,
folder, environment and files, and ends as any other: the exit status is the one that the system reports. What is to be
killed or interrupted, or must see another package, is started afresh by its test instead.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_LONGEST_REQUEST = 1 << 20


def run(
    *arguments: object,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
    input: str = "",
    largest_file: int | None = None,
) -> subprocess.CompletedProcess:
    """Run `python -m nas_core` on arguments; what it wrote, and its exit status (minus the signal that ended it).

    It may write files of `largest_file` bytes, as on a full disk. It calculates with one thread.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds, and was killed.
    """
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(input.encode())
        stdin.seek(0)
        request = {
            "arguments": words,
            "cwd": str(cwd or Path.cwd()),
            "env": dict(os.environ if env is None else env),
            "largest_file": largest_file,
        }
        status = _started().carry_out(request, [stream.fileno() for stream in (stdin, stdout, stderr)], timeout)
        written = []
        for stream in (stdout, stderr):
            stream.seek(0)
            written.append(stream.read().decode())
    return subprocess.CompletedProcess(words, status, *written)


def python(folder: Path, path: Sequence[Path], *arguments: str) -> subprocess.CompletedProcess:
    """Run Python afresh on arguments, in `folder`, with these folders on its path and one thread to calculate with."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


class _Forks:
    """The process that has imported everything, seen from here."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.commands", str(theirs.fileno())],
                cwd=_ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
            )
        self._one_at_a_time = threading.Lock()

    def carry_out(self, request: Mapping[str, object], streams: list[int], timeout: float) -> int:
        with self._one_at_a_time:
            socket.send_fds(self._requests, [json.dumps(request).encode()], streams)
            process = int(self._requests.recv(64))
            self._requests.settimeout(timeout)
            try:
                return int(self._requests.recv(64))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                self._requests.settimeout(None)
                self._requests.recv(64)
                raise subprocess.TimeoutExpired(str(request["arguments"]), timeout) from None
            finally:
                self._requests.settimeout(None)

    def close(self) -> None:
        self._requests.close()
        self._process.wait(timeout=30)


_forks: list[_Forks] = []


def _started() -> _Forks:
    if not _forks:
        _forks.append(_Forks())
        atexit.register(_forks[0].close)
    return _forks[0]


def _serve(requests: socket.socket) -> None:
    """Fork a process for every request, until the tests are over; returns in the forked ones, set up."""
    import nas_core.cli
    import nas_core.engine._preloaded

    assert nas_core.cli and nas_core.engine._preloaded
    while True:
        message, streams, _, _ = socket.recv_fds(requests, _LONGEST_REQUEST, 3)
        if not message:
            raise SystemExit
        child = os.fork()
        if child == 0:
            requests.close()
            _become(json.loads(message), streams)
            return
        for stream in streams:
            os.close(stream)
        requests.send(b"%d" % child)
        requests.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _become(request: Mapping, streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv[1:] = request["arguments"]
    if (largest := request["largest_file"]) is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("nas_core", run_name="__main__", alter_sys=True)
