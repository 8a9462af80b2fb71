"""`python -m nas_core ...` and `python -m app ...` as real processes, forked from ones that have imported all once.

Importing torch or Dash takes longer than most of what the tests do. A program started here has its own process,
arguments, folder, environment and files, and ends as any other: the exit status is the one that the system reports.
A command that is to be killed or interrupted, or must see another package, is started afresh by its test instead.
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
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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
        streams = [stream.fileno() for stream in (stdin, stdout, stderr)]
        process = _forks("nas_core").start(_request(words, cwd, env, largest_file), streams)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise
        written = []
        for stream in (stdout, stderr):
            stream.seek(0)
            written.append(stream.read().decode())
    return subprocess.CompletedProcess(words, status, *written)


def app(*arguments: object) -> tuple[Program, IO[str]]:
    """Start `python -m app` on arguments: the program, and what it writes to its standard output."""
    reader, writer = os.pipe()
    with open(os.devnull) as nothing:
        words = [str(argument) for argument in arguments]
        program = _forks("app").start(_request(words), [nothing.fileno(), writer, sys.stderr.fileno()])
    os.close(writer)
    return program, open(reader)


def python(folder: Path, path: Sequence[Path], *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run Python afresh on arguments, in `folder`, with these folders on its path and one thread to calculate with."""
    own = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@dataclass(frozen=True)
class Program:
    """A program that was started; as `subprocess.Popen` as far as the tests need it."""

    pid: int
    _forks: _Forks

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = 300) -> int:
        """Its exit status, minus the signal that ended it.

        Raises:
            subprocess.TimeoutExpired: it goes on after `timeout` seconds.
        """
        return self._forks.wait(self.pid, timeout)


class _Forks:
    """The process that has imported everything, seen from here."""

    def __init__(self, module: str) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ended: dict[int, int] = {}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.commands", module, str(theirs.fileno())],
                cwd=_ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
            )
        self._one_at_a_time = threading.Lock()

    def start(self, request: Mapping[str, object], streams: list[int]) -> Program:
        with self._one_at_a_time:
            socket.send_fds(self._requests, [json.dumps(request).encode()], streams)
            return Program(self._told(), self)

    def wait(self, pid: int, timeout: float) -> int:
        with self._one_at_a_time:
            if pid not in self._ended:
                self._requests.send(json.dumps({"wait": pid, "timeout": timeout}).encode())
                if (status := self._told()) is None:
                    raise subprocess.TimeoutExpired(str(pid), timeout)
                self._ended[pid] = status
            return self._ended[pid]

    def _told(self) -> Any:
        return json.loads(self._requests.recv(64))

    def close(self) -> None:
        self._requests.close()
        self._process.wait(timeout=30)


_started: dict[str, _Forks] = {}


def _forks(module: str) -> _Forks:
    if module not in _started:
        _started[module] = _Forks(module)
        atexit.register(_started[module].close)
    return _started[module]


def _request(
    words: list[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    largest_file: int | None = None,
) -> dict[str, object]:
    return {
        "arguments": words,
        "cwd": str(cwd or Path.cwd()),
        "env": dict(os.environ if env is None else env),
        "largest_file": largest_file,
    }


def _import(program: str) -> None:
    """Import what a program needs, before it is forked."""
    if program == "app":
        from app import engine_process, page, server

        assert server and engine_process
        page.pages()
        return
    import nas_core.cli
    import nas_core.engine._preloaded

    assert nas_core.cli and nas_core.engine._preloaded


def _serve(requests: socket.socket, program: str) -> None:
    """Fork a process for every request, until the tests are over; returns in the forked ones, set up."""
    _import(program)
    while True:
        message, streams, _, _ = socket.recv_fds(requests, _LONGEST_REQUEST, 3)
        if not message:
            raise SystemExit
        request = json.loads(message)
        if "wait" in request:
            requests.send(json.dumps(_status(request["wait"], request["timeout"])).encode())
            continue
        child = os.fork()
        if child == 0:
            requests.close()
            _become(request, streams)
            return
        for stream in streams:
            os.close(stream)
        requests.send(b"%d" % child)


def _status(child: int, timeout: float) -> int | None:
    """The exit status of a child, once it has ended; None where it goes on after `timeout` seconds."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    return None


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
    program = sys.argv[1]
    _serve(socket.socket(fileno=int(sys.argv[2])), program)
    runpy.run_module(program, run_name="__main__", alter_sys=True)
