"""The Layers page in every space: statistics where there are some, and what to do where there are none."""

from __future__ import annotations

from contextvars import copy_context

import numpy as np
import pandas as pd
import pytest
from dash._callback_context import context_value
from dash._utils import AttributeDict

from app.cockpit import Cockpit
from app.page import Headline, Shown
from app.pages.layers import figures
from app.pages.layers.callbacks import draw, score_layers
from app.pages.layers.evidence import chosen, lack, telling
from app.pages.layers.headline import headline
from app.pages.layers.under_pointer import inside, pointed
from app.pages.layers.watched import WatchedNetworks
from app.presses import press
from app.server import create_app
from nas_core import spaces
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces.template import PRESETS
from nas_core.store import Store
from tests.callbacks import ask
from tests.runs import make_run

LARGE = PRESETS["3-conv-7-layer"]().to_dict()
SMALL = PRESETS["Residual"]().to_dict()
OWN = ScoreSettings.laptop()


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


def space_of(space):
    return spaces.define(space) if isinstance(space, dict) else spaces.get(space)


def scored(cockpit, space, scores=("zico",), rank_by="zico", count=6, layers=("zico",), **words):
    """A run with scored candidates; of the scores named in `layers` the store holds a table of two layers each."""
    found = space_of(space)
    given = {"template": space} if isinstance(space, dict) else {}
    config = {"proxies": list(scores), "rank_by": rank_by, "budget": 9, "settings": OWN.to_dict(), **given, **words}
    run = make_run(cockpit.store, found.name, config)
    rng = np.random.default_rng(4)
    archs = list(dict.fromkeys(found.canonical(found.sample(rng)) for _ in range(3 * count)))[:count]
    texts = [found.format(arch) for arch in archs]
    asked = cockpit.store.ask(run, [(text, text) for text in texts], {})
    told = [(row.position, dict.fromkeys(scores, float(k)), {}) for k, row in enumerate(asked)]
    cockpit.store.tell(run, told)
    conv = "layers.0.blocks.0.0" if isinstance(space, dict) else "stem.0"
    head = "head.2" if isinstance(space, dict) else "classifier"
    rows = [
        {"layer": conv, "kind": "Conv2d", "shape": "8x3x3x3", "weights": 216, "mean_abs_grad": 0.5, "term": 2.0},
        {"layer": head, "kind": "Linear", "shape": "10x8", "weights": 80, "mean_abs_grad": 0.25, "term": 1.0},
    ]
    held = []
    for k, text in enumerate(texts):
        kept = {name: [{**row, "term": row["term"] * (1 + k)} for row in rows] for name in layers}
        held.append((text, dict.fromkeys(layers, float(k)), {}, kept))
    cockpit.store.remember_all(found.name, OWN.key(), held)
    return run, texts


def drawn(cockpit, run, *, score=None, arch=None, statistic="term", compared=("1", "2", "3")):
    names = ("map", "rows", "columns", "cells", "text", "statistics", "statistic", "scores", "score", "one", "hidden")
    networks = WatchedNetworks(cockpit.store)
    asked = (statistic, score, list(compared), [], "dark", arch, None, None, None, None, None, run)
    values = draw(cockpit, networks, {"run": run}, *asked)
    return dict(zip((*names, "lack"), values, strict=True))


def sentence(cockpit, run, arch=None) -> Headline:
    view = cockpit.view(run)
    found = headline(Shown(cockpit, view, None, arch))
    assert found is not None
    return found


@pytest.mark.parametrize("space", [*spaces.names(), LARGE, SMALL], ids=lambda space: str(space)[:12])
@pytest.mark.parametrize("ranks", ["one_shot", "zico"])
def test_every_space_is_shown_or_says_what_to_do(cockpit, space, ranks):
    if ranks == "one_shot" and space == "transnas_micro":
        pytest.skip("the space has no shared weights")
    told = {"layers": (), "supernet": {}} if ranks == "one_shot" else {}
    run, texts = scored(cockpit, space, (ranks,), ranks, **told)
    page = drawn(cockpit, run, arch=texts[0])
    assert len(page["cells"]) == 4
    assert page["hidden"] == (ranks == "one_shot")
    figure, _ = inside_of(cockpit, run)
    if ranks == "one_shot":
        assert "score the same space with zico" in str(page["lack"]).lower()
        assert sentence(cockpit, run).action == "Score it with zico"
        assert not figure.data
    else:
        assert page["lack"] == [] and "·" in page["rows"][0]["layer"]
        assert " makes most of the difference between #1 and #2" in sentence(cockpit, run).finding


