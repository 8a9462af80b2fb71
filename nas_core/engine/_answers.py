"""What the app wants to know and only the engine can compute: requests of the log, answered between two generations."""

from __future__ import annotations

import time

from nas_core import proxies, spaces
from nas_core.engine._exports import export
from nas_core.proxies.settings import ScoreSettings
from nas_core.store import LogEntry, Store, StoreError

_LOOK_SECONDS = 0.25


class Answers:
    """Answers requests for distributions and exports; results go to the score cache or to files, answers to the log.

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
                self._store.append(run, "answer", {"request": number, **self._answer(run, entry)})
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

    def _answer(self, identifier: str, entry: LogEntry) -> dict[str, str]:
        """Compute and keep what was asked; `message` says why not, where it cannot be."""
        try:
            if entry.body.get("what") == "export":
                return {"message": "", **self._export(identifier, entry)}
            self._compute(identifier, str(entry.body.get("arch")), str(entry.body.get("proxy")))
        except StoreError:
            raise
        except Exception as error:  # whatever was asked, the engine goes on
            return {"message": str(error) or type(error).__name__}
        return {"message": ""}

    def _export(self, identifier: str, entry: LogEntry) -> dict[str, str]:
        run = self._store.run(identifier)
        found = export(self._store, run, str(entry.body.get("arch")), str(entry.body.get("kind")))
        name = f"export {entry.id}"
        self._store.keep_file(identifier, name, found.data)
        return {"file": name, "filename": found.name}

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
