"""Gradient norm (Abdelfattah et al., ICLR 2021)."""

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
    from torch import nn


@register("grad_norm")
class GradNorm:
    """`sum_l || dL/dW_l ||_2` over Conv2d and Linear weights, on the first batch, cross-entropy."""

    name = "grad_norm"
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "sum of the layers' gradient norms (Abdelfattah et al., ICLR 2021)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model`; the table has a row a layer: layer, kind, weights, term (its norm, NaN without gradient)."""
        check_batches(batches, least=1)
        layers = weighted_layers(model)
        started = time.perf_counter()
        with untouched(model):
            gradients = weight_gradients(model, layers, *batches[0])
        rows = [
            (name, type(module).__name__, module.weight.numel(), math.nan if g is None else float(g.norm()))  # type: ignore[operator,union-attr]
            for (name, module), g in zip(layers, gradients, strict=True)
        ]
        table = pd.DataFrame(rows, columns=["layer", "kind", "weights", "term"])
        return ProxyScore(float(table["term"].sum()), table, time.perf_counter() - started)
