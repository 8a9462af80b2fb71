"""The Navigator's table, tooltip, bricks, dock and region: they say what is known, and why a press would do nothing."""

from __future__ import annotations

import numpy as np
import pytest
from dash import no_update

from app.cockpit import Cockpit
from app.masks import packed
from app.pages.navigator import bricks, dock, views
from app.pages.navigator.layout import layout
from app.pages.navigator.map_tools import show_region
from app.pages.navigator.regions import LASSO, PLAIN_AXES, Choice, scope_of
from app.pages.navigator.rows import columns, rows
from app.pages.navigator.scene import Scenes, scene
from app.pages.navigator.under_pointer import index_of, look, numbers, tooltip
from app.space_table import space_table
from nas_core.spaces import Act
from nas_core.store import Store
from tests.runs import SCAN, make_run

TABLE = space_table("nb201")
CELLS = [
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
]


@pytest.fixture
def cockpit(tmp_path):
    return Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))


@pytest.fixture
def run(cockpit):
    """A run that scored `CELLS`, the last the best."""
    run = make_run(cockpit.store, "nb201", SCAN)
    asked = cockpit.store.ask(run, [(text, text) for text in CELLS], {})
    cockpit.store.tell(run, [(row.position, {"zico": float(k)}, {}) for k, row in enumerate(asked)])
    return run


def text_of(drawn) -> str:
    """Everything that parts of a page say, a space between them."""
    if isinstance(drawn, list | tuple):
        return " ".join(map(text_of, drawn))
    return drawn if isinstance(drawn, str) else text_of(getattr(drawn, "children", None) or "")


# the table -----------------------------------------------------------------------------------------------------------


def test_a_row_has_its_notation_its_strip_its_truth_and_its_rung(cockpit, run):
    view, truth = cockpit.view(run), cockpit.truth("nb201")
    first = rows(view, truth)[0]
    assert (first["rank"], first["arch"], first["known"]) == (1, CELLS[2], "◆ zero-cost")
    assert first["strip"] == [0, 0, 0, 3, 0, 0]
    assert first["truth"] == truth.over(view.table)[view.table.index[CELLS[2]]]
    assert "truth" not in rows(view)[0]


def test_the_notation_stays_the_value_of_the_column_that_draws_strips(cockpit, run):
    found = {column["field"]: column for column in columns(cockpit.view(run), cockpit.truth("nb201"))}
    assert found["arch"]["cellRenderer"] == "Strip"
    assert len(found["arch"]["cellRendererParams"]["legend"]) == 6
    assert "valueGetter" not in found["arch"]
    assert found["truth"]["headerName"].endswith("%")
    assert {"rank", "zico", "known"} < set(found)


# the tooltip ---------------------------------------------------------------------------------------------------------


def test_the_tooltip_tells_name_rank_rung_strip_and_three_numbers_and_no_place(cockpit, run):
    view, truth = cockpit.view(run), cockpit.truth("nb201")
    index = TABLE.index[CELLS[1]]
    said = text_of(tooltip(view, index, truth))
    assert "no. 2, rank 2 of 3" in said and "◆ zero-cost" in said and "conv1" in said
    told = dict(numbers(view, index, truth))
    assert list(told) == ["zico", "cifar10 validation accuracy", "parameters"]
    assert told["cifar10 validation accuracy"].endswith(" %")
    assert "projection" not in said


def test_the_tooltip_of_what_is_not_scored_says_so_and_shows_no_score(cockpit, run):
    view = cockpit.view(run)
    index = TABLE.index["|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"]
    assert "Not scored yet" in text_of(tooltip(view, index, None)) and "● closed form" in text_of(
        tooltip(view, index, None)
    )
    assert "zico" not in dict(numbers(view, index, None))
    cockpit.act(run, Act("prune", "edge 0→1", ("nor_conv_3x3",)))
    assert "Outside of what is left" in text_of(tooltip(cockpit.view(run), index, None))


def test_at_an_earlier_moment_the_tooltip_knows_what_was_known_then(cockpit, run):
    then = scene(cockpit.view(run), 1, None)
    assert "no. 1, rank 1 of 1" in text_of(tooltip(then, TABLE.index[CELLS[0]], None))
    assert "Not scored yet" in text_of(tooltip(then, TABLE.index[CELLS[2]], None))


