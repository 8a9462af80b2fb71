"""Figures are pure functions of data: what they draw is what they were given."""

from __future__ import annotations

import base64
import itertools

import numpy as np
import pandas as pd
import pytest

from app.cell import cell_graph, edit_path
from app.masks import packed, unpacked
from app.pages.correlation.figures import matrix, measures, score_against_truth
from app.pages.layers.figures import heat_map, spread
from app.pages.navigator.block_figures import block_chart
from app.pages.navigator.figures import LEVELS, best_so_far, layer_bars, map_codes
from app.palette import OPERATION_COLOURS, short, typed
from nas_core import spaces
from nas_core.predict import block_fitness
from nas_core.spaces import Act, Steering


def test_a_dot_is_its_rung_and_its_rank_among_what_is_known():
    values = np.array([np.nan, *range(40)])
    rungs = np.array([0, *[1] * 20, *[0] * 20], dtype=np.uint8)
    codes = map_codes(values, rungs, np.ones(41, dtype=bool))
    step = LEVELS + 1
    assert codes[0] == 1  # a closed-form dot without a value
    assert codes[1] == 1 + step + 1  # the lowest, scored
    assert codes[-1] == 1 + 20  # the best, closed form
    assert ((codes[1:] - 1) % step).tolist() == sorted(((codes[1:] - 1) % step).tolist())
    assert ((codes - 1) // step == rungs).all()


def test_dots_that_the_steering_removes_have_no_colour():
    codes = map_codes(np.arange(3.0), np.zeros(3, dtype=np.uint8), np.array([True, False, True]))
    assert codes[1] == 0
    assert codes[0] > 0 < codes[2]


def test_masks_round_trip_as_bits():
    mask = np.random.default_rng(0).random(15_625) < 0.3
    assert np.array_equal(unpacked(packed(mask), len(mask)), mask)
    assert not unpacked(None, 5).any()


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


def fitness_of(archs):
    return block_fitness(spaces.get("nb201").decisions, archs, np.arange(float(len(archs))))


def test_blocks_stand_at_their_mean_rank_a_panel_a_decision_in_the_colour_of_their_operation():
    space = spaces.get("nb201")
    fitness = fitness_of(np.array(list(space.architectures())[::31]))  # every block is in some of them
    traces = block_chart(fitness, space.decisions, "light").data
    assert len(traces) == 6
    assert np.allclose(np.concatenate([trace.x for trace in traces]), fitness["fitness"])
    assert list(traces[2].y) == ["none", "skip", "conv1", "conv3", "pool3"]
    assert list(traces[2].customdata) == [f"2:{c}" for c in range(5)]
    assert list(traces[2].marker.color) == [OPERATION_COLOURS[name] for name in space.decisions[0].choices]
    sizes = np.concatenate([trace.marker.size for trace in traces])
    assert np.array_equal(np.argsort(sizes, kind="stable"), np.argsort(fitness["n"], kind="stable"))


def test_a_block_that_nothing_scored_has_is_no_dot():
    space = spaces.get("nb201")
    fitness = fitness_of(np.array([arch for arch in space.architectures() if arch[0] != 4][:500]))
    assert (fitness["n"] == 0).any()
    traces = block_chart(fitness, space.decisions, "light").data
    assert sum(len(trace.x) for trace in traces) == (fitness["n"] > 0).sum()
    assert "pool3" not in traces[0].y


def test_dots_of_blocks_that_the_steering_removes_are_hollow():
    space = spaces.get("nb201")
    fitness = fitness_of(np.array(list(space.architectures())[::31]))
    allowed = Steering.free(space).extended(space, Act("prune", "edge 0→2", ("none",))).allowed
    traces = block_chart(fitness, space.decisions, "light", allowed=allowed).data
    assert list(traces[1].marker.symbol) == ["circle-open"] + ["circle"] * 4
    assert set(traces[0].marker.symbol) == {"circle"}


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
    without = layers.drop(columns="term").assign(weights=9.0, mean_abs_grad=[0.3, 0.1, 0.2])  # as of L-SWAG
    assert list(layer_bars(without, "l_swag", "dark").data[0].y) == [0.3, 0.1, 0.2]
    both = pd.concat([layers.assign(candidate="selected"), layers.assign(candidate="#1", term=0.0)])
    trace = heat_map(both, "term", "dark").data[0]
    assert list(trace.y) == ["selected", "#1"]
    assert np.array_equal(trace.z, [[3, 1, 2], [0, 0, 0]])


def test_layers_of_unlike_networks_stand_in_one_order_and_what_one_lacks_is_blank():
    one = pd.DataFrame({"candidate": "#1", "layer": ["stem", "a", "head"], "term": [1.0, 2.0, 3.0]})
    two = pd.DataFrame({"candidate": "#2", "layer": ["stem", "b", "a", "head"], "term": [4.0, 5.0, 6.0, 7.0]})
    trace = heat_map(pd.concat([one, two]), "term", "dark").data[0]
    assert [layer for layer, _ in trace.customdata[0]] == ["stem", "b", "a", "head"]
    assert np.array_equal(trace.z, [[1, np.nan, 2, 3], [4, 5, 6, 7]], equal_nan=True)


def test_the_spread_of_a_layer_has_a_line_a_candidate_that_has_it():
    counts = [0] * 39 + [6]
    row = {"layer": "stem", "statistic": "std", "weights": 8, "zeros": 2, "low": -2.0, "high": 2.0, "counts": counts}
    figure = spread({"#1": pd.DataFrame([row]), "#2": pd.DataFrame([{**row, "layer": "head"}])}, "stem", "std", "dark")
    assert [trace.name for trace in figure.data] == ["#1, 8 weights"]
    assert max(figure.data[0].y) == 75
    assert figure.data[0].x[-1] == pytest.approx(10**1.95)


def test_an_empty_heat_map_has_no_trace():
    assert len(heat_map(pd.DataFrame(), "term", "light").data) == 0


def test_correlation_figures_name_their_axes_and_show_what_is_undefined_as_a_dash():
    figure = score_against_truth(
        np.array([1.0, 2.0]), np.array([70.0, 80.0]), np.array([7, 9]), ("zico", "cifar10"), "dark", selected=9
    )
    assert figure.layout.xaxis.title.text == "zico"
    assert "n = 2" in figure.layout.title.text
    assert list(measures({"with the truth": 0.5, "taken out": np.nan}, "zico", "dark").data[0].text) == ["0.50", "–"]


def test_a_chart_that_differs_in_its_numbers_alone_is_given_those_alone():
    names, values = ["zico", "snip"], np.array([[1.0, 0.4], [0.4, 1.0]])
    shown = matrix(names, values, "light").to_plotly_json()
    told = str(matrix(names, values / 2, "light", shown=shown).to_plotly_json())
    assert "0.2" in told and "colorscale" not in told
    assert "colorscale" in str(matrix(names, values, "dark", shown=shown).to_plotly_json())
    assert "colorscale" in str(matrix([*names, "fisher"], np.eye(3), "light", shown=shown).to_plotly_json())
    bars = measures({"truth": 0.5}, "zico", "light").to_plotly_json()
    assert "marker" not in str(measures({"truth": 0.1}, "zico", "light", bars).to_plotly_json())
    assert "marker" in str(measures({"truth": 0.1}, "snip", "light", bars).to_plotly_json())


def test_numbers_on_the_matrix_can_be_read_on_every_colour():
    """Contrast of at least 4.5, WCAG 2.2, 1.4.3."""
    (heat,) = matrix(["zico", "snip"], np.eye(2), "dark").data
    grounds = [colour for _, colour in heat.colorscale]
    between = [
        tuple((a + b) / 2 for a, b in zip(rgb(one), rgb(other), strict=True))
        for one, other in itertools.pairwise(grounds)
    ]
    ink = luminance(rgb(heat.textfont.color))
    for ground in (*map(rgb, grounds), *between):
        assert (luminance(ground) + 0.05) / (ink + 0.05) >= 4.5


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))


