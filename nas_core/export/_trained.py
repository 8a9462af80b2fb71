"""A network that was trained alone, from its checkpoint to what is exported. Needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.export._blueprint import Blueprint
from nas_core.spaces import ImageShape

if TYPE_CHECKING:
    from torch import nn


def trained_model(checkpoint: bytes, *, name: str = "it") -> tuple[Blueprint, nn.Module]:
    """What a checkpoint's network was built from, and the network with its trained weights, in eval mode.

    Raises:
        ValueError: no checkpoint, or one of shared weights; `name` says which.
    """
    from nas_core.supernet import loads

    trainer = loads(checkpoint, name=name)
    if trainer.arch is None:
        raise ValueError(f"{name} holds shared weights; expected one network trained alone, as `train` writes it")
    images, settings = trainer.images, trainer.settings
    blueprint = Blueprint.of(
        trainer.space.name,
        trainer.arch,
        image=ImageShape(images.channels, images.size, images.size),
        classes=images.classes,
        scale=trainer.space.scale_for(channels=settings.channels, cells=settings.cells),
    )
    state = {key.removeprefix("network."): value for key, value in trainer.supernet.state_dict().items()}
    return blueprint, blueprint.model(weights=state)
