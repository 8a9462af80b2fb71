"""`bench import`, `list` and `remove`: tables of results that serve as truth."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_core.cli import _options as options
from nas_core.cli._lists import Json

if TYPE_CHECKING:
    from nas_core.bench import Corrections

app = typer.Typer(help="Tabular benchmarks.")


@app.command("import")
def import_results(
    path: Annotated[Path, typer.Argument(help="File or folder of published results.")],
    space: options.Space = "nb201",
    format: Annotated[str, typer.Option(help="Name of a format; any unknown name lists them.")] = "auto",
    column: Annotated[str | None, typer.Option(help="Column of architectures in a csv or parquet table.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the table; from PATH if not given.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV or CSV.gz to write instead of a named table.")] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="What a column measures, e.g. raspi4_latency=latency; * may stand for any text."),
    ] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Its unit, e.g. raspi4_latency=ms.")] = None,
    lower: Annotated[list[str] | None, typer.Option(help="A column of which lower values are better.")] = None,
    higher: Annotated[list[str] | None, typer.Option(help="A column of which higher values are better.")] = None,
    as_json: Json = False,
) -> None:
    """Turn published results into a table of truth, kept in ~/.nas_helm or the folder NAS_HELM_HOME names.

    What its columns measure is told by the format or inferred from their names; --kind, --unit, --lower and --higher
    correct that.
    """
    from rich.console import Console
    from rich.progress import Progress

    from nas_core import bench

    corrections = _corrections(kind or (), unit or (), lower or (), higher or ())
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
            corrections=corrections,
            progress=lambda share: progress.update(bar, completed=share),
        )
    if as_json:
        print(json.dumps(report.to_dict()))
    else:
        typer.echo(report.describe(), err=True)


@app.command("list")
def list_tables(
    space: Annotated[str | None, typer.Argument(help="Only the tables of this space.")] = None, as_json: Json = False
) -> None:
    """List the tables of truth, with the kind, the unit and the number of known values of every column."""
    from nas_core import bench, spaces

    if space is not None:
        spaces.get(space)
    rows = []
    for known in [space] if space is not None else bench.spaces_with_truth():
        for table in bench.tables(known):
            rows += _rows(known, table)
    if as_json:
        print(json.dumps(rows))
    elif rows:
        _print(rows)
    else:
        typer.echo(f"no table for {space}; make one with: bench import", err=True)


@app.command("remove")
def remove(
    space: Annotated[str, typer.Argument(help="Space of the table.")],
    table: Annotated[str, typer.Argument(help="Name of the table.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete an imported table of truth."""
    from nas_core import bench

    found = next((known for known in bench.tables(space) if known.name == table), None)
    if found is not None and table != bench.PUBLISHED and not yes:
        if not sys.stdin.isatty():
            raise ValueError(f"table {table!r} of {space} would be deleted; confirm with --yes")
        typer.confirm(f"Delete table {table!r} of {space} with {found.rows:,} architectures?", abort=True)
    bench.remove(space, table)
    typer.echo(f"table {table!r} of {space} is deleted", err=True)


def _rows(space: str, table: Any) -> list[dict[str, Any]]:
    """A row a column; a table that cannot be read has one row with its problem."""
    from nas_core import bench

    if table.problem:
        return [{"space": space, "table": table.name, "column": "", "problem": table.problem}]
    frame = bench.truth(space, table.name)
    return [
        {
            "space": space,
            "table": table.name,
            "column": column.name,
            "kind": str(column.kind),
            "unit": column.unit,
            "higher_is_better": column.higher_is_better,
            "data_set": column.data_set,
            "rows": table.rows,
            "known": int(frame[column.name].notna().sum()),
        }
        for column in table.columns
    ]


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    report = Table("space", "table", "column", "kind", "unit", "better", "data set", "known", "of")
    for row in rows:
        if "problem" in row:
            report.add_row(row["space"], row["table"], row["problem"])
            continue
        better = "higher" if row["higher_is_better"] else "lower"
        named = [row[key] for key in ("space", "table", "column", "kind", "unit")]
        report.add_row(*named, better, row["data_set"], f"{row['known']:,}", f"{row['rows']:,}")
    Console(width=None if sys.stdout.isatty() else 160).print(report)


def _corrections(
    kinds: Sequence[str], units: Sequence[str], lower: Sequence[str], higher: Sequence[str]
) -> Corrections:
    from nas_core import bench

    known = [str(kind) for kind in bench.Kind]
    named = dict(_pair("--kind", text) for text in kinds)
    for column, kind in named.items():
        if kind not in known:
            raise ValueError(f"--kind {column}={kind}: expected one of: {', '.join(known)}")
    both = next((column for column in lower if column in higher), None)
    if both is not None:
        raise ValueError(f"--lower {both!r} and --higher {both!r} exclude each other; give one")
    return bench.Corrections(
        {column: bench.Kind(kind) for column, kind in named.items()},
        dict(_pair("--unit", text) for text in units),
        {**dict.fromkeys(lower, False), **dict.fromkeys(higher, True)},
    )


def _pair(option: str, text: str) -> tuple[str, str]:
    column, equals, value = text.rpartition("=")
    if not equals or not column:
        raise ValueError(f"{option} {text!r}: expected COLUMN=VALUE")
    return column, value.strip()
