"""The command line: `python -m nas_core ...`. Bad input prints one line on stderr and exits with code 2."""

from nas_core.cli._main import app, main

__all__ = ["app", "main"]
