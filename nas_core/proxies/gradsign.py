"""GradSign (Zhang & Jia, ICLR 2022): on how many weights the images pull in one direction."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

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


@register("gradsign")
class GradSign:
    """`sum_w | sum_n sign( dL_n/dw ) |` over Conv2d and Linear weights w and images n of the first batch.

    L_n is the cross-entropy of image n, passed alone in train mode as in the authors' code: batch norm sees one image
    at a time. An integer, at most images times weights; 0 without any gradient; NaN where a batch norm meets maps of
    one position, which an image alone cannot normalise.

    Source: Zhang & Jia, GradSign: model performance inference with theoretical insights, ICLR 2022, algorithm 1.
    """

    name = "gradsign"
    version = 1
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "agreement of the images' gradient signs (Zhang & Jia, ICLR 2022)"

    def score(self, model: nn.Module, batches: Batches) -> ProxyScore:
        """Score `model` on the first batch of images (b, ...) and labels (b,)."""
        check_batches(batches, least=1)
        started = time.perf_counter()
        layers = weighted_layers(model)
        images, labels = batches[0]
        signs: list[Tensor | None] = [None] * len(layers)
        with untouched(model):
            for number in range(len(images)):
                try:
                    found = weight_gradients(model, layers, images[number : number + 1], labels[number : number + 1])
                except ValueError as error:
                    if "more than 1 value per channel" not in str(error):
                        raise
                    return ProxyScore(math.nan, seconds=time.perf_counter() - started)
                for layer, gradient in enumerate(found):
                    if gradient is not None:
                        before = signs[layer]
                        signs[layer] = gradient.sign() if before is None else before + gradient.sign()
        value = sum(float(total.abs().sum(dtype=total.double().dtype)) for total in signs if total is not None)
        return ProxyScore(float(value), seconds=time.perf_counter() - started)
