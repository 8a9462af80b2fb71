"""NASWOT (Mellor et al., ICML 2021): how differently the ReLUs of an untrained network answer to different images."""

from __future__ import annotations

import numpy as np

from nas_core.proxies._passes import Measured, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies._relu_codes import ReluCodes
from nas_core.proxies.base import Needs, ProxyScore


class HammingKernel(ReluCodes):
    """Units two images of the first batch answer alike, summed over ReLUs: (b x b)."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel: np.ndarray | None = None

    def add(self, step: Step) -> None:
        import torch

        products = []
        for code in self.codes(step):
            codes = code.float()
            products.append((codes @ codes.T + (1 - codes) @ (1 - codes).T).double())
        self.kernel = torch.stack(products).sum(dim=0).cpu().numpy()


@register("naswot")
class Naswot(Measured):
    """`log |det K_H|`, K_H the Hamming kernel of binary ReLU codes of the first batch (b x b), summed over ReLUs.

    A singular kernel (two images with the same codes everywhere) scores minus infinity. A model without ReLU is
    refused.

    Source: Mellor, Turner, Storkey & Crowley, Neural architecture search without training, ICML 2021.
    """

    name = "naswot"
    version = 2
    needs = Needs.FORWARD
    summary = "log determinant of the Hamming kernel of ReLU codes (Mellor et al., ICML 2021)"
    reads = (HammingKernel,)

    def read(self, readings: Readings) -> ProxyScore:
        """The log determinant."""
        return ProxyScore(float(np.linalg.slogdet(np.asarray(readings[HammingKernel].kernel))[1]))
