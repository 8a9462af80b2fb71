"""Proxies: what is known about a network without training. One module a score; importing this room needs no torch.

`get("zico").score(model, batches)` scores anybody's model; `score_many(model, batches, names)` does so by many scores
in shared passes. Third parties register through `nas_helm.proxies`.
"""

from nas_core.proxies._distributions import Distributed, distribution_name
from nas_core.proxies._passes import score_many
from nas_core.proxies._registry import get, higher_is_better, load_ours, names, register, version
from nas_core.proxies._stack import Stack, Stackable, StackScore
from nas_core.proxies.base import Batches, Needs, Proxy, ProxyScore
from nas_core.proxies.settings import ScoreSettings

__all__ = [
    "Batches",
    "Distributed",
    "Needs",
    "Proxy",
    "ProxyScore",
    "ScoreSettings",
    "Stack",
    "StackScore",
    "Stackable",
    "distribution_name",
    "get",
    "higher_is_better",
    "load_ours",
    "names",
    "register",
    "score_many",
    "version",
]
