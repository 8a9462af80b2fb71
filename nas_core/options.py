"""Names with options, `name:option=value,option=value`: read, checked against a frozen dataclass, spelled again.

Spaces are named so, and strategies may be. What the options are is their owner's; no room is imported here.
"""

from __future__ import annotations

import math
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields
from typing import Any, Literal, TypeVar, Union

Options = TypeVar("Options")

MOST = 2**31 - 1
"""Largest whole number, and minus the least, that an option may be unless it says otherwise."""
_LONGEST = 200
"""Characters of a name with its options: it is a key in tables and part of the names of files."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_TEXT = re.compile(r"[A-Za-z0-9_.+/@-]+")


def option(default: Any = MISSING, *, least: float | None = None, most: float | None = None) -> Any:
    """A field of a dataclass of options, with the least and the most that a number may be.

    Example:
        @dataclass(frozen=True)
        class Depth:
            layers: int = option(8, least=1, most=64)
    """
    return field(default=default, metadata={"least": least, "most": most})


def split_name(text: str) -> tuple[str, dict[str, str]]:
    """The name in `name:option=value,option=value`, and the value of every option as it is written.

    Raises:
        ValueError: the options are not written so; the message quotes the part that is wrong.
    """
    name, colon, rest = text.partition(":")
    if not colon:
        return name, {}
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:40]!r}... is {len(text)} characters long; expected at most {_LONGEST}")
    if any(character.isspace() for character in text):
        raise ValueError(f"{text!r} has white space; expected {name.strip()}:option=value,option=value")
    found: dict[str, str] = {}
    for part in rest.split(","):
        key, equals, value = part.partition("=")
        if not _NAME.fullmatch(key) or not equals or not value:
            raise ValueError(f"{text!r}: {part!r} is no option; expected option=value")
        if key in found:
            raise ValueError(f"{text!r}: option {key} is given twice; expected it once")
        found[key] = value
    return name, found


def read(kind: type[Options], texts: Mapping[str, str], *, of: str) -> Options:
    """Options of a dataclass `kind` from what was written; those left out have their defaults.

    Fields may be int, float, bool, str, a Literal, or one of these or None, which is written `none`. `of` says in
    messages whose options they are.

    Raises:
        ValueError: an unknown option, one that is missing, or a value that its field cannot have.
    """
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind) if texts else {}
    values = {}
    for name, text in texts.items():
        if name not in known:
            expected = f"expected one of: {', '.join(known)}" if known else "it has none"
            raise ValueError(f"{of} has no option {name!r}; {expected}")
        values[name] = _value(hints[name], text, known[name], f"{of}: option {name}")
    for name, own in known.items():
        if name not in values and own.default is MISSING and own.default_factory is MISSING:
            raise ValueError(f"{of} needs option {name}; expected {name}=value")
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{of}: {error}") from error


def spelled(name: str, options: Any) -> str:
    """The one spelling of `name` with `options`, in the order of their fields; defaults are left out.

    Raises:
        ValueError: a value that cannot be written.
    """
    parts = [
        f"{own.name}={_written(getattr(options, own.name), own.name)}"
        for own in fields(options)
        if getattr(options, own.name) != _default(own)
    ]
    return f"{name}:{','.join(parts)}" if parts else name


def _default(own: Field[Any]) -> Any:
    return own.default_factory() if own.default_factory is not MISSING else own.default


def _written(value: Any, name: str) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"option {name} is {value}; expected a finite number")
        return str(int(value)) if value.is_integer() and abs(value) <= MOST else repr(value)
    text = str(value)
    if not _TEXT.fullmatch(text):
        raise ValueError(f"option {name} is {text!r}; expected letters, digits and any of _ . + / @ -")
    return text


def _value(hint: Any, text: str, own: Field[Any], what: str) -> Any:
    """`text` as a value of the type `hint`."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        (hint,) = [part for part in typing.get_args(hint) if part is not type(None)]
        if text == "none":
            return None
    if typing.get_origin(hint) is Literal:
        return _one_of({str(choice): choice for choice in typing.get_args(hint)}, text, what)
    if hint is bool:
        return _one_of({"true": True, "false": False}, text, what)
    if hint in (int, float):
        return _number(hint, text, own, what)
    if hint is str:
        if not _TEXT.fullmatch(text):
            raise ValueError(f"{what} is {text!r}; expected letters, digits and any of _ . + / @ -")
        return text
    raise TypeError(f"{what} has type {hint}; expected int, float, bool, str or Literal")


def _one_of(choices: Mapping[str, Any], text: str, what: str) -> Any:
    if text not in choices:
        raise ValueError(f"{what} is {text!r}; expected one of: {', '.join(choices)}")
    return choices[text]


def _number(kind: type, text: str, own: Field[Any], what: str) -> Any:
    least, most = own.metadata.get("least"), own.metadata.get("most")
    if kind is int:
        pattern, farthest, expected = _WHOLE, float(MOST), "a whole number"
    else:
        pattern, farthest, expected = _NUMBER, sys.float_info.max, "a number"
    low, high = -farthest if least is None else least, farthest if most is None else most
    value = kind(text) if pattern.fullmatch(text) else math.nan
    if not low <= value <= high:  # NaN is in no range
        raise ValueError(f"{what} is {text!r}; expected {expected} from {low:.10g} to {high:.10g}")
    return value + 0  # there is one zero, not two
