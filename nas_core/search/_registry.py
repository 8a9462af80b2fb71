"""The registry of strategies: every module of this room, then the entry points of other distributions."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from nas_core.search.base import Strategy
from nas_core.spaces import SearchSpace

_STRATEGIES: dict[str, Callable[..., Strategy]] = {}


def register(name: str) -> Callable[[type], type]:
    """Register a strategy class, made as `(space, seed, state)`, under `name`."""

    def decorate(strategy: type) -> type:
        _STRATEGIES[name] = strategy
        return strategy

    return decorate


@cache
def _discover() -> None:
    import nas_core.search as room

    for module in pkgutil.iter_modules(room.__path__):
        if not module.name.startswith("_") and module.name != "base":
            import_module(f"{room.__name__}.{module.name}")
    for point in entry_points(group="nas_helm.strategies"):
        _STRATEGIES.setdefault(point.name, point.load())


def names() -> list[str]:
    """Names of every strategy, sorted."""
    _discover()
    return sorted(_STRATEGIES)


def get(name: str, space: SearchSpace, seed: int = 0, state: dict[str, Any] | None = None) -> Strategy:
    """A strategy called `name` on `space`, fresh from `seed` or resumed from `state`.

    Raises:
        ValueError: no such strategy; the message lists those that exist.
    """
    _discover()
    if name not in _STRATEGIES:
        raise ValueError(f"unknown strategy {name!r}; expected one of: {', '.join(names())}")
    return _STRATEGIES[name](space, seed, state)
