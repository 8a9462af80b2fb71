"""An architecture of a run as a file: with the weights it was trained to alone, where it was, else with fresh ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from nas_core.engine import _work
from nas_core.engine.tasks.answers import Call, register
from nas_core.store import LogEntry, RunRow, Store


@register("export")
class Export:
    """A request with `arch` and `kind` (py, onnx, state-dict, json)."""

    def __init__(self, store: Store, run: RunRow, request: LogEntry) -> None:
        self._store, self._run, self._request = store, run, request
        self._arch, self._kind = str(request.body.get("arch")), str(request.body.get("kind"))

    def begin(self) -> Call:
        """The content of the file, checked against the app's model."""
        config = self._run.config
        self._weights = trained_weights(self._store, self._run, self._arch)
        wanted = _work.Exported(
            config.known_space.name,
            config.template,
            self._arch,
            self._kind,
            config.seed,
            config.supernet_settings() if config.supernet is not None and config.template else None,
        )
        return Call(_work.export, (wanted, self._weights))

    def end(self, value: tuple[bytes, str]) -> Mapping[str, Any]:
        """Keep the file; the page is told where, and how to call it."""
        data, ending = value
        which = hashlib.blake2b(self._arch.encode(), digest_size=3).hexdigest()  # notations make no file names
        name = f"export {self._request.id}"
        self._store.keep_file(self._run.id, name, data)
        return {
            "file": name,
            "filename": f"{'trained' if self._weights else 'fresh'}-{self._run.id}-{which}{ending}",
        }


def trained_weights(store: Store, run: RunRow, text: str) -> bytes | None:
    """The checkpoint of the last finished training of `text` alone."""
    alone = [run.id] if run.config.alone == text else []
    alone += [str(entry.body["run"]) for entry in store.log(run.id, kind="training") if entry.body["arch"] == text]
    for identifier in reversed(alone):
        if store.candidates(identifier):
            return store.file(identifier)
    return None
