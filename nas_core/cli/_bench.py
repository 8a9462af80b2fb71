"""`bench import`: published results become a table that serves as truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nas_core.cli import _options as options
from nas_core.cli._lists import Json

app = typer.Typer(help="Tabular benchmarks.")


@app.command("import")
def import_results(
    path: Annotated[Path, typer.Argument(help="File or folder of published results.")],
    space: options.Space = "nb201",
    format: Annotated[str, typer.Option(help="Name of a format; any unknown name lists them.")] = "auto",
    column: Annotated[str | None, typer.Option(help="Column of architectures in a csv or parquet table.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the table; from PATH if not given.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV or CSV.gz to write instead of a named table.")] = None,
    as_json: Json = False,
) -> None:
    """Turn published results into a table of truth, kept in ~/.nas_helm or the folder NAS_HELM_HOME names."""
    from rich.console import Console
    from rich.progress import Progress

    from nas_core import bench

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_interactive) as progress:
        bar = progress.add_task(f"import {path.name}", total=1.0)
        report = bench.import_results(
            path,
            space,
            format=format,
            column=column,
            name=name,
            out=out,
            progress=lambda share: progress.update(bar, completed=share),
        )
    if as_json:
        print(json.dumps(report.to_dict()))
    else:
        typer.echo(report.describe(), err=True)
