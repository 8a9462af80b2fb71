"""Shared weights: a one-shot supernet over a steerable space, its training, its ranking, and the trust in it.

What trains needs torch, and is imported when it is first asked for; settings, sampling and trust need none. Every
space of ours takes part; another does if its network is made of cells with one operation a decision (as in
NAS-Bench-201), or if it has a method `supernet(input=, classes=, scale=)` that returns a `SharedWeights`.

Example:
    from nas_core.supernet import Ranker, SupernetSettings, Trainer, save
    trainer = Trainer(SupernetSettings(space="nb201", data="digits", epochs=20))
    trainer.train()
    save(trainer, "digits.supernet")
    print(Ranker(trainer).scores(archs))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas_core.supernet._checkpoint import dumps, load, loads, save
    from nas_core.supernet._comparison import (
        Cells,
        Measured,
        OneShotScores,
        draw_cells,
        measure,
        medians,
        of_one_seed,
        train_and_score,
    )
    from nas_core.supernet._depth import depth_classes, longest_chains
    from nas_core.supernet._few_shot import few_shot
    from nas_core.supernet._images import Images, load_images
    from nas_core.supernet._ranker import Ranker, recalibrate
    from nas_core.supernet._sampling import SAMPLINGS, PathSampler, register, sampler
    from nas_core.supernet._settings import SupernetSettings
    from nas_core.supernet._shared import CellSupernet, SharedWeights, build
    from nas_core.supernet._train import Record, Trainer
    from nas_core.supernet._trust import Trust, trust, trust_weights

__all__ = [
    "SAMPLINGS",
    "CellSupernet",
    "Cells",
    "Images",
    "Measured",
    "OneShotScores",
    "PathSampler",
    "Ranker",
    "Record",
    "SharedWeights",
    "SupernetSettings",
    "Trainer",
    "Trust",
    "build",
    "depth_classes",
    "draw_cells",
    "dumps",
    "few_shot",
    "load",
    "load_images",
    "loads",
    "longest_chains",
    "measure",
    "medians",
    "of_one_seed",
    "recalibrate",
    "register",
    "sampler",
    "save",
    "train_and_score",
    "trust",
    "trust_weights",
]

_CONTENTS = {
    "_checkpoint": ("dumps", "load", "loads", "save"),
    "_comparison": (
        "Cells",
        "Measured",
        "OneShotScores",
        "draw_cells",
        "measure",
        "medians",
        "of_one_seed",
        "train_and_score",
    ),
    "_depth": ("depth_classes", "longest_chains"),
    "_few_shot": ("few_shot",),
    "_images": ("Images", "load_images"),
    "_ranker": ("Ranker", "recalibrate"),
    "_sampling": ("SAMPLINGS", "PathSampler", "register", "sampler"),
    "_settings": ("SupernetSettings",),
    "_shared": ("CellSupernet", "SharedWeights", "build"),
    "_train": ("Record", "Trainer"),
    "_trust": ("Trust", "trust", "trust_weights"),
}
_HOMES = {name: module for module, names in _CONTENTS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
