"""NASWOT (Mellor et al., ICML 2021): how differently the ReLUs of an untrained network answer to different images."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from nas_core.proxies._registry import register
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, untouched

if TYPE_CHECKING:
    from torch import Tensor, nn


@register("naswot")
class Naswot:
    """`log |det K_H|`, K_H the Hamming kernel of binary ReLU codes of the first batch (b x b), summed over ReLUs.

    A singular kernel (two images with the same codes everywhere) scores minus infinity.
    """

    name = "naswot"
    higher_is_better = True
    needs = Needs.FORWARD
    summary = "log determinant of the Hamming kernel of ReLU codes (Mellor et al., ICML 2021)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model`.

        Raises:
            ValueError: the model has no ReLU.
        """
        import torch
        from torch import nn

        check_batches(batches, least=1)
        images = batches[0][0]
        started = time.perf_counter()
        kernel = torch.zeros(len(images), len(images), dtype=torch.float64)

        def add_codes(_module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> None:
            codes = (inputs[0].detach().reshape(len(images), -1) > 0).to(torch.float32)
            kernel.add_((codes @ codes.T + (1 - codes) @ (1 - codes).T).double())

        handles = [m.register_forward_hook(add_codes) for m in model.modules() if isinstance(m, nn.ReLU)]
        if not handles:
            raise ValueError("the model has no ReLU layer; naswot expects at least one")
        try:
            with untouched(model), torch.no_grad():
                model(images)
        finally:
            for handle in handles:
                handle.remove()
        return ProxyScore(float(np.linalg.slogdet(kernel.numpy())[1]), seconds=time.perf_counter() - started)
