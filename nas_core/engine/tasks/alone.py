"""One network trained by itself, short or long: pause, kill, resume and train on as with any run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nas_core import search
from nas_core.engine.tasks import register
from nas_core.engine.tasks.search import Search
from nas_core.spaces import Act, Architecture, Steering


@register("alone")
class Alone(Search):
    """Trains the network of `supernet["arch"]`, then measures it on held-out images."""

    summary = "trains one network alone"

    def strategy(self) -> search.Strategy:
        """The one network, asked for once."""
        return OneArchitecture(self.space.parse(self.config.alone), self.saved.get("strategy"))


class OneArchitecture:
    """The strategy of a run that is about one network: asks for it once."""

    def __init__(self, arch: Architecture, state: Mapping[str, Any] | None = None) -> None:
        self.arch, self._asked = arch, bool((state or {}).get("asked"))

    def ask(self, n: int, steering: Steering) -> list[search.Ask]:
        """The architecture, the first time."""
        found = [] if self._asked else [search.Ask(self.arch)]
        self._asked = True
        return found

    def tell(self, results: Sequence[search.Result]) -> None:
        """Nothing to learn."""

    def acts(self) -> list[Act]:
        """None."""
        return []

    def state(self) -> dict[str, Any]:
        """Whether it was asked for."""
        return {"asked": self._asked}
