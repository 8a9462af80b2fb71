"""`python -m app`: the web server and, unless told otherwise, one engine as a child process."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys

from werkzeug.serving import make_server

from app.engine_process import EngineProcess
from app.server import create_app
from nas_core.store import DEFAULT_URL, StoreError


def main() -> int:
    """Serve until interrupted; exit code 2 and one line for bad input."""
    parser = argparse.ArgumentParser(prog="python -m app", description="NAS Helm in the browser.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8050)
    parser.add_argument("--store", default=DEFAULT_URL, help="SQLAlchemy URL of the store")
    parser.add_argument("--workers", type=int, default=0, help="worker processes of the engine; 0 for one a core")
    parser.add_argument("--no-engine", action="store_true", help="serve pages only")
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            print(
                f"error: cannot serve on {options.host}:{options.port}: {error.strerror}; choose another --port",
                file=sys.stderr,
            )
            return 2
    engine: EngineProcess | None = None
    try:
        app = create_app(options.store, engine_problem=lambda: engine.problem if engine is not None else "")
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
        print(f"NAS Helm is at http://{options.host}:{options.port}/", flush=True)
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
