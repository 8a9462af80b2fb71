"""Binary codes of ReLUs: 1 where a unit is open for an image. Counting distinct ones, over units or over images."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nas_core.proxies._passes import Measurement, Step, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle


def code_hooks(subject: Subject, add: Callable[[Tensor], None]) -> list[RemovableHandle]:
    """Hooks that call `add` with the code of every ReLU, a bool tensor (images, units of the ReLU).

    Raises:
        ValueError: the model has no ReLU.
    """
    from torch import nn

    def hook(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        add(inputs[0].detach().reshape(len(inputs[0]), -1) > 0)

    handles = [m.register_forward_hook(hook) for m in subject.model.modules() if isinstance(m, nn.ReLU)]
    if not handles:
        raise ValueError("the model has no ReLU layer; expected at least one")
    return handles


class UnitPatterns(Measurement):
    """Every unit's answers to all images of all batches: the transposed activation matrix of SWAP, eight to a byte."""

    every_batch = True

    def __init__(self) -> None:
        self._relus: list[np.ndarray] = []
        self._batches: list[np.ndarray] = []

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        self._relus = []
        return code_hooks(subject, lambda code: self._relus.append(np.packbits(code.cpu().numpy(), axis=0)))

    def add(self, step: Step) -> None:
        self._batches.append(np.concatenate(self._relus, axis=1))

    @cached_property
    def distinct(self) -> int:
        """Number of distinct rows of the matrix (units, images)."""
        return len(pd.DataFrame(np.concatenate(self._batches).T).drop_duplicates())


class ImagePatterns(Measurement):
    """Every image's code over all ReLUs, for the images of all batches."""

    every_batch = True

    def __init__(self) -> None:
        self._relus: list[np.ndarray] = []
        self._codes: set[bytes] = set()

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        self._relus = []
        return code_hooks(subject, lambda code: self._relus.append(np.packbits(code.cpu().numpy(), axis=1)))

    def add(self, step: Step) -> None:
        self._codes.update(row.tobytes() for row in np.concatenate(self._relus, axis=1))

    @cached_property
    def distinct(self) -> int:
        """Number of distinct codes."""
        return len(self._codes)
