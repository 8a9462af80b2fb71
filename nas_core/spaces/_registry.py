"""The registry of search spaces: built-in modules first, then the entry points of other distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from nas_core.spaces.base import SearchSpace

_BUILT_IN = {
    "nb201": "nas_core.spaces.nb201",
    "nats_sss": "nas_core.spaces.nats_sss",
    "nb101": "nas_core.spaces.nb101",
    "transnas_micro": "nas_core.spaces.transnas_micro",
    "nb_macro": "nas_core.spaces.nb_macro",
}
_FACTORIES: dict[str, Callable[[], SearchSpace]] = {}


def register(name: str) -> Callable[[Callable[[], SearchSpace]], Callable[[], SearchSpace]]:
    """Register a zero-argument factory (usually the class itself) under `name`."""

    def decorate(factory: Callable[[], SearchSpace]) -> Callable[[], SearchSpace]:
        _FACTORIES[name] = factory
        return factory

    return decorate


def names() -> list[str]:
    """Names of every space that can be built here, built-in ones first."""
    found = list(_BUILT_IN)
    found += [name for name in _FACTORIES if name not in found]
    found += [point.name for point in entry_points(group="nas_helm.spaces") if point.name not in found]
    return found


_DEFINED: dict[str, SearchSpace] = {}


def define(document: Mapping[str, Any]) -> SearchSpace:
    """Make the space of a template known to this process, by its name `template:...`, and return it.

    The same template under another title takes the place of the one known before.

    Raises:
        ValueError: no template, or blocks that do not fit together.
    """
    from nas_core.spaces.template import TemplateSpace, read

    space = TemplateSpace(read(document))
    known = _DEFINED.get(space.name)
    if known is None or known.title != space.title:
        known = _DEFINED[space.name] = space
    return known


def get(name: str) -> SearchSpace:
    """Return the space called `name`, or that of the template in a file whose name ends in `.json`.

    Raises:
        ValueError: no such space; the message lists those that exist.
    """
    if name in _DEFINED:
        return _DEFINED[name]
    if name.endswith(".json"):
        from nas_core.spaces.template import read_file

        try:
            return define(read_file(name).to_dict())
        except OSError as error:
            raise ValueError(f"template {name!r} cannot be read: {error.strerror}") from error
    return _named(name)


@cache
def _named(name: str) -> SearchSpace:
    if name in _BUILT_IN:
        import_module(_BUILT_IN[name])
    elif name not in _FACTORIES:
        for point in entry_points(group="nas_helm.spaces"):
            if point.name == name:
                _FACTORIES[name] = point.load()
    if name not in _FACTORIES:
        raise ValueError(f"unknown search space {name!r}; expected one of: {', '.join(names())}, or a template .json")
    return _FACTORIES[name]()
