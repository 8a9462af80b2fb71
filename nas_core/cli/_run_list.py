"""`runs list|show|delete|export`: the runs of a store, without the app."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.cli._engine import StoreUrl
from nas_core.cli._lists import Json
from nas_core.config import SEARCH

if TYPE_CHECKING:
    from nas_core.store import CandidateRow, RunRow, Store

app = typer.Typer(no_args_is_help=True, help="The runs of a store.")
RunId = Annotated[str, typer.Argument(help="Id of a run.")]


@app.command("list")
def list_(store: StoreUrl = None, as_json: Json = False) -> None:
    """List the runs, newest first."""
    from nas_core.store import Store

    rows = Store(store, create=False).runs()
    if as_json:
        typer.echo(json.dumps([_listed(run) for run in rows]))
        return
    from rich.console import Console
    from rich.table import Column, Table

    whole = [Column(name, no_wrap=True) for name in ("id", "name", "state", "made")]  # to be copied from here
    table = Table(*whole, "space", "strategy", "scored", "failed", "budget")
    for run in rows:
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.created))
        budget = run.config.budget or ""
        strategy = run.config.strategy if run.config.task_name == SEARCH else run.config.task
        cells = (run.id, run.name, run.state, made, run.space_title, strategy, run.scored, run.failed or "", budget)
        table.add_row(*map(str, cells))
    console = Console()
    Console(width=None if console.is_terminal else 160).print(table)


@app.command("show")
def show(run: RunId, store: StoreUrl = None, as_json: Json = False) -> None:
    """Show one run: its configuration, how far it is, its acts, and what failed with the reasons."""
    from nas_core.spaces import Act
    from nas_core.store import Store

    records = Store(store, create=False)
    found = records.run(run)
    acts = [entry.body for entry in records.log(run, kind="act")]
    failures = [row for row in records.candidates(run) if row.failed] if found.failed else []
    if as_json:
        failed = [{"position": row.position, "arch": row.arch, "reason": row.failed} for row in failures]
        typer.echo(json.dumps({**_listed(found), "config": found.config.to_dict(), "acts": acts, "failures": failed}))
        return
    lines = [
        f"{found.id}  {found.name}",
        f"state       {found.state}" + (f": {found.message}" if found.message else ""),
        f"space       {found.space_title}",
        f"candidates  {found.asked:,} asked, {found.scored:,} scored, {found.failed:,} failed",
        f"worked      {found.busy_seconds:.0f} s",
        "configuration",
        *(f"  {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in found.config.to_dict().items()),
    ]
    if acts:
        lines += [
            f"acts        {len(acts)}",
            *(f"  {k}. {Act.from_dict(act).describe()}" for k, act in enumerate(acts)),
        ]
    if failures:
        lines += ["failed", *(f"  {row.position}  {row.arch}: {row.failed}" for row in failures)]
    typer.echo("\n".join(lines))


@app.command("delete")
def delete(
    run: RunId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Delete a run with its candidates, acts and weights, and free their bytes; cached scores stay."""
    from nas_core.store import Store

    records = Store(store, create=False)
    found = records.run(run)
    if not yes:
        if not sys.stdin.isatty():
            raise ValueError("nobody can be asked here; expected --yes")
        typer.confirm(f"Delete {found.name!r} with {found.scored:,} scored candidates?", abort=True, err=True)
    if found.state in ("queued", "running"):
        records.command(run, "stop")
    records.delete_run(run)
    typer.echo(json.dumps({"deleted": run}) if as_json else f"run {run} is deleted")


@app.command("export")
def export(
    run: RunId,
    out: Annotated[Path | None, typer.Option(help="File to write; left out, it is printed.")] = None,
    script: Annotated[bool, typer.Option("--script", help="The session as a script for `replay`, not a CSV.")] = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Write a run's candidates as CSV, one row an evaluation, or its session as a script."""
    from nas_core.store import Store, session_script

    records = Store(store, create=False)
    found = records.run(run)
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise ValueError(f"--out {out}: expected the name of a file in a folder that exists")
    if script:
        text = json.dumps(session_script(records, run), indent=1) + "\n"
    else:
        rows = _table(records, found)
        text = json.dumps(rows) + "\n" if as_json else _csv(rows)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text)


def _listed(run: RunRow) -> dict[str, Any]:
    found = {part.name: getattr(run, part.name) for part in fields(run) if part.name != "config"}
    config = run.config
    return {**found, "task": config.task, "strategy": config.strategy, "budget": config.budget}


_PLAIN = ("position", "arch", "canonical", "fidelity", "seed", "budget", "settings", "standard_error", "failed")


def _table(records: Store, run: RunRow) -> list[dict[str, Any]]:
    """One row an evaluation, in the order asked: what it was, one entry a score (None where undefined), its seconds."""
    rows = records.generation(run.id, 0)
    scores = dict.fromkeys(name for row in rows for name in row.values or {})
    return [_evaluation(row, list(scores)) for row in rows]


def _evaluation(row: CandidateRow, scores: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    for name in scores:
        value = (row.values or {}).get(name, math.nan)
        found[name] = value if math.isfinite(value) else None
    seconds = [value for value in (row.seconds or {}).values() if value is not None]
    return {**found, "seconds": sum(seconds) if row.scored is not None else None}


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0] if rows else [*_PLAIN, "seconds"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
