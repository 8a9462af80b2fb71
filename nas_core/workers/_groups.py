"""Items that jobs take in groups: when a group is lost, the one item to blame is found, and only that one fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from nas_core.workers.base import Failure, Outcome

Item = TypeVar("Item")


class GroupFailed(RuntimeError):
    """A whole group failed in a way that no item of it is to blame for; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass(frozen=True)
class Group(Generic[Item]):
    """Items of one job, and how often they were tried alone before."""

    items: tuple[Item, ...]
    tries: int = 0


class Groups(Generic[Item]):
    """Hands out items in groups of at most `size`, and takes outcomes of their jobs.

    A job's value is a list with one entry an item: its result, or a `Failure`. A job that reports `(first, last)`, the
    places of the items in hand, says which are to blame when its process dies, hangs or exhausts its memory: a single
    one is tried again alone and the others as a group; of several each is tried alone. Only what fails alone counts as
    a try, and after `tries` of them the item has failed.
    """

    def __init__(self, items: Sequence[Item], *, size: int, tries: int) -> None:
        self._tries = tries
        self._waiting = deque(Group(tuple(items[k : k + size])) for k in range(0, len(items), size))

    def __len__(self) -> int:
        """Groups to hand out."""
        return len(self._waiting)

    def next(self) -> Group[Item]:
        """The next group to make a job of."""
        return self._waiting.popleft()

    def clear(self) -> None:
        """Hand out no more."""
        self._waiting.clear()

    def take(self, group: Group[Item], outcome: Outcome) -> list[tuple[Item, Any]]:
        """What is known now: items with their results or failures; what is to be tried again is handed out again.

        Raises:
            GroupFailed: the job failed in a way that would fail any other group as well.
        """
        failure = outcome.failure
        if failure is None:
            return list(zip(group.items, outcome.value, strict=True))
        if not failure.may_be_tried_again:
            raise GroupFailed(failure)
        if len(group.items) == 1:
            if group.tries + 1 < self._tries:
                self._waiting.appendleft(replace(group, tries=group.tries + 1))
                return []
            more = f", {group.tries + 1} times" if group.tries else ""
            return [(group.items[0], replace(failure, reason=failure.reason + more))]
        first, last = outcome.mark or (0, len(group.items) - 1)
        if first == last:
            self._waiting.appendleft(Group(group.items[:first] + group.items[first + 1 :]))
            self._waiting.append(Group((group.items[first],)))
        else:
            self._waiting.extend(Group((item,)) for item in group.items)
        return []
