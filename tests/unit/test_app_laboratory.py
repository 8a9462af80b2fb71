"""The Correlation page's numbers on a real store: how a score agrees with itself under other settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.cockpit import Cockpit
from app.pages.correlation.laboratory import stability
from nas_core import spaces
from nas_core.proxies import ScoreSettings
from nas_core.store import Store

SPACE = spaces.get("nb201")
OWN = ScoreSettings.laptop()


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def remember(store: Store, settings: ScoreSettings, values: dict[str, float]) -> None:
    scores = [(text, {"zico": value}, {}, {}) for text, value in values.items()]
    store.remember_all("nb201", settings.key(), scores)


def test_stability_correlates_settings_over_the_networks_they_share(store):
    run = store.create_run("nb201", {"proxies": ["zico"], "rank_by": "zico", "settings": OWN.to_dict()})
    texts = [SPACE.format(arch) for arch in sorted({SPACE.canonical(a) for a in SPACE.architectures()})[:40]]
    remember(store, OWN, {text: float(k) for k, text in enumerate(texts)})
    remember(store, replace(OWN, seed=1), {text: float(-k) for k, text in enumerate(texts[:30])})
    remember(store, replace(OWN, data="noise", batch_size=8), {text: float(k) for k, text in enumerate(texts[35:])})
    store.remember("nb201", texts[0], "v1;old", {"zico": 1.0}, {})
    cockpit = Cockpit(store)
    names, found = stability(cockpit, cockpit.view(run), "zico")
    assert names == ["these settings", "seed 1", "data noise, batch_size 8"]
    assert found[0, 1] == pytest.approx(-1)
    assert np.isnan(found[0, 2]) and np.isnan(found[1, 2])  # five networks are too few
    assert np.allclose(np.diag(found)[:2], 1)


def test_a_score_under_one_setting_only_stands_alone(store):
    run = store.create_run("nb201", {"proxies": ["zico"], "rank_by": "zico", "settings": OWN.to_dict()})
    cockpit = Cockpit(store)
    assert stability(cockpit, cockpit.view(run), "zico")[0] == ["these settings"]
