"""An architecture of a run as a file: with the weights it was trained to alone, where it was, else with fresh ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.engine._plan import Plan
from nas_core.spaces import ImageShape
from nas_core.store import RunRow, Store

if TYPE_CHECKING:
    from nas_core.export import Blueprint


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
    from nas_core.export import KINDS, content, trained_model

    weights = _weights(store, run, text)
    if weights is None:
        blueprint = _blueprint(run, text)
        model = blueprint.model(seed=int(run.config.get("seed") or 0))
    else:
        blueprint, model = trained_model(weights)
    ending = KINDS[kind][0] if kind in KINDS else ""
    which = hashlib.blake2b(text.encode(), digest_size=3).hexdigest()  # notations make no file names
    name = f"{'trained' if weights else 'fresh'}-{run.id}-{which}{ending}"
    return Exported(name, content(kind, blueprint, model).data)


def _blueprint(run: RunRow, text: str) -> Blueprint:
    """The size the space is published at; a template's own, or that of the images its weights are trained on."""
    from nas_core.export import Blueprint

    plan = Plan(run)
    if plan.supernet is None or plan.template is None:
        return Blueprint.of(run.space, text)
    from nas_core.supernet import SupernetSettings, _images

    images = _images.load(SupernetSettings.from_dict(plan.supernet))
    image = ImageShape(images.channels, images.size, images.size)
    return Blueprint.of(run.space, text, image=image, classes=images.classes)


def _weights(store: Store, run: RunRow, text: str) -> bytes | None:
    """The checkpoint of the last finished training of `text` alone."""
    alone = [run.id] if (run.config.get("supernet") or {}).get("arch") == text else []
    alone += [str(entry.body["run"]) for entry in store.log(run.id, kind="training") if entry.body["arch"] == text]
    for identifier in reversed(alone):
        if store.candidates(identifier):
            return store.file(identifier)
    return None
