"""NASWOT (Mellor et al., ICML 2021): how differently the ReLUs of an untrained network answer to different images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies._passes import Measured, Measurement, Readings, Step, Subject
from nas_core.proxies._registry import register
from nas_core.proxies._relu_codes import code_hooks
from nas_core.proxies.base import Needs, ProxyScore

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.hooks import RemovableHandle


class HammingKernel(Measurement):
    """Units two images of the first batch answer alike, summed over ReLUs: (b x b)."""

    def __init__(self) -> None:
        self.kernel: Tensor | float = 0.0

    def hooks(self, subject: Subject) -> list[RemovableHandle]:
        return code_hooks(subject, self._add)

    def _add(self, code: Tensor) -> None:
        codes = code.float()
        self.kernel = self.kernel + (codes @ codes.T + (1 - codes) @ (1 - codes).T).double()

    def add(self, step: Step) -> None:
        """All is summed by the hooks."""


@register("naswot")
class Naswot(Measured):
    """`log |det K_H|`, K_H the Hamming kernel of binary ReLU codes of the first batch (b x b), summed over ReLUs.

    A singular kernel (two images with the same codes everywhere) scores minus infinity. A model without ReLU is
    refused.

    Source: Mellor, Turner, Storkey & Crowley, Neural architecture search without training, ICML 2021.
    """

    name = "naswot"
    needs = Needs.FORWARD
    summary = "log determinant of the Hamming kernel of ReLU codes (Mellor et al., ICML 2021)"
    reads = (HammingKernel,)

    def read(self, readings: Readings) -> ProxyScore:
        """The log determinant."""
        kernel = np.atleast_2d(np.asarray(readings[HammingKernel].kernel))
        return ProxyScore(float(np.linalg.slogdet(kernel)[1]))
