"""The registry of strategies; other distributions add theirs through the entry points `nas_helm.strategies`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nas_core.registry import Registry
from nas_core.search.base import Strategy
from nas_core.spaces import SearchSpace

_STRATEGIES: Registry[Callable[..., Strategy]] = Registry(
    "strategy", "nas_core.search", support=("base",), group="nas_helm.strategies"
)
register = _STRATEGIES.register
"""Register a strategy class, made as `(space, seed, state)`, under a name."""
names = _STRATEGIES.names
"""Names of all strategies, sorted."""
factory = _STRATEGIES.get
"""The class registered under a name; ValueError lists those that exist."""


def get(name: str, space: SearchSpace, seed: int = 0, state: dict[str, Any] | None = None) -> Strategy:
    """A strategy called `name` on `space`, fresh from `seed` or resumed from `state`.

    Raises:
        ValueError: no such strategy; the message lists those that exist.
    """
    return _STRATEGIES.get(name)(space, seed, state)
