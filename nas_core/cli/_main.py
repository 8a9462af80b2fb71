"""Assembles the commands and turns errors of input into one clear line."""

from __future__ import annotations

import errno
import sys

import typer

from nas_core.cli import _engine, _lists, _scan, _score

app = typer.Typer(no_args_is_help=True, add_completion=False, help="NAS Helm: steerable neural architecture search.")
app.command("spaces")(_lists.spaces)
app.command("proxies")(_lists.proxies)
app.command("score")(_score.score)
app.command("correlate")(_score.correlate)
app.command("scan")(_scan.scan)
app.command("search")(_engine.search)
app.command("engine")(_engine.engine)


def main() -> None:
    """Run the command line; exit code 2 and one line for bad input."""
    try:
        app()
    except (ValueError, OSError) as error:
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        reason = "the disk is full; free some space and run the same command again" if full else str(error)
        print(f"error: {' '.join(reason.split())}", file=sys.stderr)
        raise SystemExit(2) from None
