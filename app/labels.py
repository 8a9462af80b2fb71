"""What scores are called on pages, what they mean, and which way is better. Names inside the program stay."""

from __future__ import annotations

from functools import cache

from nas_core import proxies
from nas_core.ladder import AGGREGATE, ONE_SHOT, TRAINED

_LABELS = {
    "az_complexity": "AZ complexity",
    "az_expressivity": "AZ expressivity",
    "az_progressivity": "AZ progressivity",
    "az_trainability": "AZ trainability",
    "conv_layers": "convolution layers",
    "flops": "FLOPs",
    "grad_norm": "gradient norm",
    "l_swag": "L-SWAG",
    "latency_ms": "latency, ms",
    "linear_regions": "linear regions",
    "live_params": "live parameters",
    "ntk_condition": "NTK condition",
    "params": "parameters",
    "sum_log_layer_size": "sum of log layer sizes",
    ONE_SHOT[0]: "one-shot",
    ONE_SHOT[1]: "one-shot hits",
    TRAINED: "trained alone, %",
}
"""Labels of what is not called by the name that its paper gave it; underscores of any other name become spaces."""

_MEANINGS = {
    AGGREGATE: "sum of the logarithms of the ranks by all scores of the run that agree",
    ONE_SHOT[0]: "minus the cross-entropy, in nats, of the architecture on shared weights",
    ONE_SHOT[1]: "share of held-out images that the architecture classifies correctly on shared weights",
    TRAINED: "held-out accuracy, in percent, of the architecture trained alone",
    "sum_log_layer_size": "sum over the convolutions of the logarithm of their number of weights",
}
"""What no summary of a proxy says."""


@cache
def lower_is_better() -> frozenset[str]:
    """Scores of which less is better."""
    return frozenset(name for name in proxies.names() if not proxies.get(name).higher_is_better)


def score_label(metric: str) -> str:
    """What a score or metric is called on pages; a column of a table keeps the name that it was imported under."""
    return _LABELS.get(metric, metric if "/" in metric else metric.replace("_", " "))


def ranking_label(metric: str) -> str:
    """The label of a score as it ranks, higher is better: with a minus where less is better."""
    return f"−{score_label(metric)}" if metric in lower_is_better() else score_label(metric)


def explanation(metric: str) -> str:
    """What a score measures, to be shown on hover; empty where nothing is known of it."""
    return _MEANINGS.get(metric) or (proxies.get(metric).summary if metric in proxies.names() else "")


def score_options(metrics: list[str]) -> list[dict[str, str]]:
    """Entries of a list to choose a metric from."""
    return [{"value": metric, "label": score_label(metric)} for metric in metrics]
