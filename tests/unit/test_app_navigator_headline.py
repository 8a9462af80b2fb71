"""The headline of the Navigator names the next press, from an empty run to a trained network taken away."""

from __future__ import annotations

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.page import Headline, Shown
from app.pages.navigator.headline import LEAST, headline
from nas_core.ladder import TRAINED
from nas_core.spaces import Act
from nas_core.store import Store
from tests.unit.test_app_loop import TABLE, add, drawn, run_of

SPACE = TABLE.space


@pytest.fixture
def cockpit(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Cockpit(store)
    store.close()


def told(cockpit: Cockpit, run: str) -> Headline:
    found = headline(Shown(cockpit, cockpit.view(run), None))
    assert found is not None
    return found


def convolutions(indices: np.ndarray) -> np.ndarray:
    """A score by which 3x3 convolutions are good."""
    return (TABLE.archs[indices] == 3).sum(axis=1) + np.linspace(0, 0.5, len(indices))


def test_before_there_is_evidence_it_says_how_much_is_needed_and_starts_the_run(cockpit):
    run = run_of(cockpit, drawn(5), np.arange(5.0))
    found = told(cockpit, run)
    assert (found.evidence, found.press) == (f"5 of {LEAST} networks needed", ("start", run))


def test_a_block_that_stands_out_is_to_be_pinned_and_then_the_best_that_obeys_to_be_trained(cockpit):
    picked = drawn(400)
    run = run_of(cockpit, picked, convolutions(picked))
    first = told(cockpit, run)
    assert first.press[0] == "pin" and first.press[2] == 3 and first.action == f"Pin {first.finding.split(' makes')[0]}"
    d = int(first.press[1])
    cockpit.act(run, Act("prune", SPACE.decisions[d].name, ("nor_conv_3x3",)))
    obeying = picked[TABLE.archs[picked][:, d] != 3]
    best = TABLE.texts[obeying[np.argmax(convolutions(obeying))]] if len(obeying) else ""
    found = told(cockpit, run)
    assert found.press[0] == "train-alone" and f"{len(obeying)} networks" in found.finding
    scores = dict(zip([TABLE.texts[k] for k in picked], convolutions(picked), strict=True))
    assert scores[found.press[2]] == scores[best]


def test_the_training_is_followed_and_its_end_offers_the_export(cockpit):
    picked = drawn(400)
    run = run_of(cockpit, picked, convolutions(picked))
    cockpit.act(run, Act("prune", "*", ("none",)))
    arch = told(cockpit, run).press[2]
    cockpit.train(run, arch, 10)
    assert told(cockpit, run).action == "" and "waits for the engine" in told(cockpit, run).evidence
    other = cockpit.view(run).training[arch]
    (asked,) = cockpit.store.ask(other, [(arch, arch)], {})
    cockpit.store.tell(other, [(asked.position, {TRAINED: 87.5}, {})])
    cockpit.store.set_state(other, "finished")
    found = told(cockpit, run)
    assert "87.5 % of held-out images" in found.finding and found.press == ("export", "onnx", arch)
    assert found.evidence.startswith("0 of ")
    more = drawn(900)[400:]
    add(
        cockpit, run, more, convolutions(more) + 100
    )  # the best is another one now, and the trained one still to be had
    found = told(cockpit, run)
    assert found.press == ("export", "onnx", arch) and not found.evidence.startswith("0 of ")


def test_a_finished_run_of_few_networks_speaks_of_its_best(cockpit):
    run = run_of(cockpit, drawn(3), np.array([1.0, 3.0, 2.0]))
    cockpit.store.set_state(run, "finished")
    assert told(cockpit, run).press[2] == TABLE.texts[drawn(3)[1]]
