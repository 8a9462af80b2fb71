"""Shared weights: a one-shot supernet over a steerable space, its training, its ranking, and the trust in it.

Needs torch. Every space of ours takes part; another does if its network is made of cells with one operation a
decision (as in NAS-Bench-201), or if it has a method `supernet(image=, classes=, scale=)` that returns a
`SharedWeights`.

Example:
    from nas_core.supernet import Ranker, SupernetSettings, Trainer, save
    trainer = Trainer(SupernetSettings(space="nb201", data="digits", epochs=20))
    trainer.train()
    save(trainer, "digits.supernet")
    print(Ranker(trainer).scores(archs))
"""

from nas_core.supernet._checkpoint import dumps, load, loads, save
from nas_core.supernet._comparison import Cells, Measured, OneShotScores, draw_cells, measure, medians, train_and_score
from nas_core.supernet._depth import depth_classes, longest_chains
from nas_core.supernet._ranker import Ranker, recalibrate
from nas_core.supernet._sampling import SAMPLINGS, PathSampler, register, sampler
from nas_core.supernet._settings import SupernetSettings
from nas_core.supernet._shared import CellSupernet, SharedWeights, build
from nas_core.supernet._split import split
from nas_core.supernet._train import Record, Trainer
from nas_core.supernet._trust import Trust, trust, trust_weights

__all__ = [
    "SAMPLINGS",
    "CellSupernet",
    "Cells",
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
    "load",
    "loads",
    "longest_chains",
    "measure",
    "medians",
    "recalibrate",
    "register",
    "sampler",
    "save",
    "split",
    "train_and_score",
    "trust",
    "trust_weights",
]
