"""Every score on every kind of model: a value, or one line that says why there is none."""

from __future__ import annotations

import math

import pytest

from nas_core import proxies
from tests.networks import KINDS

NAMES = [name for name in proxies.names() if name != "latency_ms"]
REFUSED: dict[str, dict[str, str]] = {}
"""By kind and score: a part of the sentence."""
UNDEFINED: dict[str, set[str]] = {}
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
    print(kind, refused, undefined)
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
