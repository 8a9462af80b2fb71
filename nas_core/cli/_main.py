"""Assembles the commands and turns errors of input into one clear line."""

from __future__ import annotations

import errno
import sys
from concurrent.futures import BrokenExecutor
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from nas_core.cli import (
    _bench,
    _check,
    _correlate,
    _engine,
    _export,
    _lists,
    _networks,
    _run_list,
    _scan,
    _score,
    _session,
    _store,
    _supernet,
    _task,
    _train,
    _watch,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, help="NAS Helm: steerable neural architecture search.")
app.command("spaces")(_lists.spaces)
app.command("proxies")(_lists.proxies)
app.command("strategies")(_lists.strategies)
app.command("tasks")(_lists.tasks)
app.command("score")(_score.score)
app.command("check")(_check.check)
app.command("correlate")(_correlate.correlate)
app.command("scan")(_scan.scan)
app.command("search")(_engine.search)
app.command("engine")(_engine.engine)
app.command("run")(_task.run)
app.command("train")(_train.train)
app.command("export")(_export.export)
app.command("watch")(_watch.watch)
app.command("replay")(_session.replay)
app.command("twin")(_session.twin)
app.add_typer(_bench.app, name="bench")
app.add_typer(_supernet.app, name="supernet")
app.add_typer(_store.app, name="store")
app.add_typer(_run_list.app, name="runs")
app.add_typer(_networks.app, name="networks")


def main() -> None:
    """Run the command line; exit code 2 and one line for bad input."""
    try:
        # Without typer's standalone mode its boxed usage errors reach us, and become one line like all others.
        code = app(standalone_mode=False)
    except typer.Abort:
        raise SystemExit(130) from None
    except BrokenExecutor:
        _fail("a worker process ended abruptly, perhaps for lack of memory; run the same command again")
    except (ValueError, OSError) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        _fail("the disk is full; free some space and run the same command again" if full else str(error))
    except TyperException as error:
        if not sys.argv[1:]:
            raise SystemExit(error.exit_code) from None  # the help is printed already
        _fail(error.format_message())
    else:
        raise SystemExit(code if isinstance(code, int) else 0)
    finally:
        # CPython dies by the signal, whatever our exit code, where Ctrl-C fell into text that a library executed (a
        # dataclass of a module just imported), though it was answered since; executing any text makes it forget.
        exec("")


def _fail(reason: str) -> NoReturn:
    print(f"error: {' '.join(reason.split())}", file=sys.stderr)
    raise SystemExit(2) from None
