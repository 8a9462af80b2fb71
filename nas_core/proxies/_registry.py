"""The registry of proxies: every module of this room, then the entry points of other distributions."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from nas_core.ladder import AGGREGATE, rung
from nas_core.proxies.base import Proxy

_PROXIES: dict[str, Callable[[], Proxy]] = {}
_SUPPORT = {"base", "settings"}


def register(name: str) -> Callable[[type], type]:
    """Register a proxy class, made without arguments, under `name`."""

    def decorate(proxy: type) -> type:
        _PROXIES[name] = proxy
        return proxy

    return decorate


@cache
def _discover() -> None:
    import nas_core.proxies as room

    for module in pkgutil.iter_modules(room.__path__):
        if not module.name.startswith("_") and module.name not in _SUPPORT:
            import_module(f"{room.__name__}.{module.name}")
    for point in entry_points(group="nas_helm.proxies"):
        _PROXIES.setdefault(point.name, point.load())


def names() -> list[str]:
    """Names of every proxy, sorted."""
    _discover()
    return sorted(_PROXIES)


def get(name: str) -> Proxy:
    """Return the proxy called `name`.

    Raises:
        ValueError: no such proxy; the message lists those that exist.
    """
    _discover()
    if name not in _PROXIES:
        raise ValueError(f"unknown proxy {name!r}; expected one of: {', '.join(names())}")
    return _PROXIES[name]()


def higher_is_better(name: str) -> bool:
    """Whether more is better of a score of any rung: a proxy, or what shared weights or training measure.

    Raises:
        ValueError: no such score.
    """
    return name == AGGREGATE or rung(name) != "zero-cost" or get(name).higher_is_better
