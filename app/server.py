"""Makes the web application: `create_app()`, and `server` for a WSGI host such as gunicorn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dash import Dash, Input, Output, html
from flask_caching import Cache

from app import live, shell
from app.cockpit import DEFAULT_SPACE, Cockpit
from app.pages.arena import callbacks as arena_callbacks
from app.pages.arena import layout as arena
from app.pages.correlation import callbacks as correlation_callbacks
from app.pages.correlation import layout as correlation
from app.pages.layers import callbacks as layers_callbacks
from app.pages.layers import layout as layers
from app.pages.navigator import callbacks as navigator_callbacks
from app.pages.navigator import layout as navigator
from app.pages.runs import callbacks as runs_callbacks
from app.pages.runs import layout as runs
from app.pages.template import callbacks as template_callbacks
from app.pages.template import layout as template
from app.space_table import space_table
from nas_core.store import Store, StoreError

_LAYOUTS: dict[str, Any] = {
    "/": navigator.layout,
    "/template": template.layout,
    "/layers": layers.layout,
    "/correlation": correlation.layout,
    "/runs": runs.layout,
    "/arena": arena.layout,
}


def create_app(store_url: str | None = None, *, engine_problem: Callable[[], str] = str) -> Dash:
    """The app on a store; `engine_problem` says what is wrong with the engine beside it, empty where nothing is.

    Raises:
        StoreError: the store cannot be opened.
    """
    app = Dash(
        __name__,
        title="NAS Helm",
        update_title="",
        compress=True,
        assets_folder=str(Path(__file__).resolve().parent.parent / "assets"),
        suppress_callback_exceptions=True,
    )
    cockpit = Cockpit(Store(store_url), engine_problem)
    cache = Cache(app.server, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 3600})
    app.layout = shell.layout()

    @app.callback(Output("page", "children"), Input("url", "pathname"))
    def route(pathname: str | None) -> Any:
        page = _LAYOUTS.get(pathname or "/")
        return page() if page else html.P(f"There is no page {pathname}. Choose one above.", className="empty")

    live.register(app, cockpit)
    shell.register(app, cockpit)
    navigator_callbacks.register(app, cockpit)
    template_callbacks.register(app, cockpit)
    layers_callbacks.register(app, cockpit)
    correlation_callbacks.register(app, cockpit, cache)
    runs_callbacks.register(app, cockpit)
    arena_callbacks.register(app, cockpit)
    threading.Thread(target=_warm, args=(cockpit,), name="warm", daemon=True).start()
    return app


def _warm(cockpit: Cockpit) -> None:
    """Read what the first click would otherwise wait for: the tables of the spaces in use."""
    with suppress(StoreError):
        for space in {run.space for run in cockpit.store.runs()} or {DEFAULT_SPACE}:
            space_table(space)
            cockpit.truth(space)


def server() -> Any:
    """WSGI factory: `gunicorn "app.server:server()"`."""
    return create_app().server
