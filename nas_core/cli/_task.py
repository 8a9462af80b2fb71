"""`run`: a task of any kind, made and carried to its end."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from nas_core.cli import _options as options
from nas_core.cli._engine import StoreUrl
from nas_core.cli._lists import Json
from nas_core.cli._runs import serve_to_end


def run(
    task: Annotated[str, typer.Argument(help="Kind of work with its options, e.g. countdown:start=5; see `tasks`.")],
    name: Annotated[str, typer.Option(help="What lists of runs call it.")] = "",
    seed: options.Seed = 0,
    resume: Annotated[str | None, typer.Option(help="Id of a run to go on with.")] = None,
    store: StoreUrl = None,
    workers: options.Workers = 0,
    as_json: Json = False,
) -> None:
    """Make a run of a task and carry it to its end; Ctrl-C pauses it."""
    from nas_core.config import RunConfig
    from nas_core.store import Store

    records = Store(store)
    identifier = resume or records.create_run(RunConfig(task=task, seed=seed), name)
    done = serve_to_end(records, [identifier], workers)[0]
    told = {"run": done.id, "state": done.state, "message": done.message}
    typer.echo(json.dumps(told) if as_json else f"run {done.id}: {done.message}")
