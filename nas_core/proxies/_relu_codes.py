"""Binary codes of ReLUs: 1 where a unit is open for an image. Counting distinct ones, over units or over images."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nas_core.proxies._images import by_image, entering
from nas_core.proxies._passes import Measurement, Step
from nas_core.proxies._subject import Subject

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle


class ReluCodes(Measurement):
    """Collects what enters every ReLU of a pass, as codes; see `codes`."""

    def __init__(self) -> None:
        self._open: list[Tensor] = []
        self._relus: list[nn.Module] = []

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        from torch import nn

        self._open, self._relus = [], [module for module in subject.model.modules() if isinstance(module, nn.ReLU)]
        if not self._relus:
            raise ValueError("the model has no ReLU layer; expected at least one (a ReLU in a function is not seen)")
        return [relu.register_forward_hook(self._note) for relu in self._relus]

    def _note(self, _module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
        self._open.append(inputs[0].detach() > 0)

    def codes(self, step: Step) -> list[Tensor]:
        """The code of every ReLU in the pass, bool tensors (images, units of the ReLU).

        Raises:
            ValueError: no ReLU ran, or the rows of one are no images.
        """
        if not self._open:
            raise ValueError("no ReLU layer of the model ran; expected at least one")
        what = "what enters a ReLU"
        found = by_image(self._open, step.subject, step.images, self._relus, entering, what)
        self._open = []
        return [code.reshape(len(code), -1) for code in found]


class UnitPatterns(ReluCodes):
    """Every unit's answers to all images of all batches: the transposed activation matrix of SWAP, eight to a byte."""

    every_batch = True

    def __init__(self) -> None:
        super().__init__()
        self._batches: list[np.ndarray] = []

    def add(self, step: Step) -> None:
        self._batches.append(np.concatenate([np.packbits(c.cpu().numpy(), axis=0) for c in self.codes(step)], axis=1))

    @cached_property
    def distinct(self) -> int:
        """Number of distinct rows of the matrix (units, images).

        Raises:
            ValueError: the batches do not run through the same units.
        """
        if len({batch.shape[1] for batch in self._batches}) > 1:
            raise ValueError("the ReLU layers have other units from batch to batch; expected images of one shape")
        return len(pd.DataFrame(np.concatenate(self._batches).T).drop_duplicates())


class ImagePatterns(ReluCodes):
    """Every image's code over all ReLUs, for the images of all batches."""

    every_batch = True

    def __init__(self) -> None:
        super().__init__()
        self._codes: set[bytes] = set()

    def add(self, step: Step) -> None:
        codes = np.concatenate([np.packbits(c.cpu().numpy(), axis=1) for c in self.codes(step)], axis=1)
        self._codes.update(row.tobytes() for row in codes)

    @cached_property
    def distinct(self) -> int:
        """Number of distinct codes."""
        return len(self._codes)
