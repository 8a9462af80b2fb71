"""An architecture of a run as a file: with the weights it was trained to alone, where it was, else with fresh ones."""

from __future__ import annotations

from dataclasses import dataclass

from nas_core.store import RunRow, Store


@dataclass(frozen=True)
class Exported:
    """A file: its name, and its content."""

    name: str
    data: bytes


def export(store: Store, run: RunRow, text: str, kind: str) -> Exported:
    """Write architecture `text` of `run` as `kind`, checked against the app's model.

    Raises:
        ValueError: no such architecture or kind, or it cannot be written so.
    """
    from nas_core.export import KINDS, Blueprint, content, trained_model

    weights = _weights(store, run, text)
    if weights is None:
        blueprint = Blueprint.of(run.space, text)
        model = blueprint.model(seed=int(run.config.get("seed") or 0))
    else:
        blueprint, model = trained_model(weights)
    ending = KINDS[kind][0] if kind in KINDS else ""
    name = f"{'trained' if weights else 'fresh'}-{run.id}{ending}"
    return Exported(name, content(kind, blueprint, model).data)


def _weights(store: Store, run: RunRow, text: str) -> bytes | None:
    """The checkpoint of the last finished training of `text` alone."""
    alone = [run.id] if (run.config.get("supernet") or {}).get("arch") == text else []
    alone += [str(entry.body["run"]) for entry in store.log(run.id, kind="training") if entry.body["arch"] == text]
    for identifier in reversed(alone):
        if store.candidates(identifier):
            return store.file(identifier)
    return None
