"""The registry of proxies; other distributions add theirs through the entry points `nas_helm.proxies`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from nas_core.ladder import AGGREGATE, rung
from nas_core.proxies._distributions import DISTRIBUTIONS
from nas_core.proxies.base import Proxy
from nas_core.registry import Registry

_PROXIES: Registry[Callable[..., Proxy]] = Registry(
    "proxy", "nas_core.proxies", support=("base", "settings"), group="nas_helm.proxies"
)
register = _PROXIES.register
"""Register a proxy class, made without arguments, under a name."""
names = _PROXIES.names
"""Names of all proxies, sorted."""
load_ours = _PROXIES.load_ours
"""Import the proxies of this package, and nobody else's."""


def get(name: str, **options: Any) -> Proxy:
    """Return the proxy called `name`.

    Args:
        name: of the proxy.
        options: variants that it offers, such as `weighting="fan_in"` of fisher; a run takes the defaults.

    Raises:
        ValueError: no such proxy, or no such option; the message lists those that exist.
    """
    made = _PROXIES.get(name)
    known = inspect.signature(made).parameters if options else {}
    for option in options:
        if option not in known:
            offered = ", ".join(known) or "none"
            raise ValueError(f"{option}: no option of {name}, expected one of: {offered}")
    return made(**options)


def version(name: str) -> int:
    """The version of the proxy whose values the store keeps under `name`, distributions included.

    1 for everything else: a proxy that states none or is not installed here, and scores of other rungs.
    """
    proxy = name.removesuffix(DISTRIBUTIONS)
    return int(getattr(get(proxy), "version", 1)) if proxy in names() else 1


def higher_is_better(name: str) -> bool:
    """Whether more is better of a score of any rung: a proxy, or what shared weights or training measure.

    Raises:
        ValueError: no such score.
    """
    return name == AGGREGATE or rung(name) != "zero-cost" or get(name).higher_is_better
