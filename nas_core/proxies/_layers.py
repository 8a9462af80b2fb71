"""The per-layer table of a score, the gradients of the first batch, and outputs of layers: what many formulas share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from nas_core.proxies._passes import Measurement, Step, Subject
from nas_core.proxies.base import Needs

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.proxies.base import Target


def layer_table(
    layers: Sequence[tuple[str, nn.Module]], columns: Sequence[str], rows: Sequence[Sequence[float]]
) -> pd.DataFrame:
    """A row a layer: layer, kind, shape (of the weight, as "16x3x3x3"), weights (their number), then `columns`."""
    about = [
        (name, type(module).__name__, "x".join(map(str, module.weight.shape)), module.weight.numel())  # type: ignore[union-attr,operator]
        for name, module in layers
    ]
    filled = [(*head, *row) for head, row in zip(about, rows, strict=True)]
    return pd.DataFrame(filled, columns=["layer", "kind", "shape", "weights", *columns])


class FirstGradients(Measurement):
    """Gradients of the first batch's cross-entropy by every layer's weight; None without a path or frozen."""

    needs = Needs.GRADIENTS

    def __init__(self) -> None:
        self.gradients: list[Tensor | None] = []

    def targets(self, subject: Subject) -> Sequence[Target]:
        return subject.weights

    def add(self, step: Step) -> None:
        self.gradients = step.gradients[self]
