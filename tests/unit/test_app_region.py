"""A region holds what was drawn around, and says what a focus on it would leave."""

from __future__ import annotations

import numpy as np
import pytest

from app.pages.navigator.region import describe, region_of
from app.space_table import space_table
from nas_core.spaces import Act, Steering

TABLE = space_table("nb201")
SPACE = TABLE.space
PLAIN = ("projection 1", "projection 2")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("axes", [PLAIN, ("params", "projection 1"), ("flops", "live_params")])
def test_a_focus_on_a_region_keeps_all_of_it(seed, axes):
    rng = np.random.default_rng(seed)
    inside = np.zeros(len(TABLE.archs), dtype=bool)
    inside[rng.choice(len(inside), rng.integers(1, 12), replace=False)] = True
    focus = Act("focus", region=region_of(TABLE, inside, axes))
    kept = Steering.free(SPACE).extended(SPACE, focus).mask(TABLE.archs)
    assert kept[inside].all()


def test_what_all_have_is_must_have_and_what_none_has_must_not():
    inside = (TABLE.archs[:, 0] == 3) & (TABLE.archs[:, 1] != 0)
    region = region_of(TABLE, inside, PLAIN)
    assert region.must_have == (("edge 0→1", "nor_conv_3x3"),)
    assert region.must_not == (("edge 0→2", "none"),)
    assert region.ranges == ()


def test_an_axis_that_is_a_metric_bounds_the_region():
    params = TABLE.closed["params"].to_numpy()
    inside = params > np.quantile(params, 0.9)
    region = region_of(TABLE, inside, ("params", "projection 2"))
    assert region.ranges == (("params", float(params[inside].min()), float(params.max())),)


def test_the_description_counts_what_is_kept_under_the_steering():
    everything = np.ones(len(TABLE.archs), dtype=bool)
    assert "narrows nothing" in describe(TABLE, everything, everything, PLAIN)
    inside = TABLE.archs[:, 0] == 3
    kept = TABLE.archs[:, 1] == 1
    assert describe(TABLE, inside & kept, kept, PLAIN) == "Region: 625 inside; a focus keeps 625 of 3,125"
