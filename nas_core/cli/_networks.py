"""`networks list|delete`: the networks that somebody watches."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Annotated

import typer

from nas_core.cli._engine import StoreUrl
from nas_core.cli._lists import Json

app = typer.Typer(no_args_is_help=True, help="The networks that are watched; `watch` adds one.")


@app.command("list")
def list_(store: StoreUrl = None, as_json: Json = False) -> None:
    """List the watched networks, newest first."""
    from nas_core.store import Store

    rows = Store(store, create=False).networks()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    for row in rows:
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.made))
        typer.echo(f"{row.id}  {made}  {row.taken:>5,} snapshots, last at step {row.step:,}  {row.name}")


@app.command("delete")
def delete(
    network: Annotated[str, typer.Argument(help="Id of a watched network.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Delete a watched network with its snapshots."""
    from nas_core.store import Store

    records = Store(store, create=False)
    found = next((row for row in records.networks() if row.id == network), None)
    if found is not None and not yes:
        if not sys.stdin.isatty():
            raise ValueError("nobody can be asked here; expected --yes")
        typer.confirm(f"Delete {found.name!r} with {found.taken:,} snapshots?", abort=True, err=True)
    records.delete_network(network)
    typer.echo(json.dumps({"deleted": network}) if as_json else f"network {network} is deleted")
