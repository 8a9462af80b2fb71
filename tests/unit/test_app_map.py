"""The space map: the brightest dot is the best, whichever end of a score that is, and the colour bar says so."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.pages.navigator.figures import LEVELS, map_base
from app.pages.navigator.space_map import _ends, dots
from nas_core.store import Store
from tests.runs import SCAN, make_run

CELLS = [
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
]


@pytest.fixture
def view(tmp_path):
    cockpit = Cockpit(Store(f"sqlite:///{tmp_path / 'store.db'}"))
    run = make_run(cockpit.store, "nb201", {**SCAN, "proxies": ["zico", "latency_ms"]})
    asked = cockpit.store.ask(run, [(text, text) for text in CELLS], {})
    told = [{"zico": value, "latency_ms": value} for value in (1.0, 2.0, 3.0)]
    cockpit.store.tell(run, [(row.position, values, {}) for row, values in zip(asked, told, strict=True)])
    return cockpit.view(run)


def levels(view, metric):
    """Colour of the dots of `CELLS`."""
    codes = np.frombuffer(base64.b64decode(dots(view, metric)), np.uint8)
    return [int(codes[view.table.index[text]] - 1) % (LEVELS + 1) for text in CELLS]


def test_the_brightest_dot_has_the_best_score(view):
    best_last, fastest_first = levels(view, "zico"), levels(view, "latency_ms")
    assert best_last[0] < best_last[1] < best_last[2]
    assert fastest_first[0] > fastest_first[1] > fastest_first[2]


def test_the_colour_bar_says_which_end_is_best_and_that_of_a_closed_form_has_none(view):
    assert _ends(view, "zico") == ("lowest", "best")
    assert _ends(view, "latency_ms") == ("highest", "best")
    assert _ends(view, "flops") == ("lowest", "highest")
    bar = map_base("", ("x", "y", "latency_ms"), "dark", ends=_ends(view, "latency_ms")).data[0].marker.colorbar
    assert list(bar.ticktext) == ["highest", "middle", "best"]
