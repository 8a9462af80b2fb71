"""An architecture of a run as a file: with the weights it was trained to alone, where it was, else with fresh ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.store import RunRow, Store

if TYPE_CHECKING:
    from torch import nn

    from nas_core.export import Blueprint
    from nas_core.supernet import Trainer


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
    from nas_core.export import KINDS, Blueprint, content

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


def trained_model(weights: bytes) -> tuple[Blueprint, nn.Module]:
    """The network that a checkpoint trained alone, and what it was built from.

    Raises:
        ValueError: no checkpoint, or one of shared weights.
    """
    from nas_core.export import Blueprint
    from nas_core.spaces import ImageShape, Scale
    from nas_core.supernet import loads

    trainer: Trainer = loads(weights)
    if trainer.arch is None:
        raise ValueError("the checkpoint holds shared weights; expected one network trained alone")
    images, settings = trainer.images, trainer.settings
    blueprint = Blueprint.of(
        trainer.space.name,
        trainer.arch,
        image=ImageShape(images.channels, images.size, images.size),
        classes=images.classes,
        scale=Scale(settings.channels, settings.cells),
    )
    state = {name.removeprefix("network."): value for name, value in trainer.supernet.state_dict().items()}
    return blueprint, blueprint.model(weights=state)
