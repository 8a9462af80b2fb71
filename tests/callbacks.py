"""Callbacks of the app as a browser asks for them, by its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash
from werkzeug.test import TestResponse


def ask(app: Dash, output: str, values: Mapping[str, Any], changed: str) -> TestResponse:
    """What the app answers of the callback with this `output`.

    Args:
        app: the app.
        output: its name in `app.callback_map`.
        values: what components hold, by their id; None for the others.
        changed: the property that made the browser ask, such as "pulse.data".
    """
    taken = app.callback_map[output]
    filled = {part: [{**slot, "value": values.get(slot["id"])} for slot in taken[part]] for part in ("inputs", "state")}
    names = output.strip(".").split("...")
    places = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
    body = {"output": output, "outputs": places if output.startswith("..") else places[0], "changedPropIds": [changed]}
    return app.server.test_client().post("/_dash-update-component", json=body | filled)