def test_the_bricks_under_the_pointer_are_those_of_its_architecture_else_of_the_selected_one(cockpit, run):
    hover = {"points": [{"customdata": TABLE.index[CELLS[2]]}]}
    carried, tip = look(cockpit, Scenes(), hover, None, run, None, None, run)
    assert carried == ["0:0", "1:0", "2:0", "3:3", "4:0", "5:0"] and tip
    carried, tip = look(cockpit, Scenes(), None, CELLS[0], run, None, None, run)
    assert carried[3] == "3:1" and tip == ""


def test_only_a_dot_of_the_space_has_an_index():
    assert index_of({"points": [{"customdata": [7]}]}, 10) == 7
    for event in (None, {"points": [{}]}, {"points": [{"customdata": 10}]}, {"points": [{"customdata": "0:3"}]}):
        assert index_of(event, 10) is None


# bricks --------------------------------------------------------------------------------------------------------------


def test_a_choice_that_nothing_scored_has_shows_neither_bar_nor_number(cockpit, run):
    looks = bricks.looks(cockpit.view(run))
    assert looks["0:3"]["text"] == bricks.NOT_SEEN and not looks["0:3"]["seen"]
    assert set(looks["0:3"]["bar"].values()) == {"0%"}
    assert "Not seen yet" in looks["0:3"]["title"]
    assert looks["0:0"]["seen"] and looks["0:0"]["text"] == ".50 3" and looks["0:0"]["title"].endswith("n = 3")


# the dock ------------------------------------------------------------------------------------------------------------


def draw(cockpit, run, tab, before=None):
    return views.draw(cockpit, Scenes(), None, "dark", run, None, None, None, None, tab, run, before)


def test_a_chart_of_the_dock_is_sent_while_its_tab_is_open_only(cockpit, run):
    charts = {
        tab: [part is not no_update for part in draw(cockpit, run, tab)[7:10]]
        for tab in (dock.CANDIDATES, dock.BLOCKS, dock.PROGRESS, dock.PARETO, dock.ACTS)
    }
    assert charts == {
        dock.CANDIDATES: [False, False, False],
        dock.BLOCKS: [False, True, False],
        dock.PROGRESS: [True, False, False],
        dock.PARETO: [False, False, True],
        dock.ACTS: [False, False, False],
    }


def test_another_tab_gets_no_rows_again_and_its_chart_at_once(cockpit, run):
    first = draw(cockpit, run, dock.CANDIDATES)
    assert len(first[10]) == 3
    second = draw(cockpit, run, dock.BLOCKS, first[-1])
    assert second[10] is no_update and second[8] is not no_update


def test_undo_stands_beside_the_decisions_and_says_what_it_would_undo(cockpit, run):
    decisions = next(found for found in layout()._traverse() if getattr(found, "className", "") == "panel template")
    assert {"btn-undo", "template"} <= {getattr(found, "id", None) for found in decisions._traverse()}
    assert draw(cockpit, run, dock.CANDIDATES)[2:4] == (True, "There is no act to undo.")
    cockpit.act(run, Act("pin", "edge 0→3", ("skip_connect",)))
    assert draw(cockpit, run, dock.CANDIDATES)[2:4] == (False, "Undo (u): pin skip on edge 0→3")


def test_ids_that_others_use_stand_in_the_page():
    held = {getattr(found, "id", None) for found in layout()._traverse()}
    wanted = "candidates acts-list btn-undo act-note blocks best-so-far pareto btn-csv nav-map preview candidate-card"
    assert set(wanted.split()) | {"nav-dock", "regions", "region-text", "next", "timeline", "chart"} <= held


# the region ----------------------------------------------------------------------------------------------------------


def region_of(cockpit, run, mask):
    view = cockpit.view(run)
    return scope_of(view, Choice((LASSO,)), [], packed(mask), PLAIN_AXES)


def test_the_card_of_a_region_is_raised_by_a_lasso_and_says_why_a_search_there_would_change_nothing(cockpit, run):
    assert show_region(cockpit, None, None, run)[-1] is True
    words, *rest, hidden = show_region(cockpit, None, region_of(cockpit, run, TABLE.archs[:, 0] == 3), run)
    assert "inside; a focus keeps 3,125 of 15,625" in words and rest[0] is False and rest[2] is False and not hidden
    everything = region_of(cockpit, run, np.ones(len(TABLE.archs), dtype=bool))
    _, still, why, _, _, hidden = show_region(cockpit, None, everything, run)
    assert still and "narrows nothing" in why and not hidden


def test_a_kept_region_is_not_kept_again_and_says_why(cockpit, run):
    scope = {**region_of(cockpit, run, TABLE.archs[:, 0] == 3), "of": ["12"]}
    found = show_region(cockpit, None, scope, run)
    assert found[3] is True and "kept already" in found[4]
