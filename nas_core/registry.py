"""What a room offers by name: found in its own modules, then in the entry points of other distributions."""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

Member = TypeVar("Member")
Registered = TypeVar("Registered")

_LOG = logging.getLogger(__name__)


class Registry(Generic[Member]):
    """Members of one kind by name. Adding one means adding a module to `package` that registers it, and nothing else.

    Args:
        kind: what a member is, in messages.
        package: the package whose modules are imported before the first look-up; not those that begin with `_`, and
            not those named in `support`.
        group: the group of entry points by which other distributions add members; none where it is None. They never
            take the name of one of ours. One that cannot be loaded is logged once and left out; `get` says why.
        besides: what a message says may be given instead of a member's name.
        first: names that `names` lists before the others.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        *,
        support: Collection[str] = (),
        group: str | None = None,
        besides: str = "",
        first: Sequence[str] = (),
    ) -> None:
        self.kind, self.package, self.support, self.group, self.besides = kind, package, support, group, besides
        self.first = first
        self._registered: dict[str, Member] = {}
        self._broken: dict[str, str] = {}

    def register(self, name: str) -> Callable[[Registered], Registered]:
        """A decorator that registers what it decorates under `name`."""

        def decorate(member: Any) -> Any:
            self.add(name, member)
            return member

        return decorate

    def add(self, name: str, member: Member) -> None:
        """Register `member` under `name`."""
        self._registered[name] = member

    def load_ours(self) -> None:
        """Import the members of the package, and nobody else's."""
        _ = self._own

    def names(self) -> list[str]:
        """Names of all members, sorted."""
        order = {name: place for place, name in enumerate(self.first)}
        return sorted({**self._others, **self._own}, key=lambda name: (order.get(name, len(order)), name))

    def get(self, name: str) -> Member:
        """The member called `name`.

        Raises:
            ValueError: no such member; the message lists those that exist, or says why this one cannot be loaded.
        """
        if name in self._own:
            return self._own[name]
        if name in self._others:
            return self._others[name]
        if name in self._broken:
            raise ValueError(f"{self.kind} {name!r} cannot be loaded: {self._broken[name]}")
        expected = f"{self.besides}one of: {', '.join(self.names())}"
        raise ValueError(f"unknown {self.kind} {name!r}; expected {expected}")

    @cached_property
    def _own(self) -> dict[str, Member]:
        """Members of the package's modules, and whatever registers later."""
        for module in pkgutil.iter_modules(import_module(self.package).__path__):
            if not module.name.startswith("_") and module.name not in self.support:
                import_module(f"{self.package}.{module.name}")
        return self._registered

    @cached_property
    def _others(self) -> dict[str, Member]:
        """Members from entry points; what another distribution got wrong does not break the rest."""
        found: dict[str, Member] = {}
        for point in entry_points(group=self.group) if self.group else ():
            if point.name in self._own or point.name in found:
                continue
            try:
                found[point.name] = point.load()
            except (Exception, SystemExit) as error:  # whatever a strange module does when it is imported
                reason = " ".join(f"{type(error).__name__}: {error}".split())
                self._broken[point.name] = f"entry point {point.value} raised {reason}"
                _LOG.warning("%s %r is left out: %s", self.kind, point.name, self._broken[point.name])
        return found
