"""What is taken away from the pages as files: every row of a run, with raw numbers, straight from the store.

One address a file, the links that lead there. Charts are saved in the browser, see `assets/take_away.js`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any
from urllib.parse import quote

from dash import ClientsideFunction, Dash, Input, Output, html
from flask import Response

from app import selection
from app.cockpit import Cockpit, View
from app.take_away._formats import FORMATS, NO_PARQUET, csv, lacking, parquet
from app.take_away._tables import TRUTH, Taken, candidates, layers
from nas_core.store import StoreError

__all__ = ["FORMATS", "NO_PARQUET", "TRUTH", "Taken", "candidates", "csv", "layers", "links", "parquet", "register"]

PATH = "_take/<run>/<file>"


@dataclass(frozen=True)
class _Table:
    """A table that can be taken away: what it holds in a few words, how it is read, and the ids of its links."""

    said: str
    read: Callable[[Cockpit, View], Taken]
    links: dict[str, str]


TABLES = {
    "candidates": _Table(
        "Every candidate of the run, failed ones too: raw numbers, known results and rungs",
        candidates,
        {"csv": "btn-csv", "parquet": "btn-parquet"},
    ),
    "layers": _Table(
        "Every layer of every scored candidate of the run: raw numbers",
        layers,
        {"csv": "btn-layers-csv", "parquet": "btn-layers-parquet"},
    ),
}
_WORDS = {"csv": "CSV", "parquet": "Parquet"}


def links(table: str) -> html.Span:
    """Links to the files of a table, of whatever run is open; one that cannot be written here says what it needs."""
    about = TABLES[table]
    return html.Span(
        [_link(about, ending) for ending in about.links],
        className="take-links",
        role="group",
        **{"aria-label": about.said},
    )


def register(app: Dash, cockpit: Cockpit) -> None:
    """The addresses of the files, and what keeps links and names of images on the run that is open."""

    path = f"{app.config.routes_pathname_prefix}{PATH}"
    app.server.add_url_rule(path, "take_away", partial(answer, cockpit))
    for name, table in TABLES.items():
        endings = [ending for ending in table.links if not lacking(ending)]
        outputs = [Output(table.links[ending], "href") for ending in endings]
        app.callback(outputs, Input("run", "data"))(partial(addresses, name, endings))
    app.clientside_callback(
        ClientsideFunction("take_away", "named"), Input("run-picker", "value"), Input("run-picker", "data")
    )


def addresses(table: str, endings: list[str], run: str | None) -> list[str | None]:
    """Where the files of a table of a run lie."""
    return [selection.path_of(f"/_take/{run}/{table}.{ending}") if run else None for ending in endings]


def answer(cockpit: Cockpit, run: str, file: str) -> Response:
    """A file such as `candidates.csv` of a run, streamed; a plain sentence where there is none.

    404 for a run or file that does not exist, 501 for a format that cannot be written here, 503 where the store cannot
    be read.
    """
    name, _, ending = file.rpartition(".")
    if name not in TABLES or ending not in FORMATS:
        expected = ", ".join(f"{table}.{one}" for table in TABLES for one in FORMATS)
        return _told(HTTPStatus.NOT_FOUND, f"There is no file {file!r}; expected one of: {expected}.")
    problem = lacking(ending)
    if problem:
        return _told(HTTPStatus.NOT_IMPLEMENTED, f"{problem}.")
    try:
        if not cockpit.holds(run):
            return _told(HTTPStatus.NOT_FOUND, f"There is no run {run!r} in this store; it may have been deleted.")
        view = cockpit.view(run)
        kind, write = FORMATS[ending]
        parts = write(TABLES[name].read(cockpit, view))
        first = next(parts)  # what goes wrong at once is told, not a broken file
    except StoreError as error:
        return _told(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    response = Response(chain([first], parts), content_type=kind)
    response.headers["Content-Disposition"] = _attached(f"{file_name(view.run.name or run)}-{file}")
    response.headers["Cache-Control"] = "no-store"
    return response


def file_name(text: str) -> str:
    """A name of a run or chart as a part of the name of a file: letters and digits of any script, joined by hyphens."""
    return "-".join(re.findall(r"\w+", text))[:80].strip("-_") or "run"


def _attached(name: str) -> str:
    """The header that has a browser save an answer under `name`, for those that read Latin letters only, too."""
    plain = name.encode("ascii", "ignore").decode().lstrip("-") or "run"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


def _told(status: HTTPStatus, sentence: str) -> Response:
    return Response(sentence + "\n", status, mimetype="text/plain")


def _link(table: _Table, ending: str) -> Any:
    word, problem = _WORDS[ending], lacking(ending)
    if problem:
        return html.Span(
            word,
            id=table.links[ending],
            className="take-link off",
            title=problem,
            tabIndex=0,
            role="link",
            **{"aria-disabled": "true", "aria-label": f"{word}. {problem}"},
        )
    return html.A(word, id=table.links[ending], className="take-link", title=table.said, download=True)
