"""Names that people gave stand in charts as they were given, whatever plotly would take them for."""

from __future__ import annotations

import json
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from app.cell import cell_graph
from app.pages.correlation.figures import matrix, measures, score_against_truth
from app.pages.layers.figures import waiting
from app.pages.navigator.block_figures import block_chart
from app.pages.navigator.figures import best_so_far, map_base
from app.pages.navigator.trust import Agreement, Trust, trust_chart
from app.palette import styled
from app.tokens import tokens
from nas_core import spaces
from nas_core.bench import Estimate
from nas_core.predict import block_fitness

NAME = "lr<b>1</b> & more"


def blocks():
    space = spaces.get("nb_macro")
    archs = np.array([space.sample(np.random.default_rng(k)) for k in range(5)])
    return space, block_fitness(space.decisions, archs, np.arange(5.0))


def charts():
    space, fitness = blocks()
    region = Agreement(NAME, 9, 9, Estimate(0.5, 0.4, 0.6), None)
    yield "blocks of a region", block_chart(fitness, space.decisions, "dark", f"Blocks in {NAME}")
    yield "the map", map_base(f"Map of {NAME}", (NAME, NAME, NAME), "dark")
    yield "best so far", best_so_far(np.arange(3.0), [], NAME, "dark")
    yield "trust in a region", trust_chart(Trust("zico", NAME, None, region, "", None, 0), "dark")
    yield "scores against each other", matrix([NAME, "zico"], np.eye(2), "dark")
    yield "what a score measures", measures({NAME: 0.5}, NAME, "dark")
    yield "a column of a table", score_against_truth(np.ones(3), np.ones(3), np.arange(3), ("zico", NAME), "dark")
    yield "nothing yet", waiting("", "dark", NAME)


@pytest.mark.parametrize(("what", "figure"), list(charts()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_name_is_no_markup(what, figure):
    drawn = json.loads(figure.to_json())
    drawn["layout"].pop("template", None)
    texts = [text for text in written(drawn) if "lr" in text]
    assert texts
    assert not [text for text in texts if re.search(r"<b>|&(?!amp;|lt;|gt;)", text)]
    assert any(NAME in unescape(text) for text in texts)


def written(part):
    """The texts of a figure that plotly draws."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name not in ("hovertemplate", "bdata", "uirevision", "selectionrevision", "meta"):
                yield from written(value)
    elif isinstance(part, list):
        for value in part:
            yield from written(value)
    elif isinstance(part, str):
        yield part


def test_the_labels_of_a_cell_stand_on_the_ground_of_their_theme():
    graph = spaces.get("nb201").graph((3, 3, 3, 3, 3, 3))
    for theme in ("dark", "light"):
        drawn = styled(cell_graph(graph, theme), theme, "")
        assert {note.bgcolor for note in drawn.layout.annotations} == {tokens(theme)["panel"]}


def test_every_colour_of_the_dark_theme_stands_for_one_of_the_light_theme():
    # An image is drawn in light ink by looking up what each dark colour stands for.
    dark = pd.Series(tokens("dark"))
    assert dark.is_unique and set(dark.index) == set(tokens("light"))
