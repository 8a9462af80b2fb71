"""`spaces` and `proxies`: what there is."""

from __future__ import annotations

import inspect
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


def strategies(as_json: Json = False) -> None:
    """List the strategies of a search."""
    from nas_core import search as room

    _print([{"name": name, "summary": _first_line(room.factory(name))} for name in room.names()], as_json)


def tasks(as_json: Json = False) -> None:
    """List the kinds of work that a run may be about."""
    from nas_core.engine import tasks as room

    _print([{"name": name, "summary": room.get(name).summary} for name in room.names()], as_json)


def _first_line(member: object) -> str:
    return (inspect.getdoc(member) or "").partition("\n")[0]


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
