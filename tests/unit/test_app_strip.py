"""Strips: one segment a decision, short names, what is dead struck through, and what a listener hears."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.palette import OPERATION_COLOURS
from app.strip import dead_decisions, legend, row, segments, strip, words
from nas_core import spaces
from nas_core.spaces.template import PRESETS

NB201 = spaces.get("nb201")
# Node 1 is reached by a convolution and left by nothing: what leads there is dead.
CELL = NB201.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")


def test_a_strip_has_a_segment_a_decision_with_the_short_name_and_colour_of_its_choice():
    parts = segments(NB201, CELL)
    assert [part.name for part in parts] == ["conv3", "none", "none", "skip", "none", "none"]
    assert parts[0].colour == OPERATION_COLOURS["nor_conv_3x3"]
    drawn = strip(NB201, CELL)
    assert [segment.children for segment in drawn.children] == [part.name for part in parts]
    assert drawn.children[3].style == {"--op": OPERATION_COLOURS["skip_connect"]}


def test_a_dead_path_is_struck_and_no_operation_is_not_called_dead():
    assert dead_decisions(NB201, CELL) == {0}
    assert [segment.className for segment in strip(NB201, CELL).children][:2] == ["segment dead", "segment"]
    assert "edge 0→1 conv3, no live path" in strip(NB201, CELL).to_plotly_json()["props"]["aria-label"]


def test_segments_that_differ_are_ringed():
    other = (*CELL[:5], 2)
    assert [part.unlike for part in segments(NB201, CELL, unlike=other)] == [False] * 5 + [True]


def test_a_table_can_draw_the_same_from_its_legend_and_row():
    sent = json.loads(json.dumps({"legend": legend(NB201), **row(NB201, CELL)}))
    names = [about["choices"][choice][0] for about, choice in zip(sent["legend"], sent["strip"], strict=True)]
    assert names == [part.name for part in segments(NB201, CELL)]
    assert sent["dead"] == [0]


def test_blocks_that_are_kept_or_left_out_are_narrow_and_told_in_words():
    space = spaces.define(PRESETS["Residual"]().to_dict())
    arch = space.sample(np.random.default_rng(0))
    parts = segments(space, arch)
    assert all(not part.name for part in parts)
    assert [part.held for part in parts] == [bool(choice) for choice in arch]
    assert sum(part.first for part in parts) == len(space.groups) - 1
    assert len(words(space, arch).split(" · ")) == sum(arch)


@pytest.mark.parametrize("name", spaces.names())
def test_every_space_has_strips(name):
    space = spaces.get(name)
    for seed in range(5):
        arch = space.sample(np.random.default_rng(seed))
        assert len(strip(space, arch).children) == len(space.decisions) == len(legend(space))
        assert words(space, arch)
