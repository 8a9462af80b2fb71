"""`python -m app`: the web server and, unless told otherwise, one engine as a child process."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from werkzeug.serving import make_server, select_address_family

from app import addresses, locks
from app.engine_process import EngineProcess
from app.server import create_app
from nas_core.store import DEFAULT_URL, StoreError

_MOST_WORKERS = 1024
_ENGINE_NICE = 10
"""How far the engine gives way: the browser and its pages stand on the same cores, and are waited for."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, and exit code 2."""
        self.exit(2, f"error: {' '.join(message.split())}\n")


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a command line; what is no option or out of range ends the program with one line.

    Raises:
        SystemExit: with code 2 for bad input, with 0 where help was asked for.
    """
    parser = _Parser(prog="python -m app", description="NAS Helm in the browser.", allow_abbrev=False)
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="address of this machine to serve on")
    parser.add_argument("--port", type=_whole(0, 65535), default=8050, help="0 for any that is free")
    parser.add_argument(
        "--allowed-host",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="host name of a proxy that passes requests on to the app, such as helm.example.org; may be repeated",
    )
    parser.add_argument(
        "--url-prefix",
        type=_prefix,
        metavar="PATH",
        help="what all addresses begin with, such as /helm/, where a proxy serves the app under a path",
    )
    parser.add_argument("--store", default=DEFAULT_URL, help="SQLAlchemy URL of the store")
    parser.add_argument(
        "--workers", type=_whole(0, _MOST_WORKERS), default=0, help="worker processes of the engine; 0 for one a core"
    )
    parser.add_argument("--no-engine", action="store_true", help="serve pages only")
    return parser.parse_args(words)


def _loopback(text: str) -> str:
    if not locks.is_loopback(text):
        raise argparse.ArgumentTypeError(
            f"{text} can be reached from other machines, and the app asks nobody for a password yet; "
            "use 127.0.0.1, and let others in as docs/deployment.md says"
        )
    return text.strip("[]")


def _host_name(text: str) -> str:
    name = locks.host_name(text)
    if not name or name != text.lower():
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a host name without port, such as helm.example.org")
    return name


def _prefix(text: str) -> str:
    try:
        return addresses.prefix(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.lstrip("-").isdigit() or not least <= (number := int(text[:9])) <= most:
            raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from {least} to {most}")
        return number

    return read


def main() -> int:
    """Serve until interrupted; exit code 2 and one line for bad input."""
    options = parse()
    where = f"[{options.host}]" if ":" in options.host else options.host
    with socket.socket(select_address_family(options.host, options.port)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            print(
                f"error: cannot serve on {where}:{options.port}: {error.strerror}; choose another --port",
                file=sys.stderr,
            )
            return 2
    engine: EngineProcess | None = None
    try:
        app = create_app(
            options.store,
            engine_problem=lambda: engine.problem if engine is not None else "",
            allowed_hosts=[where, *options.allowed_host],
            url_prefix=options.url_prefix,
        )
    except StoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not options.no_engine:
        command = [
            sys.executable,
            "-m",
            "nas_core",
            "engine",
            "--store",
            options.store,
            "--workers",
            str(options.workers),
            "--nice",
            str(_ENGINE_NICE),
            "--parent",
            str(os.getpid()),
        ]
        engine = EngineProcess(command)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        # A terminal sends SIGINT, a container SIGTERM; a parent may have left either ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        web = make_server(options.host, options.port, app.server, threaded=True)
        print(f"NAS Helm is at http://{where}:{web.server_port}{app.get_relative_path('/')}", flush=True)
        web.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # an impatient second Ctrl-C must not leave the engine behind
        if engine is not None:
            engine.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
