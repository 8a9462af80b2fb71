"""The registry of search spaces: built-in modules first, then the entry points of other distributions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

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


@cache
def get(name: str) -> SearchSpace:
    """Return the space called `name`.

    Raises:
        ValueError: no such space; the message lists those that exist.
    """
    if name in _BUILT_IN:
        import_module(_BUILT_IN[name])
    elif name not in _FACTORIES:
        for point in entry_points(group="nas_helm.spaces"):
            if point.name == name:
                _FACTORIES[name] = point.load()
    if name not in _FACTORIES:
        raise ValueError(f"unknown search space {name!r}; expected one of: {', '.join(names())}")
    return _FACTORIES[name]()
