"""Figures are pure functions of data: what they draw is what they were given."""

from __future__ import annotations

import base64

import numpy as np
import pandas as pd
import pytest

from app.fitness import block_fitness
from app.pages.correlation.figures import measures, score_against_truth
from app.pages.layers.figures import heat_map
from app.pages.navigator.figures import best_so_far, block_chart, cell_graph, layer_bars, map_colours, map_opacity
from app.palette import OPERATION_COLOURS, short, typed
from nas_core import spaces


def test_what_is_not_scored_yet_is_grey_and_the_best_is_brightest():
    colours = map_colours(np.array([np.nan, 3.0, 1.0, 2.0]))
    assert colours[0] == 0
    assert colours[1] == 1
    assert colours[1] > colours[3] > colours[2] > 0.01


def test_dots_that_are_pruned_or_would_be_are_faint():
    kept, going = np.array([True, True, False]), np.array([False, True, False])
    plain, hovered = map_opacity(kept), map_opacity(kept, going)
    assert plain[0] == plain[1] > plain[2]
    assert hovered[0] > hovered[1] == hovered[2]


def test_typed_arrays_round_trip():
    values = np.array([0.0, 1.5, -2.25])
    sent = typed(values)
    assert np.array_equal(np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"]), values)


def test_best_so_far_never_falls_skips_what_is_undefined_and_flags_acts():
    figure = best_so_far(np.array([1.0, np.nan, 3.0, 2.0]), [(2, "prune edge 0→1 = none")], "zico", "dark")
    assert list(figure.data[0].x) == [1, 3, 4]
    assert list(figure.data[0].y) == [1, 3, 3]
    assert [note.hovertext for note in figure.layout.annotations] == ["prune edge 0→1 = none"]


def test_best_so_far_of_nothing_is_an_empty_curve():
    assert len(best_so_far(np.array([]), [], "zico", "dark").data[0].x) == 0


def test_blocks_stand_at_their_fitness_and_support_in_the_colour_of_their_operation():
    space = spaces.get("nb201")
    archs = np.array(list(space.architectures())[:500])
    fitness = block_fitness(space.decisions, archs, np.arange(500.0))
    trace = block_chart(fitness, space.decisions, "light").data[0]
    assert np.allclose(trace.x, fitness["fitness"])
    assert list(trace.y) == list(fitness["n"])
    assert list(trace.marker.color) == list(OPERATION_COLOURS.values()) * 6


def test_a_cell_graph_labels_six_edges_and_dots_those_without_a_live_path():
    space = spaces.get("nb201")
    arch = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")
    figure = cell_graph(space.graph(arch), "dark")
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert sorted(note.text for note in figure.layout.annotations) == ["conv3", "none", "none", "none", "none", "skip"]
    assert [trace.line.dash for trace in lines].count("solid") == 1
    places = np.array([(note.x, note.y) for note in figure.layout.annotations])
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2)[np.triu_indices(6, 1)]
    assert gaps.min() > 0.2  # labels of edges that cross stand apart


def test_layer_bars_and_heat_map_keep_the_order_of_layers_and_candidates():
    layers = pd.DataFrame({"layer": ["stem", "cell", "head"], "term": [3.0, 1.0, 2.0], "position": [0, 1, 2]})
    assert list(layer_bars(layers, "zico", "dark").data[0].y) == [3, 1, 2]
    both = pd.concat([layers.assign(candidate="selected"), layers.assign(candidate="#1", term=0.0)])
    trace = heat_map(both, "term", "dark").data[0]
    assert list(trace.y) == ["selected", "#1"]
    assert np.array_equal(trace.z, [[3, 1, 2], [0, 0, 0]])


def test_an_empty_heat_map_has_no_trace():
    assert len(heat_map(pd.DataFrame(), "term", "light").data) == 0


def test_correlation_figures_name_their_axes_and_show_what_is_undefined_as_a_dash():
    figure = score_against_truth(np.array([1.0, 2.0]), np.array([70.0, 80.0]), ("zico", "cifar10"), "dark")
    assert figure.layout.xaxis.title.text == "zico"
    assert "n = 2" in figure.layout.title.text
    assert list(measures({"with the truth": 0.5, "taken out": np.nan}, "zico", "dark").data[0].text) == ["0.50", "–"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (float("nan"), "–"), (1_073_466, "1.07 M"), (12_345, "12,345"), (0.12345, "0.123")]
)
def test_numbers_have_three_significant_digits(value, text):
    assert short(value) == text
