"""The per-layer table of a score and its sum, the gradients of the first batch: what many formulas share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from nas_core.proxies._passes import Measurement, Step
from nas_core.proxies._subject import Subject
from nas_core.proxies._weights import Layer
from nas_core.proxies.base import Needs, ProxyScore

if TYPE_CHECKING:
    from torch import Tensor

    from nas_core.proxies.base import Target

NO_PATH = "no layer's weight has a path to the loss"


def layer_table(
    layers: Sequence[Layer], columns: Sequence[str], rows: Sequence[Sequence[float | None]]
) -> pd.DataFrame:
    """A row a layer: layer, kind, shape (of the weight, as "16x3x3x3"), weights (their number), then `columns`."""
    about = [(layer.name, layer.kind, "x".join(map(str, layer.shape)), layer.size) for layer in layers]
    filled = [
        (*head, *(math.nan if value is None else value for value in row)) for head, row in zip(about, rows, strict=True)
    ]
    return pd.DataFrame(filled, columns=["layer", "kind", "shape", "weights", *columns])


def sum_of_terms(layers: Sequence[Layer], terms: Sequence[float | None], *, empty: str = NO_PATH) -> ProxyScore:
    """The sum of the layers' terms, with their table.

    Args:
        layers: the rows of the table.
        terms: what each adds; None where it adds nothing (no path to the loss), NaN where that is undefined.
        empty: what is said of a sum without any term, which is 0.
    """
    table = layer_table(layers, ["term"], [(term,) for term in terms])
    value, reason = added(layers, terms, empty=empty)
    return ProxyScore(value, table, reason=reason)


def added(layers: Sequence[Layer], terms: Sequence[float | None], *, empty: str = NO_PATH) -> tuple[float, str]:
    """The sum of terms as in `sum_of_terms`, and why it is NaN or empty."""
    present = [term for term in terms if term is not None]
    for layer, term in zip(layers, terms, strict=True):
        if term is not None and math.isnan(term):
            return math.nan, f"the term of {layer.name or 'the layer'} is NaN"
    return math.fsum(present), "" if present else empty


class FirstGradients(Measurement):
    """Gradients of the first batch's loss by every layer's weight; None without a path or frozen."""

    needs = Needs.GRADIENTS
    only_paths = True

    def __init__(self) -> None:
        self.gradients: list[Tensor | None] = []
        self.weights: list[Tensor] = []

    def targets(self, subject: Subject) -> Sequence[Target]:
        return subject.weights

    def add(self, step: Step) -> None:
        self.gradients = step.gradients[self]
        self.weights = [weight.detach() for weight in step.subject.weights]
