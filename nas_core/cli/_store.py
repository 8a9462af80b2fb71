"""`store info|check|backup|vacuum`: looking after the file that holds runs and scores."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nas_core.cli._engine import StoreUrl
from nas_core.cli._lists import Json

app = typer.Typer(no_args_is_help=True, help="The store: what is in it, is it sound, a copy of it, its unused bytes.")


@app.command("info")
def info(store: StoreUrl = None, as_json: Json = False) -> None:
    """Show version, sizes and how much a store holds."""
    from nas_core.store import Store

    found = Store(store, create=False).info()
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    states = ", ".join(f"{count} {state}" for state, count in sorted(found.states.items()))
    lines = {
        "store": found.url,
        "version": found.version,
        "size": f"{size(found.size)}, {size(found.unused)} of it unused",
        "journal": f"{size(found.journal)}, not in the file yet: copy with `store backup`"
        if found.journal
        else "empty",
        "runs": f"{found.runs:,}" + (f" ({states})" if states else ""),
        "candidates": f"{found.candidates:,} in {found.evaluations:,} evaluations",
        "log": f"{found.log_lines:,} lines",
        "cached scores": f"{found.scores:,}",
        "files of runs": f"{found.files:,}",
        "templates": f"{found.templates:,}",
        "networks": f"{found.networks:,} watched, in {found.snapshots:,} snapshots",
    }
    width = max(map(len, lines))
    typer.echo("\n".join(f"{name:{width}}  {value}" for name, value in lines.items()))


@app.command("check")
def check(store: StoreUrl = None, as_json: Json = False) -> None:
    """Read everything and say what is wrong, a line each; exit code 1 where something is."""
    from nas_core.store import Store

    records = Store(store, create=False)
    wrong = records.check()
    if as_json:
        typer.echo(json.dumps({"store": records.url, "wrong": wrong}))
    else:
        typer.echo("\n".join(wrong) or "the store is sound")
    if wrong:
        raise SystemExit(1)


@app.command("backup")
def backup(
    path: Annotated[Path, typer.Argument(help="New file for the copy; one that exists is never overwritten.")],
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Write a complete copy of the store to a new file, also while it is in use."""
    from nas_core.store import Store

    written = Store(store, create=False).backup(path)
    typer.echo(json.dumps({"path": str(path), "size": written}) if as_json else f"{path}: {size(written)}")


@app.command("vacuum")
def vacuum(store: StoreUrl = None, as_json: Json = False) -> None:
    """Give back the bytes that a store does not use."""
    from nas_core.store import Store

    records = Store(store, create=False)
    before, after = records.vacuum()
    if as_json:
        typer.echo(json.dumps({"store": records.url, "before": before, "after": after}))
    else:
        typer.echo(f"{records.url}: {size(before)} before, {size(after)} now")


def size(number: int) -> str:
    """A number of bytes as people read it."""
    value = float(number)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
