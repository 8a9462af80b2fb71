"""How the statistics of a score are spread inside every layer of an architecture: kept in the score cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nas_core import proxies
from nas_core.engine import _work
from nas_core.engine.tasks.answers import Call, register
from nas_core.store import LogEntry, RunRow, Store


@register("distributions")
class Distributions:
    """A request with `arch` and `proxy`."""

    def __init__(self, store: Store, run: RunRow, request: LogEntry) -> None:
        self._store, self._run = store, run
        self._arch, self._proxy = str(request.body.get("arch")), str(request.body.get("proxy"))

    def begin(self) -> Call:
        """The histograms of every layer."""
        config = self._run.config
        space = config.known_space
        self._canonical = space.format(space.canonical(space.parse(self._arch)))
        return Call(_work.distributions, (space.name, config.template, self._canonical, self._proxy, config.settings))

    def end(self, value: list[dict[str, Any]]) -> Mapping[str, Any]:
        """Keep the rows under the name of the score's distributions."""
        name = proxies.distribution_name(self._proxy)
        key = self._run.config.settings.key()
        self._store.remember(self._run.space, self._canonical, key, {name: float("nan")}, {}, {name: value})
        return {}
