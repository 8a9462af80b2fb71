"""A training on disk: written whole or not at all, read without running anything that the file holds."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import torch

from nas_core.supernet._images import Images
from nas_core.supernet._settings import SupernetSettings
from nas_core.supernet._train import Trainer

_FORMAT = "nas-helm supernet 1"


def dumps(trainer: Trainer) -> bytes:
    """Weights, optimiser, sampler, steering and loss curve of a training."""
    buffer = io.BytesIO()
    torch.save(
        {
            "format": _FORMAT,
            "settings": json.dumps(trainer.settings.to_dict()),
            "state": json.dumps(trainer.state()),
            "weights": trainer.supernet.state_dict(),
            "optimizer": trainer.optimizer.state_dict(),
        },
        buffer,
    )
    return buffer.getvalue()


def loads(data: bytes, *, images: Images | None = None, name: str = "it") -> Trainer:
    """The training that `dumps` wrote, ready to go on or to rank; its data set is loaded anew unless given.

    Raises:
        ValueError: no checkpoint of a supernet, or one that does not fit its own settings; `name` says which.
    """
    try:
        content = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except Exception as error:  # a garbled pickle may raise anything
        raise ValueError(f"{name} is no checkpoint of a supernet: torch cannot read it safely") from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(f"{name} is no checkpoint of a supernet; expected one made by: supernet train")
    try:
        settings = {"normalise_pools": False, **json.loads(content["settings"])}  # none did before it was a setting
        trainer = Trainer(SupernetSettings.from_dict(settings), images=images)
        trainer.supernet.load_state_dict(content["weights"])
        trainer.optimizer.load_state_dict(content["optimizer"])
        trainer.restore(json.loads(content["state"]))
    except (RuntimeError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{name} does not fit its own settings; has the data set or the space changed?") from error
    return trainer


def save(trainer: Trainer, path: Path | str) -> None:
    """Write a training to a file; a reader sees the old file or the new, never half."""
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.write(dumps(trainer))
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path | str) -> Trainer:
    """The training that `save` wrote; see `loads`.

    Raises:
        ValueError: no checkpoint of a supernet, or one that does not fit its own settings.
        OSError: the file cannot be read.
    """
    return loads(Path(path).read_bytes(), name=str(path))
