"""Files of a run: every row, numbers to the last bit, failures with reasons, known results; links that lead to them."""

from __future__ import annotations

import io
import tracemalloc
from importlib.util import find_spec
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from app import take_away
from app.cockpit import Cockpit
from app.pages.layers import layout as layers_page
from app.pages.navigator import layout as navigator_page
from app.server import create_app
from app.space_table import space_table
from nas_core import bench
from nas_core.ladder import AGGREGATE
from nas_core.store import Outcome, Store
from tests.runs import SCAN, make_run

SCORED = 1234
HOST = {"Host": "127.0.0.1"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}")
    yield store
    store.close()


def fill(store, count, name="lr <b>1</b>, größer", failures=(), config=SCAN):
    """A run of nb201 with `count` candidates, whose values need every bit."""
    table = space_table("nb201")
    run = make_run(store, "nb201", {**config, "budget": count}, name)
    chosen = np.random.default_rng(0).permutation(len(table.texts))[:count]
    store.ask(run, [(table.texts[k], table.texts[table.canonical[k]]) for k in chosen], {})
    values = np.random.default_rng(1).normal(100, 10, count)
    told = [Outcome(p, {"zico": float(v)}, {"zico": 0.1 * v}) for p, v in enumerate(values)]
    for place, reason in dict(failures).items():
        told[place] = Outcome(place, {}, failed=reason)
    store.tell(run, told)
    return run, [table.texts[k] for k in chosen], values


@pytest.fixture(scope="module")
def filled(store):
    return fill(store, SCORED, failures={7: 'out of memory, "worker 2"\nended', 1100: "took more than 60 s"})


@pytest.fixture(scope="module")
def app(store):
    return create_app(store.url)


@pytest.fixture
def get(app):
    client = app.server.test_client()
    return lambda path: client.get(path, headers=HOST)


@pytest.fixture(scope="module")
def exported(app, filled):
    """The candidates of the run as a program reads them."""
    answer = app.server.test_client().get(f"/_take/{filled[0]}/candidates.csv", headers=HOST)
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    return pd.read_csv(io.BytesIO(answer.data), keep_default_na=False, na_values=[""])


def test_every_candidate_is_a_row_in_the_order_of_scoring(exported, filled):
    _, texts, _ = filled
    assert exported["architecture"].tolist() == texts
    assert exported["scored"].tolist() == list(range(1, SCORED + 1))


def test_scores_and_closed_forms_are_exact(exported, filled):
    _, texts, values = filled
    good = exported["failed"].isna()
    assert exported["zico"][good].tolist() == values[good].tolist()
    assert exported["zico seconds"][good].tolist() == (0.1 * values[good]).tolist()
    table = space_table("nb201")
    for name in table.closed:
        assert exported[name].tolist() == [table.closed[name].iloc[table.index[text]] for text in texts], name


def test_failed_candidates_stand_among_them_with_their_reason_and_without_scores(exported):
    bad = exported[exported["failed"].notna()]
    assert bad["failed"].tolist() == ['out of memory, "worker 2"\nended', "took more than 60 s"]
    assert bad["zico"].isna().all() and bad["rank"].isna().all()
    assert bad["flops"].notna().all()


def test_known_results_and_the_rung_of_every_row_are_told(exported, filled):
    _, texts, _ = filled
    for choice in bench.choices("nb201"):
        known = bench.column("nb201", choice)
        assert exported[f"truth:{choice}"].tolist() == known[texts].tolist()
    assert set(exported["rung"][exported["failed"].isna()]) == {"zero-cost"}
    assert set(exported["rung"][exported["failed"].notna()]) == {"closed form"}


def test_ranks_are_those_of_the_pages(exported, store, filled):
    view = Cockpit(store).view(filled[0])
    best = view.table.texts[view.indices[np.argmax(view.ranked)]]
    assert exported["architecture"][exported["rank"] == 1].tolist() == [best]
    assert sorted(exported["rank"].dropna()) == list(range(1, SCORED - 1))


def test_a_run_by_several_scores_has_their_aggregate_as_a_column(store, get):
    words = {**SCAN, "proxies": ["zico", "grad_norm"], "rank_by": AGGREGATE}
    table = space_table("nb201")
    run = make_run(store, "nb201", words, "by two")
    store.ask(run, [(table.texts[k], table.texts[table.canonical[k]]) for k in range(900, 906)], {})
    store.tell(run, [(p, {"zico": 1.0 + p, "grad_norm": 2.0 * p}, {}) for p in range(6)])
    found = pd.read_csv(io.BytesIO(get(f"/_take/{run}/candidates.csv").data))
    assert found[AGGREGATE].notna().all()
    assert found[AGGREGATE].rank(ascending=False, method="first").tolist() == found["rank"].tolist()


