"""Runs as tests make them: from a few words of a configuration, the rest as it is by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nas_core.config import RunConfig
from nas_core.store import Store

SCAN = {"strategy": "scan", "proxies": ["zico"], "rank_by": "zico", "budget": 6466, "batch": 32}
"""What the app makes a first run of."""


def make_run(store: Store, space: str, words: Mapping[str, Any], name: str = "") -> str:
    """A run of a configuration in its stored form, or in that of before objectives (`proxies`, `rank_by`)."""
    return store.create_run(RunConfig.from_dict({**words, "space": space}), name)
