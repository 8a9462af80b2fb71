"""An optimiser's step that leaves alone what no path of it has run. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def update(optimizer: torch.optim.Optimizer, partly_run: Sequence[nn.Parameter]) -> None:
    """One step; of the weights `partly_run`, entries without gradient keep their value and their momentum.

    A weight that no path ran has no gradient at all, and the optimiser skips it; where a path ran a slice of one, the
    rest has gradient zero, and decay and momentum would go on moving it.
    """
    before = []
    for weight in partly_run:
        if weight.grad is not None:
            momentum = optimizer.state.get(weight, {}).get("momentum_buffer")
            kept = torch.zeros_like(weight) if momentum is None else momentum.clone()
            before.append((weight, weight.grad == 0, weight.detach().clone(), kept))
    optimizer.step()
    with torch.no_grad():
        for weight, untouched, value, kept in before:
            weight.copy_(torch.where(untouched, value, weight))
            momentum = optimizer.state[weight].get("momentum_buffer")
            if momentum is not None:
                momentum.copy_(torch.where(untouched, kept, momentum))