def inside_of(cockpit, run, *, hover=None, told=None, by="", layer=None):
    """What the callback answers when the property `by` made it run."""

    def answer():
        context_value.set(AttributeDict(triggered_inputs=[{"prop_id": by}] if by else []))
        asked = ("term", None, ["1", "2"], [], "light", None, None, layer, run)
        return inside(cockpit, WatchedNetworks(cockpit.store), hover, told, {"run": run}, *asked)

    return copy_context().run(answer)


def test_a_run_by_shared_weights_over_a_large_template_is_answered_through_the_app(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    cockpit = Cockpit(Store(url))
    run, _ = scored(cockpit, LARGE, ("one_shot",), "one_shot", layers=(), supernet={})
    app = create_app(url)
    values = {"run": run, "pulse": {"run": run}, "statistic": "term", "compared": ["1", "2", "3"], "theme": "dark"}
    outputs = [name for name in app.callback_map if "layers-map.figure" in name or "layers-spread.figure" in name]
    assert len(outputs) == 2
    for name in outputs:
        answer = ask(app, name, values, "pulse.data")
        assert answer.status_code == 200


def test_steps_of_an_edit_path_outside_the_sample_are_told_without_a_value(cockpit):
    run, _ = scored(cockpit, LARGE)
    path = drawn(cockpit, run)["cells"][1].children[1]
    assert "drop L" in path.title or "add L" in path.title
    assert "more" in path.children


def test_a_run_that_ranks_by_something_else_shows_the_layers_of_a_score_that_has_some(cockpit):
    run, _ = scored(cockpit, "nb201", ("naswot", "zico", "snip"), "aggregate", layers=("zico", "snip"))
    page = drawn(cockpit, run)
    assert [option["value"] for option in page["scores"]] == ["zico", "snip"]
    assert (page["score"], page["one"]) == ("zico", False)
    assert "by zico; ranked by aggregate" in page["text"]
    assert "by snip" in drawn(cockpit, run, score="snip")["text"]
    assert telling(cockpit, cockpit.view(run), chosen(cockpit.view(run), None, [1])) == ["zico", "snip"]


def test_statistics_that_a_score_does_not_have_cannot_be_chosen(cockpit):
    run, _ = scored(cockpit, "nb201")
    page = drawn(cockpit, run, statistic="inverse_cv")
    assert {one["value"]: one["disabled"] for one in page["statistics"]} == {
        "term": False,
        "inverse_cv": True,
        "mean_abs_grad": False,
        "std": True,
        "log_size": False,
    }
    assert page["statistic"] == "term"


def test_people_read_places_and_operations_and_the_file_has_the_modules(cockpit):
    run, _ = scored(cockpit, LARGE)
    page = drawn(cockpit, run)
    layers = {row["layer"] for row in page["rows"]}
    assert "head · dense" in layers and any(name.startswith("layer 1 · block ") for name in layers)
    assert [one["field"] for one in page["columns"]][:4] == ["candidate", "layer", "term", "mean_abs_grad"]
    columns = {one["field"]: one for one in page["columns"]}
    assert columns["layer"]["tooltipField"] == "module" and columns["module"]["hide"] is True
    assert {row["module"] for row in page["rows"]} == {"layers.0.blocks.0.0", "head.2"}
    assert "module head.2" in str(page["map"].data[0].customdata)


def test_the_headline_names_the_layer_with_the_greatest_share_of_the_difference(cockpit):
    run, texts = scored(cockpit, "nb201")
    found = sentence(cockpit, run)
    assert found.finding == "stem · conv 3×3 makes most of the difference between #1 and #2"
    assert found.evidence == "67% of it, +2 of zico; +3 over all 2 layers"
    assert (found.action, found.press) == ("Look inside it", ("layer", "stem · conv 3×3"))
    assert "between #1 and the selected one" in sentence(cockpit, run, texts[0]).finding
    unscored = next(text for text in cockpit.view(run).table.texts if text not in texts)
    assert "between #1 and #2" in sentence(cockpit, run, unscored).finding


def test_no_headline_without_two_candidates(cockpit):
    run, _ = scored(cockpit, "nb201", count=1)
    assert sentence(cockpit, run).finding == "Too early"
    empty = make_run(cockpit.store, "nb201", {"proxies": ["zico"], "rank_by": "zico", "settings": OWN.to_dict()})
    assert (sentence(cockpit, empty).action, sentence(cockpit, empty).press) == ("Start the search", ("start", empty))


def test_the_layer_that_the_headline_names_is_looked_into(cockpit):
    run, texts = scored(cockpit, "nb201")
    row = {"layer": "classifier", "statistic": "inverse_cv", "weights": 8, "zeros": 0, "low": -1.0, "high": 1.0}
    for text in texts[-2:]:
        kept = {"zico:distributions": [{**row, "counts": [1] * 8}, {**row, "layer": "stem.0", "counts": [1] * 8}]}
        cockpit.store.remember("nb201", text, OWN.key(), {"zico:distributions": float("nan")}, {}, kept)
    told = {"what": press("layer", "head · dense")["data-press"]}
    figure, layer = inside_of(cockpit, run, told=told, by="pressed.data")
    assert layer == "head · dense" and "over the weights of head · dense" in figure.layout.title.text
    hover = {"points": [{"customdata": ["stem · conv 3×3", ""]}]}
    assert inside_of(cockpit, run, hover=hover, by="layers-map.hoverData", layer=layer)[1] == pointed(hover)
    assert inside_of(cockpit, run, hover=hover, by="pulse.data", layer=layer)[1] == "head · dense"
    assert len(cockpit.store.log(run, kind="request")) == 0  # all that is shown is known


def test_an_export_of_a_candidate_does_not_stand_for_its_distributions(cockpit):
    run, texts = scored(cockpit, "nb201")
    cockpit.store.append(run, "request", {"what": "export", "arch": texts[0], "kind": "onnx"})
    arch = spaces.get("nb201").parse(texts[0])
    for _ in range(2):
        cockpit.request_distributions(cockpit.view(run).run, [arch])
    assert [entry.body["what"] for entry in cockpit.store.log(run, kind="request")] == ["export", "distributions"]


@pytest.mark.parametrize("space", [LARGE, "nb201"], ids=["template", "nb201"])
def test_one_press_makes_and_starts_the_run_that_tells_layers_apart(cockpit, space):
    run, _ = scored(cockpit, space, ("one_shot",), "one_shot", layers=(), supernet={"data": "digits", "epochs": 3.0})
    told = {"what": press(*lack(cockpit.view(run)).press)["data-press"], "run": run}
    search, _ = score_layers(cockpit, told, "another")
    made = cockpit.store.runs()[0]
    assert made.id in search and made.id != run
    assert (made.config.scores, made.rank_by, made.state) == (("zico",), "zico", "queued")
    assert (made.space, made.config.template) == (cockpit.store.run(run).space, cockpit.store.run(run).config.template)
    assert made.config.settings.image_size == (8 if space == LARGE else OWN.image_size)
    again, _ = score_layers(cockpit, told, "another")
    assert again == search and len(cockpit.store.runs()) == 2


def test_parts_of_a_network_are_named_where_they_begin_and_not_too_many():
    layers = ["stem · conv 3×3", *(f"cell {k} · edge {e}" for k in range(1, 41) for e in (0, 1)), "head · dense"]
    found = figures.parts(layers)
    assert found[0] == (0, "stem") and len(found) <= 16
    assert figures.parts(["a · b", "a · c", "d"]) == [(0, "a"), (2, "d")]


def test_an_axis_of_a_few_powers_of_ten_has_ticks_between_them_as_large_as_the_others():
    row = {"layer": "stem", "statistic": "std", "weights": 8, "zeros": 0, "counts": [1] * 8}
    few = figures.spread({"#1": pd.DataFrame([{**row, "low": -0.5, "high": 0.4}])}, "stem", "std", "dark").layout.xaxis
    assert {0.5, 1.0, 2.0} <= set(few.tickvals) and few.tickmode == "array"
    many = figures.spread({"#1": pd.DataFrame([{**row, "low": -4.0, "high": 3.0}])}, "stem", "std", "dark").layout.xaxis
    assert 0.001 in many.tickvals and 0.002 not in many.tickvals
