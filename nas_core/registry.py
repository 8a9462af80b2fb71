"""What a room offers by name: found in its own modules, then in the entry points of other distributions."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

Member = TypeVar("Member")
Registered = TypeVar("Registered")


class Registry(Generic[Member]):
    """Members of one kind by name. Adding one means adding a module to `package` that registers it, and nothing else.

    Args:
        kind: what a member is, in messages.
        package: the package whose modules are imported before the first look-up; not those that begin with `_`, and
            not those named in `support`.
        group: the group of entry points by which other distributions add members; none where it is None. They never
            take the name of one of ours.
        besides: what a message says may be given instead of a member's name.
    """

    def __init__(
        self, kind: str, package: str, *, support: Collection[str] = (), group: str | None = None, besides: str = ""
    ) -> None:
        self.kind, self.package, self.support, self.group, self.besides = kind, package, support, group, besides
        self._own: dict[str, Member] = {}

    def register(self, name: str) -> Callable[[Registered], Registered]:
        """A decorator that registers what it decorates under `name`."""

        def decorate(member: Any) -> Any:
            self.add(name, member)
            return member

        return decorate

    def add(self, name: str, member: Member) -> None:
        """Register `member` under `name`."""
        self._own[name] = member

    def names(self) -> list[str]:
        """Names of all members, sorted."""
        return sorted(self._members)

    def get(self, name: str) -> Member:
        """The member called `name`.

        Raises:
            ValueError: no such member; the message lists those that exist.
        """
        if name not in self._members:
            expected = f"{self.besides}one of: {', '.join(self.names())}"
            raise ValueError(f"unknown {self.kind} {name!r}; expected {expected}")
        return self._members[name]

    @cached_property
    def _members(self) -> dict[str, Member]:
        for module in pkgutil.iter_modules(import_module(self.package).__path__):
            if not module.name.startswith("_") and module.name not in self.support:
                import_module(f"{self.package}.{module.name}")
        for point in entry_points(group=self.group) if self.group else ():
            if point.name not in self._own:
                self._own[point.name] = point.load()
        return self._own
