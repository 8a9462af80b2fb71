"""ZiCo (Li et al., ICLR 2023): inverse coefficient of variation of the gradients, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nas_core.proxies._distributions import COLUMNS, histogram
from nas_core.proxies._layers import NO_PATH, layer_table
from nas_core.proxies._passes import Measured, Measurement, Readings, Step, measure
from nas_core.proxies._registry import register
from nas_core.proxies._stack import Stack, StackScore, stack_gradients
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.proxies.base import Target

STATISTICS = ["mean_abs_grad", "std", "inverse_cv", "term"]
_SKIPPED = (math.nan,) * 4


class _GradientStatistics:
    """Running sums over the gradients of one weight (n, ...), one network or many a row: O(weights) memory.

    Deviations are taken from the first gradient, so that weights whose gradient hardly changes lose no digits.
    """

    def __init__(self) -> None:
        self.count = 0

    def add(self, gradient: Tensor) -> None:
        import torch

        self.count += 1
        if self.count == 1:
            self._first = gradient
            self._magnitude = gradient.abs()
            self._shift, self._square = gradient.new_zeros(gradient.shape), gradient.new_zeros(gradient.shape)
            return
        difference = gradient - self._first
        self._shift.add_(difference)
        self._square.addcmul_(difference, difference)
        self._magnitude.add_(torch.abs(gradient, out=difference))

    def per_weight(self) -> dict[str, Tensor]:
        """Magnitude, deviation and inverse coefficient of variation of every weight, each (n,)."""
        magnitude = self._magnitude.flatten() / self.count
        mean_shift = self._shift.flatten() / self.count
        std = (self._square.flatten() / self.count - mean_shift**2).clamp_(min=0).sqrt_()
        return {"mean_abs_grad": magnitude, "std": std, "inverse_cv": magnitude / std}

    def layers(self, networks: int = 1) -> list[tuple[float, float, float, float]]:
        """For each of the networks whose weights stand one after another: mean_abs_grad, std, inverse_cv, term.

        The term is NaN where the sum it is the logarithm of is 0.
        """
        import torch

        magnitude = self._magnitude.reshape(networks, -1).div_(self.count)
        shift, square = self._shift.reshape(networks, -1), self._square.reshape(networks, -1)
        variance = square.addcmul_(shift, shift, value=-1 / self.count).div_(self.count)
        std = variance.clamp_(min=0).sqrt_()
        kept = std > 0
        # Masking before the sum instead of picking the weights kept: indexing by a mask costs more than all the rest.
        total = (magnitude / std).masked_fill_(~kept, 0).sum(dim=1, dtype=torch.float64)
        columns = (magnitude.mean(dim=1), std.mean(dim=1), total, kept.sum(dim=1))
        return [
            (mean, deviation, sum_ / count, math.log(sum_)) if sum_ > 0 else (mean, deviation, math.nan, math.nan)
            for mean, deviation, sum_, count in zip(*(column.tolist() for column in columns), strict=True)
        ]


class GradientMoments(Measurement):
    """Mean magnitude and deviation over all batches of every layer's gradient."""

    needs = Needs.GRADIENTS
    every_batch = True

    def __init__(self) -> None:
        self._statistics: list[_GradientStatistics] = []
        self._table: pd.DataFrame | None = None

    def targets(self, subject: Subject) -> Sequence[Target]:
        return subject.weights

    def add(self, step: Step) -> None:
        if not self._statistics:
            self._statistics = [_GradientStatistics() for _ in step.subject.layers]
        for running, gradient in zip(self._statistics, step.gradients[self], strict=True):
            if gradient is not None:
                running.add(gradient)

    def distributions(self, subject: Subject) -> pd.DataFrame:
        """A histogram a layer and statistic, of the layers that get a gradient. Read before `table`."""
        rows = [
            histogram(name, statistic, values)
            for name, running in zip((layer.name for layer in subject.layers), self._statistics, strict=True)
            if running.count
            for statistic, values in running.per_weight().items()
        ]
        return pd.DataFrame(rows, columns=COLUMNS)

    def table(self, subject: Subject) -> pd.DataFrame:
        """A row a layer: mean_abs_grad, std, inverse_cv (means over the weights kept), term (NaN where skipped)."""
        if self._table is None:
            rows = [running.layers()[0] if running.count else _SKIPPED for running in self._statistics]
            self._table = layer_table(subject.layers, STATISTICS, rows)
        return self._table

    def total(self, subject: Subject) -> tuple[float, str]:
        """The sum of the terms, and why it is NaN or empty."""
        table = self.table(subject)
        live = np.array([running.count > 0 for running in self._statistics])
        undefined = live & ~np.isfinite(table["mean_abs_grad"].to_numpy())
        if undefined.any():
            return math.nan, f"the gradient of {table['layer'][undefined.argmax()] or 'the layer'} is NaN or infinite"
        if table["term"].notna().any():
            return float(table["term"].dropna().sum()), ""
        return 0.0, "no gradient changes from batch to batch" if live.any() else NO_PATH


