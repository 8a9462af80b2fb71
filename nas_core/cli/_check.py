"""`check`: whether a proxy, a search space or a strategy keeps its contract."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from nas_core.cli._lists import Json


class Kind(StrEnum):
    """What can be checked."""

    PROXY = "proxy"
    SPACE = "space"
    STRATEGY = "strategy"


def check(
    kind: Annotated[Kind, typer.Argument(help="What to check.")],
    name: Annotated[str, typer.Argument(help="The name it is registered under, by us or by an entry point.")],
    as_json: Json = False,
) -> None:
    """Check that a proxy, space or strategy keeps its contract; exit code 1 and one line where it does not."""
    from nas_core import testing

    checks: dict[Kind, Callable[[str], testing.Report]] = {
        Kind.PROXY: testing.check_proxy,
        Kind.SPACE: testing.check_space,
        Kind.STRATEGY: testing.check_strategy,
    }
    try:
        report = checks[kind](name)
    except testing.ContractError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if as_json:
        print(json.dumps(asdict(report)))
        return
    print("\n".join([report.subject, *(f"  kept: {promise}" for promise in report.promises)]))
    print("\n".join(f"  note: {note}" for note in report.notes), end="\n" if report.notes else "")
