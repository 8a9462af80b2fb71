"""One run, one aggregate: search, both pages, the report and correlate agree to the bit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app import laboratory
from app.cockpit import Cockpit
from app.report import report
from nas_core import bench
from nas_core.store import Store
from tests import commands

SCORES = ("synflow", "naswot", "ntk_condition")
"""Of the last, lower is better."""


def helm(*arguments: str) -> list:
    done = commands.run(*arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The store of a finished search that ranks by an aggregate, what the search printed, and its folder."""
    folder = tmp_path_factory.mktemp("aggregate")
    url = f"sqlite:///{folder / 'store.db'}"
    asked = [part for name in SCORES for part in ("--proxy", name)]
    found = helm(
        "search", "--strategy", "random", *asked, "--aggregate", "--budget", "40", "--top", "40", "--batch-size", "8",
        "--channels", "4", "--cells", "1", "--store", url, "--json",
    )  # fmt: skip
    store = Store(url)
    yield store, found, folder
    store.close()


def test_both_pages_and_the_search_have_the_same_aggregate_to_the_bit(searched):
    store, found, _ = searched
    view = Cockpit(store).view(found["run"])
    texts = [view.table.texts[k] for k in view.indices]
    printed = {row["arch"]: row["aggregate"] for row in found["best"]}
    assert view.aggregate.tolist() == [printed[text] for text in texts]
    assert view.ranked.tobytes() == view.aggregate.tobytes()
    assert laboratory.aggregate(view).tobytes() == view.aggregate.tobytes()
    equal = laboratory.equal_weights(view)
    assert laboratory.aggregate(view, equal).tobytes() == view.aggregate.tobytes()
    assert "live_params" in equal and not equal["live_params"]  # it may be weighed, and is no score of the run


def test_report_and_correlate_hold_that_aggregate_against_the_truth(searched):
    store, found, folder = searched
    cockpit = Cockpit(store)
    view = cockpit.view(found["run"])
    truth = bench.column("nb201", "published/cifar10").reindex([view.table.texts[k] for k in view.indices]).to_numpy()
    same = view.networks
    tau = bench.rank_statistics(view.aggregate, truth, networks=same, bootstrap=0).tau.value
    (row,) = [
        row
        for row in laboratory.leader_board(view, truth, np.arange(len(truth)), laboratory.aggregate(view))
        if row["score"].startswith("aggregate")
    ]
    assert row["tau"].startswith(f"{tau:.3f} ")
    assert f'<td>aggregate (no label)</td><td class="number">{row["n"]}</td><td>{row["tau"]}</td>' in report(
        cockpit, found["run"]
    )
    store.table(found["run"])[["arch", *SCORES]].to_csv(folder / "scores.csv", index=False)
    rows = helm("correlate", str(folder / "scores.csv"), "--aggregate", "+".join(SCORES), "--bootstrap", "0", "--json")
    (correlated,) = [row for row in rows if row["kind"] == "aggregate" and row["data_set"] == "cifar10"]
    assert correlated["tau"]["value"] == tau
