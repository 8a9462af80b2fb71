"""What unit tests share."""

from __future__ import annotations

import pytest

from nas_core.proxies import _registry as proxies
from nas_core.spaces import _registry as spaces


@pytest.fixture
def own_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spaces and scores that a test registers are known to that test alone."""
    for registry in (spaces._SPACES, proxies._PROXIES):
        monkeypatch.setattr(registry, "_registered", dict(registry._own))
        monkeypatch.setitem(registry.__dict__, "_own", registry._registered)
