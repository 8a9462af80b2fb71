"""Scores of plain networks stay what they were before scores learned to read anybody's model."""

from __future__ import annotations

import json
import math

import pytest

from nas_core import proxies
from tests.fixtures.make_plain_scores import OUT, in_double
from tests.networks import PLAIN

RECORDED = json.loads(OUT.read_text())


@pytest.mark.parametrize("title", PLAIN)
def test_every_score_of_a_plain_network_is_what_was_recorded(title):
    model, batches = in_double(PLAIN[title])
    wanted = RECORDED[title]
    assert set(wanted) | {"latency_ms"} == set(proxies.names())
    found = proxies.score_many(model, batches, list(wanted))
    wrong = {}
    for name, value in wanted.items():
        value, now = float(value), found[name].value
        if not (now == pytest.approx(value, rel=1e-6) or (math.isnan(value) and math.isnan(now))):
            wrong[name] = (value, now)
    assert not wrong
