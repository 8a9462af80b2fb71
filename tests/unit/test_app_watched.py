"""Watched networks on the page Layers: beside candidates and sizes, aligned by depth, and as a film."""

from __future__ import annotations

import json
import math
import re
from contextvars import copy_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dash import no_update
from dash._callback_context import context_value
from dash._utils import AttributeDict

from app import live
from app.cockpit import Cockpit
from app.pages.layers import aligned, film
from app.pages.layers.callbacks import draw, offer
from app.pages.layers.evidence import chosen
from app.pages.layers.under_pointer import inside
from app.pages.layers.watched import MOST_FRAMES, Watched, WatchedNetworks, steps_of
from app.server import create_app
from nas_core.store import Snapshot, Store, Structure
from tests.callbacks import ask
from tests.runs import SCAN, make_run
from tests.unit.test_app_layers import drawn as without_networks
from tests.unit.test_app_layers import scored

MODULES = [
    {"name": "", "kind": "Net", "weights": 0, "called": 0},
    {"name": "head", "kind": "Linear", "weights": 30, "called": 4},
    {"name": "body", "kind": "Sequential", "weights": 0, "called": 1},
    {"name": "body.0", "kind": "Conv2d", "weights": 216, "called": 2},
    {"name": "body.1", "kind": "LSTM", "weights": 100, "called": 3},
    {"name": "act", "kind": "ReLU", "weights": 0, "called": None},
]
LAYERS = [
    {"layer": "head", "kind": "Linear", "shape": "10x3", "weights": 30},
    {"layer": "body.0", "kind": "Conv2d", "shape": "8x3x3x3", "weights": 216},
    {"layer": "body.1.weight_ih_l0", "kind": "LSTM", "shape": "20x5", "weights": 100},
]
"""As defined: the head first, though a pass calls it last."""


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


def snapshot(step, gradients=(0.1, 0.01, math.nan), zico=9.0):
    layers = {"zico": {"term": [1.0, 2.0, 3.0], "mean_abs_grad": list(gradients)}}
    values = {"zico": zico} if step else {"zico": zico, "params": 346.0, "naswot": math.nan}
    return Snapshot(step, values, layers, {} if step else {"naswot": "no ReLU"})


def watch(store, name="mine", steps=(0, 10, 20)):
    row = store.add_network(name, {}, Structure(MODULES, {"zico": LAYERS}), snapshot(0))
    for step in steps[1:]:
        store.add_snapshot(row.id, snapshot(step, (0.1 / step, 0.01, 1.0), 9.0 + step))
    return row.id


def page(cockpit, run, watched, *, moment=None, statistic="term", score=None, compared=("1", "2"), theme="dark"):
    names = ("map", "rows", "columns", "cells", "text", "statistics", "statistic", "scores", "score", "one", "hidden")
    asked = (statistic, score, list(compared), watched, theme, None, None, moment, None, None, None, run)
    values = draw(cockpit, WatchedNetworks(cockpit.store), {"run": run}, *asked)
    return dict(zip((*names, "lack"), values, strict=True))


def test_a_watched_network_stands_beside_candidates_by_depth_and_with_its_sizes(cockpit):
    run, _ = scored(cockpit, "nb201")
    network = watch(cockpit.store)
    found = page(cockpit, run, [network])
    traces = found["map"].data
    assert [trace.name for trace in traces] == ["mine", "#1", "#2"]
    assert list(found["map"].layout.yaxis.ticktext) == ["mine", "#1", "#2"]
    assert [list(trace.x) for trace in traces] == [pytest.approx([0, 100 / 3, 200 / 3, 100])] + 2 * [[0, 50, 100]]
    assert [one[0] for one in traces[0].customdata[0]] == [
        "body.0 · conv 3×3",
        "body.1.weight_ih_l0 · lstm",
        "head · dense",
    ]  # in the order of a pass
    assert list(traces[0].z[0]) == [2.0, 3.0, 1.0]
    rows = [row for row in found["rows"] if row["candidate"] == "mine"]
    assert [round(row["depth"], 3) for row in rows] == [0.167, 0.5, 0.833]
    assert rows[0]["log_size"] == pytest.approx(math.log(216))
    assert "layers of 3 networks by zico, side by side by depth" in found["text"]
    assert len(found["cells"]) == 3 and not found["hidden"]
    card, candidate = found["cells"][:2]
    assert "mine: zico 29 at step 20" in card.children[0].figure.layout.title.text
    assert "parameters 346" in card.children[1].children and "naswot: no ReLU" in card.children[1].title
    assert "FLOPs" in candidate.children[1].children and "sum of log layer sizes" in candidate.children[1].children


def test_without_a_watched_network_the_page_is_as_it_was(cockpit):
    run, _ = scored(cockpit, "nb201")
    watch(cockpit.store)
    assert page(cockpit, run, [])["map"] == without_networks(cockpit, run, compared=("1", "2"))["map"]
    assert page(cockpit, run, ["no such network"])["text"] == "layers of 2 candidates by zico"


