"""How the server answers addresses: one address a page, and 404 for what is none. Drawing a page is the shell's."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from dash import Dash
from flask import redirect, request
from werkzeug.wrappers import Response

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*/")


def prefix(text: str) -> str:
    """The prefix that all addresses of an app begin with, such as "/helm/"; "/" for none.

    Raises:
        ValueError: it is no path that begins and ends with a slash.
    """
    if not _PREFIX.fullmatch(text) or "/../" in text or "/./" in text:
        raise ValueError(f"got {text!r}, expected a path that begins and ends with a slash, such as /helm/")
    return text


def register(app: Dash, is_page: Callable[[str], bool]) -> None:
    """Answer addresses that are no page with 404, and send those with a slash too many to the page.

    The document is the same for all; what it draws at an address that is no page says so.

    Args:
        app: the app.
        is_page: whether a path below the app's prefix, such as "/runs", is a page.
    """
    any_path = f"{app.config.routes_pathname_prefix}<path:path>"

    def asked() -> str | None:
        rule = request.url_rule
        return "/" + str((request.view_args or {})["path"]) if rule is not None and rule.rule == any_path else None

    @app.server.before_request
    def without_last_slash() -> Response | None:
        path = asked()
        if path is None or not path.endswith("/") or not is_page(path.rstrip("/")):
            return None
        query = f"?{request.query_string.decode('ascii', 'replace')}" if request.query_string else ""
        return redirect(app.get_relative_path(path.rstrip("/")) + query, HTTPStatus.PERMANENT_REDIRECT)

    @app.server.after_request
    def unknown(answer: Response) -> Response:
        path = asked()
        if path is not None and answer.status_code == HTTPStatus.OK and not is_page(path):
            answer.status_code = HTTPStatus.NOT_FOUND
        return answer
