"""The shared selection: which page, run, architecture and truth, kept in the address so that a link restores them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from dash import _get_paths, get_relative_path, strip_relative_path
from dash.exceptions import UnsupportedRelativePath


def path_of(path: str) -> str:
    """The address of a page such as "/layers", below the prefix that the app is served under."""
    return get_relative_path(path) if _served() else path


def below(path: str | None) -> str:
    """What an address names below the app's prefix: "/layers"; "/" for the app itself."""
    if not _served():
        return "/" + (path or "").strip("/")
    try:
        return "/" + (strip_relative_path(path or "/") or "")
    except UnsupportedRelativePath:
        return "/"


def read(search: str | None) -> tuple[str | None, str | None]:
    """Run id and architecture text of an address' query."""
    query = _query(search)
    return query.get("run"), query.get("arch")


def read_truth(search: str | None) -> str | None:
    """The truth, `table/column`, of an address' query."""
    return _query(search).get("truth")


def write(run: str | None, arch: str | None, truth: str | None = None) -> str:
    """The query that stands for a run, an architecture and a truth."""
    pairs = {name: value for name, value in (("run", run), ("arch", arch), ("truth", truth)) if value}
    return "?" + urlencode(pairs) if pairs else ""


def moved(search: str | None, run: str | None, arch: str | None) -> str:
    """The query `search` with another run and architecture; the truth that it names stays."""
    return write(run, arch, read_truth(search))


def _served() -> bool:
    """Whether an app has been made, which has a prefix."""
    return "requests_pathname_prefix" in _get_paths.CONFIG


def _query(search: str | None) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((search or "").lstrip("?")).items()}
