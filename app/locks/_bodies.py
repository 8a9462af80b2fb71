"""What a callback is sent: JSON of the form that pages send, with text and numbers of a size that a person enters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

MOST_BYTES = 4 << 20
"""Bytes of a request: a template of the largest size with all that can be undone is 1.8 MB, a file beside it 1.4 MB."""

MOST_CHARACTERS = 10_000
"""Characters of a field."""

MOST_IN_NAME = 200
"""Characters of a field that holds a name: one whose id is `name` or ends in `-name`."""

MOST_EXACT = 2**53
"""The largest whole number that every browser holds exactly."""

TOO_LARGE = f"This request has more than {MOST_BYTES / (1 << 20):.0f} MiB, which no page sends; nothing was done."
NO_JSON = "The body of this request is not JSON; nothing was done."
NO_CALLBACK = "This page and the app are of different versions; reload the page."

_TOLD = ("what", "note", "name")
"""Parts of a press, see `assets/helm.js`, that a person entered or that name what was pressed."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MAYBE_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class StrictJSON(DefaultJSONProvider):
    """JSON as it is defined: without NaN and infinity, which Python would read and no database keeps."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read a document.

        Raises:
            ValueError: it is none.
        """
        try:
            return super().loads(s, parse_constant=_not_json, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _not_json(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def problem_of_callback(request: Request, callbacks: Mapping[str, Mapping[str, Any]]) -> tuple[HTTPStatus, str]:
    """Why a callback is not called with the body of `request`: a status and a sentence, empty where it is.

    Args:
        request: a request to the address that callbacks have.
        callbacks: those of the app by their output, each with the `inputs` and the `state` that it takes.

    Raises:
        RequestEntityTooLarge: the body has more bytes than the app takes.
    """
    try:
        body = request.get_json()
    except (BadRequest, UnsupportedMediaType) as error:
        return HTTPStatus(error.code or HTTPStatus.BAD_REQUEST), NO_JSON
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return HTTPStatus.BAD_REQUEST, "This request names no output of a callback; nothing was done."
    taken = callbacks.get(body["output"])
    if taken is None or not _fits(body, taken):
        return HTTPStatus.BAD_REQUEST, NO_CALLBACK
    if _MAYBE_UNSTORABLE.search(request.get_data()) and any(map(_UNSTORABLE.search, _texts(body))):
        return HTTPStatus.BAD_REQUEST, "This request holds half a character, which cannot be kept; nothing was done."
    problem = next(filter(None, (_problem_of_value(*field) for field in _fields(body))), "")
    return (HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK), problem


def _fits(body: Mapping[str, Any], taken: Mapping[str, Any]) -> bool:
    """Whether a body brings what a callback takes, in its order."""
    for name in ("inputs", "state"):
        given, wanted = body.get(name) or [], taken[name]
        if not isinstance(given, list) or len(given) != len(wanted):
            return False
        if not all(_is_of(one, declared) for one, declared in zip(given, wanted, strict=True)):
            return False
    changed, outputs = body.get("changedPropIds") or [], body.get("outputs") or []
    listed = isinstance(changed, list) and all(isinstance(one, str) for one in changed)
    return listed and all(_is_field(one) for one in _flat(outputs))


def _is_of(given: Any, declared: Mapping[str, str]) -> bool:
    if declared["id"].startswith("{"):  # of a pattern: one field, or a list of all that match
        return all(_is_field(one) for one in _flat(given))
    return _is_field(given) and (given["id"], given["property"]) == (declared["id"], declared["property"])


def _is_field(given: Any) -> bool:
    return (
        isinstance(given, dict) and isinstance(given.get("id"), str | dict) and isinstance(given.get("property"), str)
    )


def _flat(given: Any) -> list[Any]:
    entries = given if isinstance(given, list) else [given]
    return [one for entry in entries for one in (entry if isinstance(entry, list) else [entry])]


def _fields(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a person entered, not what pages keep for themselves: values of fields, and what a press tells of them."""
    for one in (one for name in ("inputs", "state") for one in _flat(body.get(name) or [])):
        value = one.get("value")
        if one["property"] == "value":
            yield str(one["id"]), value
        elif one["property"] == "data" and isinstance(value, dict):
            yield from ((name, value[name]) for name in _TOLD if name in value)


def _problem_of_value(field: str, value: Any) -> str:
    if isinstance(value, str):
        most = MOST_IN_NAME if field.rpartition("-")[2] == "name" else MOST_CHARACTERS
        return f"{field}: got {len(value):,} characters, expected at most {most:,}." if len(value) > most else ""
    if isinstance(value, int | float) and abs(value) > MOST_EXACT:
        return f"{field}: got a number out of range, expected at most {MOST_EXACT:,}."
    if isinstance(value, list):
        return next(filter(None, (_problem_of_value(field, one) for one in value)), "")
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
