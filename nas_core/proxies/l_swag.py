"""L-SWAG (Casarin et al., CVPR 2025): steady gradients, layer by layer, times activation patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.proxies._layers import NO_PATH, added, layer_table
from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies._relu_codes import UnitPatterns
from nas_core.proxies._subject import Subject
from nas_core.proxies.base import Needs, ProxyScore

if TYPE_CHECKING:
    from torch import Tensor

    from nas_core.proxies.base import Target


NO_STEADINESS = "no gradient changes from batch to batch"


class _MagnitudeStatistics:
    """Running mean and squared deviation (Welford) of the magnitude of one layer's gradient."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Tensor | None = None
        self.deviation: Tensor | None = None

    def add(self, gradient: Tensor) -> None:
        magnitude = gradient.double().abs()
        self.count += 1
        if self.mean is None or self.deviation is None:
            self.mean, self.deviation = magnitude, magnitude.new_zeros(magnitude.shape)
            return
        delta = magnitude - self.mean
        self.mean.add_(delta, alpha=1 / self.count)
        self.deviation.addcmul_(delta, magnitude - self.mean)


class MagnitudeMoments(Measurement):
    """Deviation over all batches of the magnitude of every layer's gradient."""

    needs = Needs.GRADIENTS
    every_batch = True

    def __init__(self) -> None:
        self.statistics: list[_MagnitudeStatistics] = []

    def targets(self, subject: Subject) -> Sequence[Target]:
        return subject.weights

    def add(self, step: Step) -> None:
        if not self.statistics:
            self.statistics = [_MagnitudeStatistics() for _ in step.subject.layers]
        for running, gradient in zip(self.statistics, step.gradients[self], strict=True):
            if gradient is not None:
                running.add(gradient)


@register("l_swag")
class LSwag(Measured):
    """`P sum_l log( sum_{w in layer l} 1 / std_i |g_i(w)| )` over batches i, P the number of activation patterns.

    Layers are convolutions, linear, attention and recurrent layers, each weight once; P is SWAP's count over all
    images. The standard deviation is that of the population of magnitudes; weights whose deviation is 0 are dropped,
    and so are layers without any other. The authors choose a range of layers for each benchmark; here all count. Where
    all are skipped the score is 0. At least two batches; a model without ReLU is refused.

    The table has a row a layer: layer, kind, shape, weights, std (mean over the weights), log_inverse_std (the
    logarithm above) and term (P times it; NaN where the layer is skipped).

    Source: Casarin, Escalera & Lanz, L-SWAG: layer-sample wise activation with gradients information for zero-shot
    NAS on vision transformers, CVPR 2025, equation 1.
    """

    name = "l_swag"
    needs = Needs.GRADIENTS
    summary = "steadiness of gradients times activation patterns (Casarin et al., CVPR 2025)"
    least_batches = 2
    reads = (MagnitudeMoments, UnitPatterns)

    def read(self, readings: Readings) -> ProxyScore:
        """The patterns times the layers' logarithms."""
        patterns = readings[UnitPatterns].distinct
        rows = [_layer(running) for running in readings[MagnitudeMoments].statistics]
        table = layer_table(readings.subject.layers, ["std", "log_inverse_std"], rows)
        table["term"] = patterns * table["log_inverse_std"]
        terms = [None if logarithm is None else patterns * logarithm for _, logarithm in rows]
        live = any(std is not None for std, _ in rows)
        value, reason = added(readings.subject.layers, terms, empty=NO_STEADINESS if live else NO_PATH)
        return ProxyScore(value, table, reason=reason)


def _layer(running: _MagnitudeStatistics) -> tuple[float | None, float | None]:
    """Mean deviation and logarithm of a layer; None where it has no gradient, or none that changes."""
    if running.deviation is None:
        return (None, None)
    std = (running.deviation / running.count).sqrt_()
    total = float((1 / std).masked_fill_(std <= 0, 0).sum())
    undefined = math.isnan(total)
    return (float(std.mean()), math.nan if undefined else math.log(total) if total > 0 else None)
