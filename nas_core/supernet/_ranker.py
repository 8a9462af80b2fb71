"""One-shot scores: how well a path does with shared weights, after its batch statistics are measured anew. Needs torch.

A score here is never called accuracy of the architecture: it is a rung of the evaluation ladder, whose trust is
measured elsewhere.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from nas_core.spaces import Architecture
from nas_core.supernet._train import Trainer


def recalibrate(supernet: nn.Module, arch: Architecture, batches: Iterable[Tensor]) -> None:
    """Reset all batch-normalisation statistics, then average those of `arch` over `batches`; no weight changes.

    Leaves `supernet` in evaluation mode. Images (n, channels, height, width). Source: Guo et al., SPOS, ECCV 2020,
    section 3.4: statistics gathered over all paths fit none of them.
    """
    _average_statistics(supernet, batches, lambda images: supernet(images, arch))


def _average_statistics(module: nn.Module, batches: Iterable[Tensor], run: Callable[[Tensor], Tensor]) -> None:
    norms = [norm for norm in module.modules() if isinstance(norm, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
    module.train()
    with torch.inference_mode():
        for images in batches:
            run(images)
    module.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


class Ranker:
    """Scores paths of a trained supernet on its held-out images; works on a copy, so training may go on meanwhile.

    `calibration` training images, in two batches, re-calibrate each path before it is scored; with 0 paths run on the
    statistics that training left, which shows what re-calibration is worth.
    """

    def __init__(self, trainer: Trainer, *, calibration: int = 512) -> None:
        self._supernet: nn.Module = copy.deepcopy(trainer.supernet).eval()
        self.alone = trainer.arch is not None
        images = trainer.images
        size = min(calibration, len(images.labels)) // 2
        self._calibration = images.calibration(2, max(2, size), trainer.settings.seed) if calibration else []
        self._held_out, self._labels = images.held_out, images.held_out_labels
        if hasattr(self._supernet, "take_stem"):
            self._run_stem_once(self._supernet.take_stem())

    def scores(self, archs: Sequence[Architecture], *, each: Callable[[], None] | None = None) -> pd.DataFrame:
        """One row an architecture: `one_shot` (minus the cross-entropy in nats, higher is better), `hits` (share).

        `each` is called after every architecture. The finer of the two is `one_shot`: few networks share its value.
        """
        found = []
        for arch in archs:
            if self._calibration:
                recalibrate(self._supernet, arch, self._calibration)
            with torch.inference_mode():
                logits = self._supernet(self._held_out, arch)
                loss = nn.functional.cross_entropy(logits, self._labels).item()
                found.append((-loss, (logits.argmax(dim=1) == self._labels).float().mean().item()))
            if each:
                each()
        return pd.DataFrame(found, columns=["one_shot", "hits"])

    def _run_stem_once(self, stem: nn.Module) -> None:
        if self._calibration:
            _average_statistics(stem, self._calibration, stem)
        with torch.inference_mode():
            self._held_out = stem(self._held_out)
            self._calibration = [stem(images) for images in self._calibration]