def luminance(colour: tuple[float, ...]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (1_073_466, "1.07 M"),
        (2.381e9, "2.38 G"),
        (12_345, "12,345"),
        (0.12345, "0.123"),
    ],
)
def test_numbers_have_three_significant_digits(value, text):
    assert short(value) == text


def test_an_edit_path_changes_one_decision_at_a_time():
    space = spaces.get("nb201")
    start, end = (3, 1, 0, 2, 4, 1), (3, 2, 0, 1, 4, 3)
    steps = edit_path(space, start, end)
    assert [words for words, _ in steps] == [
        "edge 0→2 skip to conv1",
        "edge 0→3 conv1 to skip",
        "edge 2→3 skip to conv3",
    ]
    assert [sum(a != b for a, b in zip(start, arch, strict=True)) for _, arch in steps] == [1, 2, 3]
    assert steps[-1][1] == end
    assert edit_path(space, start, start) == []


def test_an_edit_path_stays_inside_a_space_with_constraints():
    space = spaces.get("nb101")
    rng = np.random.default_rng(0)
    start, end = space.sample(rng), space.sample(rng)
    steps = edit_path(space, start, end)
    assert steps[-1][1] == end
    assert all(space.valid(arch) for _, arch in steps)


def test_edges_that_differ_stand_out():
    space = spaces.get("nb201")
    one, other = space.graph((3, 3, 3, 3, 3, 3)), space.graph((3, 3, 3, 1, 3, 3))
    plain, compared = cell_graph(other, "dark"), cell_graph(other, "dark", unlike=one)
    wider = [a.line.width < b.line.width for a, b in zip(plain.data[:6], compared.data[:6], strict=True)]
    assert wider == [False, False, False, True, False, False]
