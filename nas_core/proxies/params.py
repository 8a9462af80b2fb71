"""Number of trainable parameters."""

from __future__ import annotations

from nas_core.proxies._closed_form import StructureCount
from nas_core.proxies._registry import register
from nas_core.proxies._subject import Subject
from nas_core.proxies.base import Batches


@register("params")
class Params(StructureCount):
    """All trainable parameters, on live and dead edges alike; those that layers share count once.

    Source: counted as the tables of Dong & Yang, NAS-Bench-201, ICLR 2020, count them.
    """

    name = "params"
    summary = "number of trainable parameters"

    def _count(self, subject: Subject, batches: Batches) -> float:
        return sum(parameter.numel() for parameter in subject.model.parameters() if parameter.requires_grad)