def test_a_watched_network_is_shown_where_no_candidate_is_scored(cockpit):
    run = make_run(cockpit.store, "nb201", SCAN)
    found = page(cockpit, run, [watch(cockpit.store)])
    assert found["lack"] == [] and not found["hidden"]
    assert [trace.name for trace in found["map"].data] == ["mine"]
    assert (found["score"], found["scores"]) == ("zico", [{"value": "zico", "label": "zico"}])


def test_a_network_without_statistics_of_layers_says_why(cockpit):
    run = make_run(cockpit.store, "nb201", SCAN)
    first = Snapshot(0, {"zico": math.nan, "params": 1.0}, {}, {"zico": "no layer has a path to the loss"})
    row = cockpit.store.add_network("bare", {}, Structure(MODULES, {}), first)
    told = page(cockpit, run, [row.id])["lack"]
    assert "No layers of bare are kept" in str(told) and "zico: no layer has a path to the loss" in str(told).lower()


def test_the_page_goes_back_to_a_step(cockpit):
    run, _ = scored(cockpit, "nb201")
    network = watch(cockpit.store)
    rows = page(cockpit, run, [network], moment=10, statistic="mean_abs_grad")["rows"]
    assert [row["mean_abs_grad"] for row in rows if row["candidate"] == "mine"] == [0.01, 1.0, 0.01]
    before = page(cockpit, run, [network], moment=10)["cells"][0].children[0].figure.layout.title.text
    assert "zico 19 at step 10" in before
    assert page(cockpit, run, [network], moment=0, statistic="mean_abs_grad")["rows"][1]["mean_abs_grad"] is None


def test_a_film_has_a_frame_for_every_step_and_one_scale_of_colours(cockpit):
    run, _ = scored(cockpit, "nb201")
    networks = WatchedNetworks(cockpit.store)
    one, other = watch(cockpit.store), watch(cockpit.store, "other", (0, 15))
    found = film.frames(networks, None, [one, other], "zico", "mean_abs_grad")
    assert found["steps"] == [0, 10, 15, 20] and found["logarithmic"]
    assert found["traces"][0] == [[-2.0, None, -1.0], [-2.0, 0.0, -2.0], [-2.0, 0.0, -2.0], [-2.0, 0.0, -2.301]]
    assert found["traces"][1][0] == found["traces"][1][1] != found["traces"][1][2]
    figure = page(cockpit, run, [one, other], statistic="mean_abs_grad")["map"]
    assert figure.layout.meta["film"] == found["key"]
    assert [trace.name for trace in figure.data[:2]] == ["mine", "other"]
    assert list(figure.data[0].z[0]) == found["traces"][0][-1]
    drawn = [value for trace in found["traces"] for frame in trace for value in frame if value is not None]
    assert figure.layout.coloraxis.cmin <= min(drawn) and figure.layout.coloraxis.cmax >= max(drawn)
    json.dumps(found, allow_nan=False)


def test_there_is_no_film_of_one_snapshot_or_of_a_score_without_layers(cockpit):
    networks = WatchedNetworks(cockpit.store)
    still = watch(cockpit.store, steps=(0,))
    assert film.frames(networks, None, [still], "zico", "term") is None
    assert film.frames(networks, None, [watch(cockpit.store)], "snip", "term") is None
    assert film.frames(networks, None, [], "zico", "term") is None


def test_a_long_film_is_sent_in_a_bounded_number_of_frames():
    shots = tuple(snapshot(step) for step in range(0, 4000, 10))
    network = Watched(None, Structure(MODULES, {"zico": LAYERS}), shots)
    steps = steps_of([network], "zico")
    assert len(steps) == MOST_FRAMES and (steps[0], steps[-1]) == (0, 3990)


def test_new_snapshots_are_read_and_deleted_networks_are_gone(cockpit):
    networks = WatchedNetworks(cockpit.store)
    network = watch(cockpit.store)
    assert len(networks.of([network])[0].snapshots) == 3
    cockpit.store.add_snapshot(network, snapshot(30))
    assert [one.step for one in networks.of([network])[0].snapshots] == [0, 10, 20, 30]
    cockpit.store.delete_network(network)
    assert networks.of([network]) == []


def test_networks_are_offered_by_name_and_a_choice_that_is_gone_is_dropped(cockpit):
    assert offer(cockpit, None, None) == ([], [])  # a list from then on, so that the address can fill it
    network = watch(cockpit.store)
    options, value = offer(cockpit, None, [network, "gone"])
    assert options == [{"value": network, "label": "mine"}] and value == [network]
    assert offer(cockpit, None, [network])[1] is no_update


def inside_of(cockpit, run, watched, *, hover=None, layer=None, statistic="mean_abs_grad"):
    def answer():
        context_value.set(AttributeDict(triggered_inputs=[{"prop_id": "layers-map.hoverData"}] if hover else []))
        asked = (statistic, None, ["1"], watched, "light", None, None, layer, run)
        return inside(cockpit, WatchedNetworks(cockpit.store), hover, None, {"run": run}, *asked)

    return copy_context().run(answer)


