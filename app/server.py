"""Makes the web application: `create_app()`, and `server` for a WSGI host such as gunicorn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from dash import Dash

from app import addresses, browser_files, live, locks, opening, page, shell, take_away
from app.cockpit import DEFAULT_SPACE, Cockpit
from app.space_table import space_table
from nas_core.store import Store, StoreError

FIRST_SCRIPT = "before-first-paint.js"
"""Sets the theme before anything is drawn, so that no white page flashes up."""

_INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="color-scheme" content="light dark">
    {%metas%}
    <title>{%title%}</title>
    <script src="FIRST"></script>
    {%favicon%}
    {%css%}
  </head>
  <body>
    {%app_entry%}
    <footer>
      {%config%}
      {%scripts%}
      {%renderer%}
    </footer>
  </body>
</html>
"""


def create_app(
    store_url: str | None = None,
    *,
    engine_problem: Callable[[], str] = str,
    allowed_hosts: Iterable[str] = (),
    url_prefix: str | None = None,
) -> Dash:
    """The app on a store.

    Args:
        store_url: the store; the default one where it is None.
        engine_problem: says what is wrong with the engine beside it, empty where nothing is.
        allowed_hosts: names it is reached under besides those of this machine.
        url_prefix: what all its addresses begin with, such as "/helm/"; Dash's own setting where it is None.

    Raises:
        StoreError: the store cannot be opened.
    """
    app = Dash(
        __name__,
        title="NAS Helm",
        update_title="",
        compress=True,
        assets_folder=str(browser_files.FOLDER),
        assets_ignore=FIRST_SCRIPT,
        suppress_callback_exceptions=True,
        url_base_pathname=url_prefix,
    )
    app.index_string = _INDEX.replace("FIRST", app.get_asset_url(FIRST_SCRIPT))
    cockpit = Cockpit(Store(store_url), engine_problem)
    app.layout = lambda: shell.layout(opening.asked_for(cockpit))
    locks.guard(app, allowed_hosts=allowed_hosts)
    browser_files.keep(app)
    addresses.register(app, lambda path: page.at(path) is not None)
    live.register(app, cockpit)
    shell.register(app, cockpit)
    take_away.register(app, cockpit)
    for shown in page.pages():
        shown.register(app, cockpit)
    threading.Thread(target=_warm, args=(cockpit,), name="warm", daemon=True).start()
    return app


def _warm(cockpit: Cockpit) -> None:
    """Read what the first click would otherwise wait for: the tables of the spaces in use."""
    with suppress(StoreError):
        for space in {run.space for run in cockpit.store.runs()} or {DEFAULT_SPACE}:
            space_table(space)
            cockpit.truth(space)


def server(store_url: str | None = None, **options: Any) -> Any:
    """WSGI factory: `gunicorn "app.server:server(allowed_hosts=['helm.example.org'])"`; options of `create_app`."""
    return create_app(store_url, **options).server
