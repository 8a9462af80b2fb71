"""How a statistic is spread over the weights inside a layer: what a proxy that can tell offers, and its histograms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import pandas as pd

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.proxies.base import Batches

BINS = 40
DISTRIBUTIONS = ":distributions"
COLUMNS = ["layer", "statistic", "weights", "zeros", "low", "high", "counts"]


@runtime_checkable
class Distributed(Protocol):
    """A proxy whose per-layer statistics are means over weights, and that can show what they are means of."""

    def distributions(self, model: nn.Module, batches: Batches) -> pd.DataFrame:
        """A row a layer and statistic, see `histogram`; the model is left unchanged."""


def distribution_name(proxy: str) -> str:
    """The name under which the store keeps the distributions of a proxy."""
    return proxy + DISTRIBUTIONS


def histogram(layer: str, statistic: str, values: Tensor) -> dict[str, Any]:
    """How `values` (n,), none negative, are spread over a logarithmic scale.

    Returns layer, statistic, weights (n), zeros (how many values are 0 or undefined), low and high (decimal logarithms
    of the least and greatest of the others; NaN where there is none) and counts (`BINS` equal parts of that range).
    """
    logs = values[(values > 0) & values.isfinite()].log10()
    row = {"layer": layer, "statistic": statistic, "weights": values.numel(), "zeros": values.numel() - logs.numel()}
    if not logs.numel():
        return row | {"low": math.nan, "high": math.nan, "counts": [0] * BINS}
    low, high = float(logs.min()), float(logs.max())
    counts = logs.float().histc(BINS, low, high) if high > low else logs.new_zeros(BINS)
    if high <= low:
        counts[BINS // 2] = logs.numel()
    return row | {"low": low, "high": high, "counts": [int(count) for count in counts.tolist()]}
