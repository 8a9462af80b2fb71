"""What the app wants to know and only the engine can compute: requests of the log, answered between two generations."""

from __future__ import annotations

import time

from nas_core import proxies, spaces
from nas_core.proxies.settings import ScoreSettings
from nas_core.store import LogEntry, Store, StoreError

_LOOK_SECONDS = 0.25


class Answers:
    """Answers requests for distributions; what was computed goes to the score cache, the answer to the log.

    Several engines may answer the same request: the first one's result is kept, and both would be equal.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cursor = 0
        self._open: dict[int, tuple[str, LogEntry]] = {}
        self._looked = 0.0

    def serve(self) -> bool:
        """Answer one request; False where there is none."""
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._read()
        if not self._open:
            return False
        number = min(self._open)
        run, entry = self._open[number]
        if self._store.status(run) is not None:  # else the run was deleted meanwhile
            try:
                message = self._answer(run, str(entry.body.get("arch")), str(entry.body.get("proxy")))
                self._store.append(run, "answer", {"request": number, "message": message})
            except StoreError:
                if self._store.status(run) is not None:
                    raise  # to be tried again when the store is back
        del self._open[number]
        return True

    def _read(self) -> None:
        for run, entry in self._store.entries(("request", "answer"), after=self._cursor):
            self._cursor = entry.id
            if entry.kind == "request":
                self._open[entry.id] = run, entry
            else:
                self._open.pop(int(entry.body["request"]), None)

    def _answer(self, identifier: str, arch: str, proxy: str) -> str:
        """Compute and keep what was asked; why not, where it cannot be."""
        try:
            self._compute(identifier, arch, proxy)
        except StoreError:
            raise
        except Exception as error:  # whatever was asked, the engine goes on
            return str(error) or type(error).__name__
        return ""

    def _compute(self, identifier: str, arch: str, proxy: str) -> None:
        from nas_core import scoring

        run = self._store.run(identifier)
        space = spaces.get(run.space)
        settings = ScoreSettings.from_dict(run.config.get("settings") or {})
        canonical = space.canonical(space.parse(arch))
        table = scoring.layer_distributions(space, canonical, proxy, settings)
        name = proxies.distribution_name(proxy)
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        self._store.remember(run.space, space.format(canonical), settings.key(), {name: float("nan")}, {}, {name: rows})