def test_a_layer_under_the_pointer_shows_its_course_beside_those_at_its_depth(cockpit):
    run, _ = scored(cockpit, "nb201")
    one, other = watch(cockpit.store), watch(cockpit.store, "other", (0, 15))
    figure, layer = inside_of(cockpit, run, [one, other])
    assert layer is None and "of body.0 · conv 3×3 over the steps" in figure.layout.title.text  # the largest
    hover = {"points": [{"customdata": ["head · dense", "", "0.1", one]}]}
    figure, layer = inside_of(cockpit, run, [one, other], hover=hover)
    assert layer == {"network": one, "layer": "head · dense"}
    assert [trace.name for trace in figure.data] == ["mine: head · dense", "other: head · dense"]
    assert list(figure.data[0].x) == [0, 10, 20] and list(figure.data[0].y) == pytest.approx([0.1, 0.01, 0.005])
    assert figure.layout.yaxis.type == "log"
    heard = {"points": [{"curveNumber": 0, "x": 91.7, "y": 0, "text": f"{one}\thead · dense"}]}  # as a browser tells
    assert inside_of(cockpit, run, [one, other], hover=heard)[1] == layer
    assert list(page(cockpit, run, [one])["map"].data[0].text[0])[-1] == f"{one}\thead · dense"
    candidate = {"points": [{"customdata": ["stem · conv 3×3", "", "2", ""]}]}
    assert inside_of(cockpit, run, [one], hover=candidate, layer=layer)[1] == "stem · conv 3×3"


def test_modules_are_drawn_in_the_order_of_a_pass_without_those_that_have_no_weights():
    figure = aligned.tree(MODULES, "dark", "mine")
    (icicle,) = figure.data
    assert list(icicle.ids) == ["network", "body", "body.0", "body.1", "head"]
    assert list(icicle.parents) == ["", "network", "body", "body", "network"]
    assert list(icicle.labels) == ["Net", "body", "0", "1", "head"]
    assert list(icicle.customdata) == ["346", "316", "216", "100", "30"]
    assert sum(icicle.values) == 3


def test_names_of_networks_are_no_markup_and_none_is_taken_for_a_candidate(cockpit):
    run, _ = scored(cockpit, "nb201")
    bold, number = watch(cockpit.store, "<b>fat</b>"), watch(cockpit.store, "#1")
    figure = page(cockpit, run, [bold, number])["map"]
    assert list(figure.layout.yaxis.ticktext) == ["&lt;b&gt;fat&lt;/b&gt;", "#1 (watched)", "#1", "#2"]
    assert len(chosen(cockpit.view(run), None, [1, 2])) == 2


def test_what_spans_powers_of_ten_is_coloured_by_its_logarithm():
    assert aligned.scaled([0.01, 0.0, math.nan, 10.0], "std") == [-2.0, None, None, 1.0]
    assert aligned.scaled([0.01, 0.0, math.nan], "term") == [0.01, 0.0, None]
    layers = pd.DataFrame({"candidate": ["a", "a"], "layer": ["x", "y"], "std": [1e-4, 10.0]})
    figure = aligned.by_depth(layers, "std", "dark", (-4.0, 1.0), "", {})
    bar = figure.layout.coloraxis.colorbar
    assert list(bar.tickvals) == [-4, -3, -2, -1, 0, 1]
    assert list(bar.ticktext) == ["1e-4", "1e-3", "0.01", "0.1", "1", "10"]


def test_polls_tell_of_new_snapshots(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = Store(url)
    run = make_run(store, "nb201", SCAN)
    client = create_app(url).server.test_client()
    told = [client.get(f"/{live.PATH.replace('<run>', run)}").json["watched"]]
    watch(store)
    told.append(client.get(f"/{live.PATH.replace('<run>', run)}").json["watched"])
    assert told[0] != told[1] and told[1].startswith("1-3-")
    store.close()


def test_the_page_is_answered_through_the_app(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    cockpit = Cockpit(Store(url))
    run, _ = scored(cockpit, "nb201")
    network = watch(cockpit.store)
    app = create_app(url)
    values = {"run": run, "pulse": {"run": run}, "statistic": "term", "compared": ["1"], "theme": "dark"}
    values |= {"layers-watched": [network], "layers-score": "zico", "watched": "1-3-0"}
    parts = ("layers-map.figure", "layers-spread.figure", "layers-film.data", "layers-watched.data")
    outputs = [name for name in app.callback_map if any(part in name for part in parts)]
    assert len(outputs) == 4
    for name in outputs:
        answer = ask(app, name, values, "watched.data")
        assert answer.status_code == 200, name
        if "layers-film" in name:
            assert np.shape(answer.json["response"]["layers-film"]["data"]["traces"]) == (1, 3, 3)


def test_nothing_that_a_browser_sends_is_imported_or_run():
    sources = [path.read_text() for path in (Path(film.__file__).parents[2]).rglob("*.py")]
    assert len(sources) > 50
    assert not [text for text in sources if re.search(r"\b(?:exec|eval|__import__)\(|nas_core\.watching", text)]
