"""Every score on every kind of model: a value, or one line that says why there is none."""

from __future__ import annotations

import math

import pytest

from nas_core import proxies
from tests.networks import KINDS

NAMES = [name for name in proxies.names() if name != "latency_ms"]
RELU = dict.fromkeys(("l_swag", "linear_regions", "naswot", "swap", "swap_reg"), "no ReLU layer")
TOKENS = {
    **dict.fromkeys(("az_expressivity", "az_progressivity", "az_trainability", "meco", "vkdnw", "zen"), "float images"),
    "jacov": "gradients by the images",
    "synflow": "an image of ones",
}
SEVERAL = dict.fromkeys(set(NAMES) - {"params", "flops", "az_complexity", "zen"}, "pass output=")
REFUSED: dict[str, dict[str, str]] = {
    "segmentation": {"vkdnw": "takes (images, classes)"},
    "encoder": RELU,
    "small ViT": RELU,
    "LSTM": RELU,
    "language model": RELU | TOKENS,
    "token numbers": TOKENS,
    "folded": dict.fromkeys(("az_trainability", "fisher", "meco", *RELU), "expected a row for each image"),
    "tuple": SEVERAL,
    "dictionary": SEVERAL,
    "Hardswish": RELU,
    "lazy": dict.fromkeys(NAMES, "a lazy layer that has seen no input"),
}
"""By kind and score: a part of the sentence."""
UNDEFINED: dict[str, set[str]] = {
    "LSTM": {"az_progressivity", "az_trainability"},
    "NaN weight": set(NAMES)
    - {"params", "flops", "az_complexity", "conv_layers", "live_params", "sum_log_layer_size", "zen"},
}
"""By kind: scores that are NaN, with their reason."""


def outcome(name, kind):
    """The score, or the sentence with which the model is refused."""
    model, batches, task = KINDS[kind]()
    try:
        return proxies.get(name).score(model, batches, **task)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_every_score_gives_a_value_or_says_in_one_line_why_not(kind):
    refused, undefined = {}, set()
    for name in NAMES:
        found = outcome(name, kind)
        if isinstance(found, str):
            assert found and "\n" not in found and len(found) < 200
            refused[name] = found
        elif math.isnan(found.value):
            assert found.reason and "\n" not in found.reason
            undefined.add(name)
        else:
            assert math.isfinite(found.value)
            assert found.layers.empty or found.layers["layer"].is_unique
    wanted = REFUSED.get(kind, {})
    assert refused.keys() == wanted.keys() and all(part in refused[name] for name, part in wanted.items())
    assert undefined == UNDEFINED.get(kind, set())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lazy"])
def test_many_scores_at_once_are_those_alone(kind):
    names = [name for name in NAMES if name not in REFUSED.get(kind, {})]
    model, batches, task = KINDS[kind]()
    together = proxies.score_many(model, batches, names, **task)
    for name, found in together.items():
        alone = outcome(name, kind)
        assert found.value == alone.value or (math.isnan(found.value) and math.isnan(alone.value)), name
        assert found.layers.equals(alone.layers) and found.reason == alone.reason, name
