"""What gets through to the app: which hosts and origins, which bodies, and what every answer forbids a browser.

One call, `guard`. Who may look and who may steer is no matter of this room.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus

from dash import Dash
from flask import Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.locks._bodies import MOST_BYTES, TOO_LARGE, StrictJSON, problem_of_callback
from app.locks._callers import LOOPBACK_NAMES, host_name, is_loopback, problem_of_caller
from app.locks._headers import headers

__all__ = ["LOOPBACK_NAMES", "MOST_BYTES", "guard", "host_name", "is_loopback"]

_LOG = logging.getLogger(__name__)


def guard(app: Dash, *, allowed_hosts: Iterable[str] = ()) -> None:
    """Refuse what comes from elsewhere or is malformed, and put the protecting headers on every answer.

    To be called once, before the app serves; callbacks may be registered before or after. A refusal is one plain
    sentence: 403 for a caller, 413 for a body that is too large, another 4xx for one that no page sends.

    Args:
        app: the app.
        allowed_hosts: names the app is reached under besides those of this machine, such as "helm.example.org".
    """
    server = app.server
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    server.json = StrictJSON(server)
    names = LOOPBACK_NAMES | {name.lower() for name in allowed_hosts}
    callback = f"{app.config.routes_pathname_prefix}_dash-update-component"
    answered_with = cache(lambda: headers(app.csp_hashes()))  # hashes are complete when the first request comes

    @server.before_request
    def check() -> Response | None:
        problem = problem_of_caller(request, names)
        if problem:
            return _refused(HTTPStatus.FORBIDDEN, problem)
        if request.method == "POST" and request.path == callback:
            status, problem = problem_of_callback(request, app.callback_map)
            return _refused(status, problem) if problem else None
        return None

    @server.after_request
    def protect(answer: Response) -> Response:
        answer.headers.update(answered_with())
        return answer

    @server.errorhandler(RequestEntityTooLarge)
    def too_large(_error: HTTPException) -> Response:
        return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)


def _refused(status: HTTPStatus, sentence: str) -> Response:
    _LOG.warning("refused %s %.100r: %s", request.method, request.path, sentence)
    return Response(sentence + "\n", status, mimetype="text/plain")
