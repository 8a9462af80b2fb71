"""ZiCo (Li et al., ICLR 2023): inverse coefficient of variation of the gradients, layer by layer."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import pandas as pd

from nas_core.proxies._registry import register
from nas_core.proxies.base import (
    Batches,
    Needs,
    ProxyScore,
    check_batches,
    untouched,
    weight_gradients,
    weighted_layers,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

COLUMNS = ["layer", "kind", "shape", "weights", "mean_abs_grad", "std", "inverse_cv", "term"]


class _GradientStatistics:
    """Running mean, squared deviation (Welford) and mean magnitude of one layer's gradient: O(weights) memory."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Tensor | None = None
        self.deviation: Tensor | None = None
        self.magnitude: Tensor | None = None

    def add(self, gradient: Tensor) -> None:
        gradient = gradient.double()
        self.count += 1
        if self.mean is None or self.deviation is None or self.magnitude is None:
            self.mean, self.deviation, self.magnitude = (
                gradient.clone(),
                gradient.new_zeros(gradient.shape),
                gradient.abs(),
            )
            return
        delta = gradient - self.mean
        self.mean.add_(delta, alpha=1 / self.count)
        self.deviation.addcmul_(delta, gradient - self.mean)
        self.magnitude.add_(gradient.abs())


@register("zico")
class ZiCo:
    """`sum_l log( sum_{w in layer l} mean_i |g_i(w)| / std_i g_i(w) )` over mini-batches i, weights never updated.

    Layers are every Conv2d and Linear weight. The standard deviation is that of the population of signed gradients;
    weights whose deviation is 0 are dropped, and so are layers whose sum is 0 or that get no gradient. Where all
    are skipped (a cell without a live path) the empty sum is 0.
    """

    name = "zico"
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "inverse coefficient of variation of the gradients (Li et al., ICLR 2023)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model` on at least two batches.

        Returns the value and a table with a row a layer: layer, kind, shape, weights, mean_abs_grad, std, inverse_cv
        (means over the weights kept), term (what the layer adds; NaN where it is skipped).
        """
        check_batches(batches, least=2)
        layers = weighted_layers(model)
        started = time.perf_counter()
        statistics = [_GradientStatistics() for _ in layers]
        with untouched(model):
            for images, labels in batches:
                for running, gradient in zip(statistics, weight_gradients(model, layers, images, labels), strict=True):
                    if gradient is not None:
                        running.add(gradient)
        rows = [_layer(name, module, running) for (name, module), running in zip(layers, statistics, strict=True)]
        table = pd.DataFrame(rows, columns=COLUMNS)
        terms = table["term"].dropna()
        return ProxyScore(float(terms.sum()), table, time.perf_counter() - started)


def _layer(name: str, module: nn.Module, running: _GradientStatistics) -> tuple[object, ...]:
    weight: Tensor = module.weight  # type: ignore[assignment]
    shape = "x".join(map(str, weight.shape))
    about = (name, type(module).__name__, shape, weight.numel())
    if running.mean is None or running.deviation is None or running.magnitude is None:
        return (*about, math.nan, math.nan, math.nan, math.nan)
    std = (running.deviation / running.count).sqrt_()
    magnitude = running.magnitude / running.count
    kept = std > 0
    # Masking before the sum instead of picking the weights kept: indexing by a mask costs more than all the rest.
    total = float((magnitude / std).masked_fill_(~kept, 0).sum())
    if total <= 0:
        return (*about, float(magnitude.mean()), float(std.mean()), math.nan, math.nan)
    return (*about, float(magnitude.mean()), float(std.mean()), total / int(kept.sum()), math.log(total))
