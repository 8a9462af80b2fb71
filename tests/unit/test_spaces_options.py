"""A space with options: found by every spelling, one object a choice, and scored under a name that carries them."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nas_core import scoring, spaces
from nas_core.export import Blueprint
from nas_core.proxies import ScoreSettings
from nas_core.spaces import (
    CellGraph,
    CellScale,
    Decision,
    GraphEdge,
    ImageShape,
    NoScale,
    SearchSpace,
    TokenShape,
    option,
)
from nas_core.supernet import SupernetSettings

TINY = ScoreSettings(batches=1, batch_size=2, image_size=8, channels=4)


@dataclass(frozen=True)
class ChainOptions:
    layers: int = option(3, least=1, most=16)
    seed: int = 0


@dataclass(frozen=True)
class Width:
    channels: int = 6


class Chain(SearchSpace):
    """A chain of convolutions, each of which may be left out."""

    name, title = "chain_of_the_test", "A chain"
    options_type, scale_type = ChainOptions, Width

    def __init__(self, options: ChainOptions = ChainOptions()) -> None:
        super().__init__(options)
        self.decisions = tuple(Decision(f"layer {k}", ("off", "on")) for k in range(options.layers))

    def parse(self, text: str) -> tuple[int, ...]:
        if len(text) != len(self.decisions) or set(text) - {"0", "1"}:
            raise ValueError(f"malformed chain {text!r}")
        return tuple(map(int, text))

    def format(self, arch: tuple[int, ...]) -> str:
        return "".join(map(str, arch))

    def canonical(self, arch: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(arch))

    def build(self, arch: tuple[int, ...], *, input: Any = None, classes: int = 10, scale: Any = None) -> Any:
        from torch import nn

        width, channels = (scale or self.scale()).channels, self.image_shape(input).channels
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1)]
        layers += [nn.Conv2d(width, width, 3, padding=1) for choice in arch if choice]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))

    def graph(self, arch: tuple[int, ...]) -> CellGraph:
        edges = (GraphEdge(k, k + 1, "on", self.decisions[k].name) for k, choice in enumerate(arch) if choice)
        return CellGraph(tuple(map(str, range(len(arch) + 1))), tuple(edges))

    def encode(self, archs: Any) -> np.ndarray:
        return np.asarray(archs, dtype=float)


@pytest.fixture(autouse=True)
def _registered(own_members):
    spaces.register("chain_of_the_test")(Chain)


@pytest.mark.parametrize(
    ("text", "name", "layers"),
    [
        ("chain_of_the_test", "chain_of_the_test", 3),
        ("chain_of_the_test:layers=3", "chain_of_the_test", 3),
        ("chain_of_the_test:layers=6,seed=0", "chain_of_the_test:layers=6", 6),
        ("chain_of_the_test:seed=7,layers=6", "chain_of_the_test:layers=6,seed=7", 6),
    ],
)
def test_the_name_of_a_space_is_the_one_spelling_of_its_options(text: str, name: str, layers: int):
    space = spaces.get(text)
    assert (space.name, len(space.decisions), space.options.layers) == (name, layers, layers)
    assert spaces.get(space.name) is space is spaces.get(text)


def test_spaces_are_listed_without_options_and_ours_have_none():
    assert spaces.names()[0] == "nb201"
    assert spaces.names().count("chain_of_the_test") == 1
    assert all(spaces.get(name).name == name for name in spaces.names())
    with pytest.raises(ValueError, match="space nb201 has no option 'n'; it has none"):
        spaces.get("nb201:n=3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chain_of_the_test:", "'' is no option"),
        ("nb201:", "'' is no option"),
        ("chain_of_the_test:layers=0", "option layers is '0'; expected a whole number from 1 to 16"),
        ("chain_of_the_test:depth=4", "has no option 'depth'; expected one of: layers, seed"),
        ("chain_of_the_test:layers=net.json", "option layers is 'net.json'"),
        ("nowhere:layers=4", "unknown search space 'nowhere'"),
        ("template:0123456789ab", "unknown search space 'template:0123456789ab'"),
        (" nb201", "unknown search space ' nb201'"),
        ("", "unknown search space ''"),
    ],
)
def test_bad_names_are_one_clear_line(text: str, message: str):
    with pytest.raises(ValueError) as caught:
        spaces.get(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_space_that_calls_itself_otherwise_is_refused():
    spaces.register("other_name_of_the_test")(Chain)
    with pytest.raises(ValueError, match="space 'other_name_of_the_test' calls itself 'chain_of_the_test'"):
        spaces.get("other_name_of_the_test")


def test_spaces_with_options_are_scored_by_name_at_a_scale_of_their_own_type():
    (found,) = scoring.score_architectures("chain_of_the_test:layers=4", [(1, 0, 1, 0)], ["params"], TINY)
    assert found.canonical == "0011"
    width, classes = TINY.channels, 10
    assert found.values["params"] == (3 * 9 + 1) * width + 2 * (width * 9 + 1) * width + (width + 1) * classes


def test_every_space_has_a_frozen_scale_of_its_own_and_takes_from_settings_what_it_knows():
    for name in spaces.names():
        space = spaces.get(name)
        scale = space.scale()
        assert type(scale) is space.scale_type
        assert pickle.loads(pickle.dumps(scale)) == scale and hash(scale) == hash(space.scale())
        with pytest.raises(AttributeError):
            scale.channels = 1
    assert spaces.get("nb201").scale_for(channels=8, cells=2) == CellScale(8, 2)
    assert spaces.get("nb201").scale_for(cells=2) == CellScale(16, 2)
    assert spaces.get("nb101").scale() == CellScale(128, 3)
    assert spaces.get("transnas_micro").scale() == CellScale(64, 2)
    assert spaces.get("nats_sss").scale_for(channels=8, cells=2) == NoScale()
    assert spaces.get("chain_of_the_test").scale_for(channels=8, cells=2) == Width(8)


@pytest.mark.parametrize("name", ["nb201", "nats_sss", "nb101", "transnas_micro", "nb_macro"])
def test_a_space_of_images_refuses_tokens_in_one_line(name: str):
    space = spaces.get(name)
    arch = space.sample(np.random.default_rng(0))
    for call in (
        lambda: space.build(arch, input=TokenShape(100, 16), classes=2, scale=space.scale()),
        lambda: space.closed_forms([arch], input=TokenShape(100, 16)),
    ):
        with pytest.raises(ValueError, match=f"{name} builds networks for images; got TokenShape"):
            call()
    assert space.image_shape() == space.input != TokenShape(1, 1)
    assert space.image_shape(ImageShape(1, 8, 8)) == ImageShape(1, 8, 8)


def test_sizes_have_numbers_in_ascending_order():
    widths = spaces.get("nats_sss").decisions
    assert all(decision.values == (8, 16, 24, 32, 40, 48, 56, 64) for decision in widths)
    assert all(tuple(map(float, decision.choices)) == decision.values for decision in widths)
    for values in ((1.0,), (2.0, 1.0), (1.0, 1.0), (0.0, float("nan")), (0.0, float("inf"))):
        with pytest.raises(ValueError, match="width"):
            Decision("width", ("a", "b"), values)


def test_settings_and_exports_hold_the_one_spelling_of_a_space():
    other = "chain_of_the_test:seed=7,layers=4"
    assert SupernetSettings(space=other).space == "chain_of_the_test:layers=4,seed=7"
    assert Blueprint.of(other, "0101").space == "chain_of_the_test:layers=4,seed=7"
    with pytest.raises(ValueError, match="has no option 'depth'"):
        SupernetSettings(space="chain_of_the_test:depth=4")