@register("zico")
class ZiCo(Measured):
    """`sum_l log( sum_{w in layer l} mean_i |g_i(w)| / std_i g_i(w) )` over mini-batches i, weights never updated.

    Layers are convolutions, linear, attention and recurrent layers, each weight once. The standard deviation is that of
    the population of signed gradients; weights whose deviation is 0 are dropped, and so are layers whose sum is 0 or
    that get no gradient. Where all are skipped (a cell without a live path) the empty sum is 0. NaN where a gradient
    is. At least two batches.

    The table has a row a layer: layer, kind, shape, weights, mean_abs_grad, std, inverse_cv (means over the weights
    kept), term (what the layer adds; NaN where it is skipped).

    Source: Li, Yang, Bhardwaj & Marculescu, ZiCo: zero-shot NAS via inverse coefficient of variation on gradients,
    ICLR 2023, equation 13.
    """

    name = "zico"
    needs = Needs.GRADIENTS
    summary = "inverse coefficient of variation of the gradients (Li et al., ICLR 2023)"
    least_batches = 2
    reads = (GradientMoments,)

    def read(self, readings: Readings) -> ProxyScore:
        """The sum of the layers' terms."""
        moments, subject = readings[GradientMoments], readings.subject
        value, reason = moments.total(subject)
        return ProxyScore(value, moments.table(subject), reason=reason)

    def distributions(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> pd.DataFrame:
        """How magnitude, deviation and inverse coefficient of variation are spread inside every layer."""
        subject = Subject(model, Task(output, loss))
        readings = measure(subject, batches, [GradientMoments], least=self.least_batches)
        return readings[GradientMoments].distributions(readings.subject)

    def score_stack(self, stack: Stack, batches: Batches) -> list[StackScore]:
        """Scores of many networks in one pass a batch, as `score` would give them one by one."""
        check_batches(batches, least=self.least_batches)
        weights = [weight.tensor for weight in stack.weights]
        statistics = [_GradientStatistics() for _ in weights]
        for images, labels in batches if weights else ():
            for running, gradient in zip(statistics, stack_gradients(stack, weights, images, labels), strict=True):
                running.add(gradient)
        rows: list[dict[str, tuple[float, ...]]] = [{} for _ in stack.layers]
        for weight, running in zip(stack.weights, statistics, strict=True):
            for network, row in zip(weight.members, running.layers(len(weight.members)), strict=True):
                rows[network][weight.layer] = row
        return [_stack_score(layers, own) for layers, own in zip(stack.layers, rows, strict=True)]


def _stack_score(layers: Sequence[tuple[str, str, str, int]], rows: Mapping[str, tuple[float, ...]]) -> StackScore:
    names = ["layer", "kind", "shape", "weights", *STATISTICS]
    statistics = [rows.get(about[0], _SKIPPED) for about in layers]
    table = [dict(zip(names, (*about, *row), strict=True)) for about, row in zip(layers, statistics, strict=True)]
    return StackScore(math.fsum(term for *_, term in statistics if not math.isnan(term)), table)
