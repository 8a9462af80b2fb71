"""Where the files for the browser lie: beside the package in a checkout, inside it once it is installed."""

from __future__ import annotations

from pathlib import Path

from dash import Dash
from flask import Response, request

_PACKAGE = Path(__file__).resolve().parent

FOLDER = next(
    folder for folder in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if (folder / "tokens.css").exists()
)
"""The folder of style sheets and scripts."""


def keep(app: Dash) -> None:
    """Let browsers keep a file of this folder for ever where its address says which version it is (`?m=` of Dash)."""
    folder = app.get_asset_url("")

    @app.server.after_request
    def for_ever(answer: Response) -> Response:
        if request.path.startswith(folder) and request.args.get("m") and answer.status_code in (200, 304):
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
