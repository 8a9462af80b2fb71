"""GradSign (Zhang & Jia, ICLR 2022): on how many weights the images pull in one direction."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from nas_core.proxies._layers import NO_PATH
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies._task import Loss, Output, Task
from nas_core.proxies.base import Batches, Needs, ProxyScore, check_batches, gradients_of

if TYPE_CHECKING:
    from torch import Tensor, nn


@register("gradsign")
class GradSign:
    """`sum_w | sum_n sign( dL_n/dw ) |` over the layers' weights w, each once, and images n of the first batch.

    L_n is the loss of image n, passed alone in train mode as in the authors' code: batch norm sees one image
    at a time. An integer, at most images times weights; 0 without any gradient; NaN where a batch norm meets maps of
    one position, which an image alone cannot normalise.

    Source: Zhang & Jia, GradSign: model performance inference with theoretical insights, ICLR 2022, algorithm 1.
    """

    name = "gradsign"
    version = 1
    higher_is_better = True
    needs = Needs.GRADIENTS
    summary = "agreement of the images' gradient signs (Zhang & Jia, ICLR 2022)"

    def score(
        self, model: nn.Module, batches: Batches, *, output: Output | None = None, loss: Loss | None = None
    ) -> ProxyScore:
        """Score `model` on the first batch of images (b, ...) and labels (b,).

        Raises:
            ValueError: batches, or a model, that cannot be used.
        """
        check_batches(batches, least=1, classes=loss is None)
        started = time.perf_counter()
        subject = Subject(model, Task(output, loss))
        signs: dict[int, Tensor] = {}
        reason = subject.not_a_number()
        if not reason:
            reason, signs = _summed_signs(subject, *batches[0])
        value = sum(float(total.abs().sum(dtype=total.double().dtype)) for total in signs.values())
        if not reason and math.isnan(value):
            reason = "a gradient is NaN"
        seconds = time.perf_counter() - started
        if reason:
            return ProxyScore(math.nan, seconds=seconds, reason=reason)
        return ProxyScore(float(value), seconds=seconds, reason="" if signs else NO_PATH)


def _summed_signs(subject: Subject, images: Tensor, labels: Any) -> tuple[str, dict[int, Tensor]]:
    """Why the score is undefined (empty where it is not), and the sum over images of the gradient's signs, by layer."""
    signs: dict[int, Tensor] = {}
    with subject.visit():
        for number in range(len(images)):
            one = slice(number, number + 1)
            try:
                lost = subject.task.loss_of(subject(images[one].detach()), labels[one])
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                return "a batch norm meets an image alone with one position", {}
            if not bool(lost.isfinite()):
                return f"the loss of image {number} is {float(lost)}", {}
            for place, gradient in enumerate(gradients_of(lost, subject.weights)):
                if gradient is not None:
                    sign = gradient.sign().add_(gradient - gradient)  # torch calls the sign of NaN 0
                    signs[place] = signs[place] + sign if place in signs else sign
    return "", signs
