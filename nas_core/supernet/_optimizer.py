"""Gradient descent on shared weights, which moves what the paths ran and nothing else. Needs torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from nas_core.spaces.shared_weights import Part, collect_parts


class PathSGD(torch.optim.SGD):
    """Stochastic gradient descent with Nesterov momentum; what no path has run keeps value and momentum bit for bit.

    A weight that no path ran has no gradient at all and is left alone, decay and momentum too. Of a weight that paths
    run in parts, gradients land on the parts, and a step moves what these cover: for one path exactly as if the parts
    were the weights of a network of its own. Momentum is kept for whole weights.
    """

    def __init__(self, supernet: nn.Module, *, lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(
            supernet.parameters(),
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            nesterov=momentum > 0,
            foreach=True,  # the same sums without a Python loop over the weights
        )
        self._parts = collect_parts(supernet)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, those of parts too."""
        self.keep_gradients(())

    def keep_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Forget the gradients of all weights but these."""
        kept = {id(weight) for weight in weights}
        self._parts[:] = [part for part in self._parts if id(part.whole) in kept]
        for group in self.param_groups:
            for weight in group["params"]:
                if id(weight) not in kept:
                    weight.grad = None

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of whatever has a gradient; there is no closure to evaluate anew."""
        by_weight: dict[int, list[Part]] = {}
        for part in self._parts:
            if part.values.grad is None:
                continue
            if part.whole.grad is not None:  # another path ran all of it
                part.whole.grad[part.region] += part.values.grad
            else:
                by_weight.setdefault(id(part.whole), []).append(part)
        super().step()
        alone = [parts[0] for parts in by_weight.values() if len(parts) == 1]
        self._move(
            [part.values for part in alone],
            [part.values.grad for part in alone],
            [self._momentum(part.whole)[part.region] for part in alone],
        )
        for parts in by_weight.values():
            if len(parts) > 1:
                self._move_overlapping(parts)

    def _move_overlapping(self, parts: list[Part]) -> None:
        """Parts of one weight, run by several paths: their gradients add up where they overlap."""
        whole = parts[0].whole
        gradient, touched = torch.zeros_like(whole), torch.zeros_like(whole, dtype=torch.bool)
        for part in parts:
            gradient[part.region] += part.values.grad
            touched[part.region] = True
        momentum = self._momentum(whole)
        values, momenta = whole[touched], momentum[touched]
        self._move([values], [gradient[touched]], [momenta])
        whole[touched], momentum[touched] = values, momenta

    def _move(self, values: list[Tensor], gradients: list[Any], momenta: list[Any]) -> None:
        """Move `values` and their `momenta` in place."""
        group = self.param_groups[0]
        if values:
            sgd(
                values,
                gradients,
                momenta,
                foreach=True,
                weight_decay=group["weight_decay"],
                momentum=group["momentum"],
                lr=group["lr"],
                dampening=group["dampening"],
                nesterov=group["nesterov"],
                maximize=group["maximize"],
            )

    def _momentum(self, weight: nn.Parameter) -> Tensor:
        state = self.state[weight]
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"] = torch.zeros_like(weight)
        return state["momentum_buffer"]
