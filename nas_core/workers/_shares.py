"""Whose job is next: owners get equal worker seconds while they all want work, and none can take every slot."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nas_core.workers.base import Job

_RECENT_SECONDS = 1.0
"""An owner that had work so lately will have more: its slot is kept free for it that long, since whoever takes it
meanwhile may not give it back for minutes."""


@dataclass
class _Owner:
    waiting: deque[Job] = field(default_factory=deque)
    used: float = 0.0
    seen: float = 0.0


class FairQueue:
    """Jobs waiting, by owner. Start-time fair queueing: the owner that has used least is served next; one that comes,
    or comes back, starts level with those that are there, so nobody saves up a claim on everything."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots, self._clock = slots, clock
        self._owners: dict[str, _Owner] = {}

    def __len__(self) -> int:
        return sum(len(owner.waiting) for owner in self._owners.values())

    def add(self, job: Job, *, first: bool = False) -> None:
        """Queue a job; `first` before the others of its owner."""
        now = self._clock()
        owner = self._owners.get(job.owner)
        if owner is None or not self._counts(owner, now, 0):
            level = min((o.used for o in self._owners.values() if self._counts(o, now, 0)), default=0.0)
            owner = self._owners.setdefault(job.owner, _Owner())
            owner.used = max(owner.used, level)
        owner.seen = now
        (owner.waiting.appendleft if first else owner.waiting.append)(job)

    def remove(self, owner: str) -> list[Job]:
        """Take back what `owner` has waiting."""
        found = self._owners.pop(owner, _Owner())
        return list(found.waiting)

    def remove_all(self) -> list[Job]:
        """Take back everything that waits."""
        return [job for name in list(self._owners) for job in self.remove(name)]

    def charge(self, owner: str, seconds: float) -> None:
        """Note what a job of `owner` took of a slot."""
        if owner in self._owners:
            self._owners[owner].used += seconds
            self._owners[owner].seen = self._clock()

    def next(self, running: Mapping[str, list[float]]) -> Job | None:
        """The job to run next on a free slot; None where none may. `running`: by owner, since when its jobs run."""
        now = self._clock()
        gone = [name for name, o in self._owners.items() if not self._counts(o, now, len(running.get(name, ())))]
        for name in gone:
            del self._owners[name]
        contenders = len(self._owners)
        wanting = {name: owner for name, owner in self._owners.items() if owner.waiting}
        if not wanting:
            return None
        share = -(-self._slots // contenders)
        allowed = [name for name in wanting if len(running.get(name, ())) < share]
        if not allowed:
            return None

        def used(name: str) -> float:
            return wanting[name].used + sum(now - since for since in running.get(name, ()))

        return wanting[min(allowed, key=used)].waiting.popleft()

    @property
    def contenders(self) -> int:
        """Owners that have work waiting."""
        return sum(bool(owner.waiting) for owner in self._owners.values())

    @property
    def known(self) -> int:
        """Owners that have work, or had some a moment ago."""
        return len(self._owners)

    def _counts(self, owner: _Owner, now: float, running: int) -> bool:
        return bool(owner.waiting) or running > 0 or now - owner.seen < _RECENT_SECONDS
