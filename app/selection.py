"""The shared selection: which page, run, architecture and truth, kept in the address so that a link restores them.

What a page shows besides, its axes or its open tab, stands there, too: the page lists it, and `app.view` keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from dash import _get_paths, get_relative_path, strip_relative_path
from dash.exceptions import UnsupportedRelativePath

SHARED = ("run", "arch", "truth")
"""What all pages share, by its key in the address."""

NO_RUN = ""
"""What the store `run` holds where the address names a run that is not there; None before it is known."""


@dataclass(frozen=True)
class Viewed:
    """A part of what a page shows that the address keeps and that a tab remembers.

    Args:
        component: the id of the component that holds it; it need not be on the page yet.
        property: its property, a text, a number, or a list of these without commas.
        key: what it is called in the address; short, and of this page alone.
        of_run: whether it means something in one run only, such as a metric; else it stays when another run is opened.

    Raises:
        ValueError: the key is one that all pages share, or no key of an address.
    """

    component: str
    property: str
    key: str
    of_run: bool = False

    def __post_init__(self) -> None:
        if self.key in SHARED or not self.key.isalnum():
            raise ValueError(f"key {self.key!r} of {self.component}: expected letters and digits, and none of {SHARED}")


def listed(viewed: Iterable[Viewed]) -> dict[str, list[object]]:
    """What the browser needs to know of parts of a view: property, key and whether it is of a run, by component.

    Raises:
        ValueError: two parts have one key, or one component.
    """
    found: dict[str, list[object]] = {}
    keys: set[str] = set()
    for part in viewed:
        if part.key in keys or part.component in found:
            raise ValueError(f"{part.component} is viewed under {part.key!r}: expected one component a key")
        keys.add(part.key)
        found[part.component] = [part.property, part.key, part.of_run]
    return found


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


def carried(search: str | None) -> str:
    """The part of a query that is carried to another page: what all pages share."""
    run, arch = read(search)
    return write(run, arch, read_truth(search))


def _served() -> bool:
    """Whether an app has been made, which has a prefix."""
    return "requests_pathname_prefix" in _get_paths.CONFIG


def _query(search: str | None) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((search or "").lstrip("?")).items()}
