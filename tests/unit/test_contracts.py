"""Every proxy, space and strategy that is registered here keeps its contract, a template among the spaces."""

from __future__ import annotations

import pytest

from nas_core import proxies, search, spaces
from nas_core.spaces.template import PRESETS
from nas_core.testing import check_proxy, check_space, check_strategy


@pytest.mark.parametrize("name", proxies.names())
def test_a_proxy_keeps_its_contract(name):
    assert check_proxy(name).promises


@pytest.mark.parametrize("name", spaces.names())
def test_a_space_keeps_its_contract(name):
    assert check_space(name).promises


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_space_of_a_template_keeps_its_contract(preset):
    assert check_space(spaces.define(PRESETS[preset]().to_dict())).promises


@pytest.mark.parametrize("name", search.names())
def test_a_strategy_keeps_its_contract(name):
    report = check_strategy(name)
    print("\n", *report.notes, sep="\n")
    assert report.promises
