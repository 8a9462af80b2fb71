"""Requests of pages on their way: read from the store, computed by a worker beside those of the runs, answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from nas_core.engine.tasks import answers
from nas_core.store import LogEntry, Store, StoreError
from nas_core.workers import Job, Limits, Outcome, Workers

_LOOK_SECONDS = 0.25
_LIMITS = Limits(seconds=600.0)
_TRIES = 2


@dataclass
class _Open:
    """A request that is being answered."""

    run: str
    request: LogEntry
    answer: answers.Answer | None = None
    tries: int = 0


class Answers:
    """Answers requests; results go to the score cache or to files, answers to the log.

    Several engines may answer the same request: the first one's result is kept, and both would be equal.
    """

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store, self._workers = store, workers
        self._requests: dict[str, _Open] = {}
        self._looked = 0.0

    @property
    def open(self) -> bool:
        """Whether requests are on their way."""
        return bool(self._requests)

    def look(self) -> None:
        """Begin with the requests that have come since."""
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        for run, entry in self._store.requests():
            key = f"answer {run}:{entry.id}"
            if key not in self._requests:
                self._requests[key] = _Open(run, entry)
                self._begin(key)

    def take(self, outcome: Outcome) -> None:
        """Go on with the request that a job was for."""
        key = outcome.job.owner
        found = self._requests.get(key)
        if found is None:
            return
        if outcome.failure is not None and outcome.failure.may_be_tried_again and found.tries < _TRIES:
            self._begin(key)
        elif outcome.failure is not None:
            self._end(key, {"message": outcome.failure.reason})
        else:
            self._keep(key, outcome.value)

    def _begin(self, key: str) -> None:
        found = self._requests[key]
        found.tries += 1
        try:
            if self._store.status(found.run) is None:
                del self._requests[key]  # the run was deleted meanwhile
                return
            made = answers.get(str(found.request.body.get("what", "distributions")))
            found.answer = made(self._store, self._store.run(found.run), found.request)
            call = found.answer.begin()
        except StoreError:
            del self._requests[key]  # read again when the store is back
            raise
        except Exception as error:  # whatever was asked, the engine goes on
            self._end(key, {"message": str(error) or type(error).__name__})
            return
        self._workers.submit(Job(key, call.call, call.arguments, _LIMITS, prompt=True))

    def _keep(self, key: str, value: Any) -> None:
        found = self._requests[key]
        assert found.answer is not None
        try:
            told = found.answer.end(value)
        except StoreError:
            del self._requests[key]
            if self._store.status(found.run) is not None:
                raise
            return
        except Exception as error:
            told = {"message": str(error) or type(error).__name__}
        self._end(key, {"message": "", **told})

    def _end(self, key: str, body: dict[str, Any]) -> None:
        found = self._requests.pop(key)
        try:
            self._store.answer(found.run, found.request.id, body)
        except StoreError:
            if self._store.status(found.run) is not None:
                raise  # to be tried again when the store is back
