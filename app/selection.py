"""The shared selection: which run and which architecture, kept in the address so that a link restores them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode


def read(search: str | None) -> tuple[str | None, str | None]:
    """Run id and architecture text of an address' query."""
    query = parse_qs((search or "").lstrip("?"))
    return query.get("run", [None])[0], query.get("arch", [None])[0]


def write(run: str | None, arch: str | None) -> str:
    """The query that stands for a run and an architecture."""
    pairs = {name: value for name, value in (("run", run), ("arch", arch)) if value}
    return "?" + urlencode(pairs) if pairs else ""