def test_a_run_without_candidates_is_a_line_of_names(store, get):
    run = make_run(store, "nb201", SCAN, "empty")
    for file in ("candidates.csv", "layers.csv"):
        lines = get(f"/_take/{run}/{file}").text.splitlines()
        assert len(lines) == 1 and "architecture" in lines[0]


def test_a_whole_space_is_streamed_in_bounded_memory(store, app):
    run, texts, _ = fill(store, 15_625, "all")
    app.server.test_client().get(f"/_take/{run}/candidates.csv", headers=HOST).close()  # the view of the pages is read
    tracemalloc.start()
    answer = app.server.test_client().get(f"/_take/{run}/candidates.csv", headers=HOST, buffered=False)
    rows = sum(part.count(b"\n") for part in answer.iter_encoded())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == len(texts) + 1
    assert peak < 10e6  # its rows all at once take seventeen


def test_the_name_of_the_file_is_that_of_the_run(get, filled):
    told = get(f"/_take/{filled[0]}/candidates.csv").headers["Content-Disposition"]
    assert told.startswith('attachment; filename="lr-b-1-b-grer-candidates.csv"')
    assert told.endswith(quote("lr-b-1-b-größer-candidates.csv"))


@pytest.mark.parametrize("file", ["candidates.xlsx", "other.csv", "candidates", "..%2Fcandidates.csv"])
def test_another_file_is_404_in_a_line_that_says_which_there_are(get, filled, file):
    answer = get(f"/_take/{filled[0]}/{file}")
    assert answer.status_code == 404


def test_an_unknown_run_is_404_in_one_line(get):
    answer = get("/_take/nope/candidates.csv")
    assert (answer.status_code, answer.text.count("\n")) == (404, 1)
    assert "nope" in answer.text


def test_layers_of_every_scored_candidate_are_rows(store, get, filled):
    run, texts, _ = filled
    table = space_table("nb201")
    settings = store.run(run).config.settings.key()
    told = texts[3], texts[1201]
    for number, text in enumerate(told):
        canonical = table.texts[table.canonical[table.index[text]]]
        rows = [{"layer": f"stem.{k}", "term": 0.1 + number + k, "std": None} for k in range(3)]
        store.remember("nb201", canonical, settings, {"zico": 1.0}, {}, {"zico": rows})
    found = pd.read_csv(io.BytesIO(get(f"/_take/{run}/layers.csv").data))
    forms = {table.texts[table.canonical[table.index[text]]] for text in told}
    assert set(found["canonical"]) == forms and set(told) <= set(found["architecture"])
    first = found[found["architecture"] == told[0]]
    assert first["layer"].tolist() == ["stem.0", "stem.1", "stem.2"]
    assert first["term"].tolist() == [0.1, 1.1, 2.1]


def test_parquet_holds_the_same_or_what_it_needs_is_told(get, filled, exported):
    answer = get(f"/_take/{filled[0]}/candidates.parquet")
    if find_spec("pyarrow") is None:
        assert answer.status_code == 501
        assert answer.text == "Parquet needs the package pyarrow; install it with: pip install pyarrow.\n"
        return
    import pyarrow.parquet as tables

    assert answer.status_code == 200
    file = tables.ParquetFile(io.BytesIO(answer.data))
    found = file.read().to_pandas()
    assert list(found) == list(exported)
    assert found["zico"].dropna().tolist() == exported["zico"].dropna().tolist()
    assert found["flops"].dtype == "int64" and found["failed"].tolist() == exported["failed"].fillna("").tolist()
    assert file.schema_arrow.field("zico").metadata[b"rung"] == b"zero-cost"
    assert get(f"/_take/{filled[0]}/layers.parquet").status_code == 200


@pytest.mark.parametrize(("page", "prefix"), [(navigator_page, "btn"), (layers_page, "btn-layers")])
def test_a_page_links_to_both_files(page, prefix):
    drawn = str(page.layout())
    assert f"id='{prefix}-csv'" in drawn and f"id='{prefix}-parquet'" in drawn


def test_links_lead_to_the_run_that_is_open():
    assert take_away.addresses("candidates", ["csv"], None) == [None]
    (address,) = take_away.addresses("candidates", ["csv"], "r1")
    assert address.endswith("/_take/r1/candidates.csv")


def test_files_lie_below_the_prefix(tmp_path):
    app = create_app(f"sqlite:///{tmp_path / 'store.db'}", url_prefix="/helm/")
    client = app.server.test_client()
    assert client.get("/helm/_take/nope/candidates.csv", headers=HOST).status_code == 404
    assert "no run" in client.get("/helm/_take/nope/candidates.csv", headers=HOST).text
    assert take_away.addresses("candidates", ["csv"], "r1") == ["/helm/_take/r1/candidates.csv"]
