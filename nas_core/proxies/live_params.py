"""Parameters that have a path to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.proxies._closed_form import ClosedForm
from nas_core.proxies._layers import NO_PATH
from nas_core.proxies._passes import Measured, Measurement, Readings, Step
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies.base import Needs, ProxyScore

if TYPE_CHECKING:
    from nas_core.proxies.base import Target


class ReachedParameters(Measurement):
    """Number of parameters that the gradient of the first batch reaches."""

    needs = Needs.GRADIENTS
    only_paths = True

    def __init__(self) -> None:
        self.count = 0

    def targets(self, subject: Subject) -> Sequence[Target]:
        return list(subject.model.parameters())

    def add(self, step: Step) -> None:
        self.count = sum(gradient.numel() for gradient in step.gradients[self] if gradient is not None)


@register("live_params")
class LiveParams(ClosedForm, Measured):
    """Parameters a gradient reaches: in a cell space, those on a `none`-free path and the network around the cell.

    Source: our own count; paths are those of Dong & Yang, NAS-Bench-201, ICLR 2020.
    """

    name = "live_params"
    summary = "number of parameters with a path to the loss"
    reads = (ReachedParameters,)

    def read(self, readings: Readings) -> ProxyScore:
        """The count."""
        count = readings[ReachedParameters].count
        return ProxyScore(float(count), reason="" if count else NO_PATH)
