"""`spaces` and `proxies`: what there is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def spaces(as_json: Json = False) -> None:
    """List the search spaces."""
    from nas_core import spaces as room

    rows = []
    for name in room.names():
        space = room.get(name)
        rows.append({"name": name, "title": space.title, "size": space.size, "decisions": len(space.decisions)})
    _print(rows, as_json)


def proxies(as_json: Json = False) -> None:
    """List the zero-cost scores."""
    from nas_core import proxies as room

    found = [room.get(name) for name in room.names()]
    _print([{"name": p.name, "needs": str(p.needs), "summary": p.summary} for p in found], as_json)


def _print(rows: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
