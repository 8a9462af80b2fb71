"""Layers are named as people name them, in every space; no two layers of a network have one name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.layer_names import layer_names, operation, renamed
from nas_core import spaces
from nas_core.proxies.base import weighted_layers
from nas_core.proxies.settings import ScoreSettings
from nas_core.spaces import ImageShape
from nas_core.spaces.template import PRESETS

SETTINGS = ScoreSettings.laptop()
DEEP = ScoreSettings(image_size=16, channels=8, cells=2)


def named(space, arch, settings=SETTINGS):
    """People's names of the layers of a network, by the names of their modules."""
    scale = space.scale_for(channels=settings.channels, cells=settings.cells)
    image = ImageShape(3, settings.image_size, settings.image_size)
    layers = weighted_layers(space.build(arch, input=image, classes=10, scale=scale))
    modules, kinds = [name for name, _ in layers], [type(module).__name__ for _, module in layers]
    shapes = ["x".join(map(str, module.weight.shape)) for _, module in layers]
    return dict(zip(modules, layer_names(modules, kinds, shapes, space, arch, settings), strict=True))


ALL = [*spaces.names(), *PRESETS]


@pytest.mark.parametrize("settings", [SETTINGS, DEEP], ids=["one cell", "two cells"])
@pytest.mark.parametrize("name", ALL)
def test_every_layer_of_every_space_has_a_name_of_its_own_without_a_module_in_it(name, settings):
    space = spaces.define(PRESETS[name]().to_dict()) if name in PRESETS else spaces.get(name)
    rng = np.random.default_rng(0)
    for _ in range(4):
        found = named(space, space.canonical(space.sample(rng)), settings)
        assert len(set(found.values())) == len(found)
        assert not any("." in told or "blocks" in told or "branch" in told for told in found.values()), found
        assert all(told.split(" · ")[-1].startswith(("conv", "depthwise", "dense")) for told in found.values())


def test_cells_are_counted_through_the_stages_and_edges_have_their_own_names():
    space = spaces.get("nb201")
    found = named(space, (3,) * 6, DEEP)
    assert found["stem.0"] == "stem · conv 3×3"
    assert found["blocks.0.edges.0.1"] == "cell 1 · edge 0→1 · conv 3×3"
    assert found["blocks.2.first.1"] == "reduction 1 · first · conv 3×3"
    assert found["blocks.2.shortcut.1"] == "reduction 1 · shortcut · conv 1×1"
    assert found["blocks.3.edges.5.1"] == "cell 3 · edge 2→3 · conv 3×3"
    assert found["classifier"] == "head · dense"


def test_blocks_of_a_template_keep_their_number_when_others_are_left_out():
    space = spaces.define(PRESETS["3-conv-7-layer"]().to_dict())
    some = named(space, space.parse("010|" + "|".join(["111"] * 6)))
    every = named(space, space.parse("|".join(["111"] * 7)))
    assert some["layers.0.blocks.0.0"] == every["layers.0.blocks.1.0"] == "layer 1 · block 2 · conv 3×3"


def test_vertices_and_bottlenecks_are_named_by_what_they_do():
    space = spaces.get("nb_macro")
    assert {told.split(" · ")[1] for told in named(space, space.parse("11111111")).values()} >= {"expand", "filter"}
    space = spaces.get("nb101")
    rng = np.random.default_rng(1)
    told = {name for _ in range(5) for name in named(space, space.canonical(space.sample(rng))).values()}
    assert any(" · vertex " in name for name in told) and any(" · input to " in name for name in told)


def test_the_modules_own_name_is_kept_beside():
    space = spaces.get("nb201")
    table = pd.DataFrame({"layer": ["stem.0"], "kind": ["Conv2d"], "shape": ["16x3x3x3"], "term": [1.0]})
    told = renamed(table, space, (3,) * 6, SETTINGS)
    assert told[["layer", "module", "term"]].iloc[0].tolist() == ["stem · conv 3×3", "stem.0", 1.0]
    assert renamed(pd.DataFrame(), space, (3,) * 6, SETTINGS).empty


def test_a_module_that_this_version_does_not_build_keeps_its_name():
    told = layer_names(["cells.0.op"], ["Conv2d"], ["8x8x3x3"], spaces.get("nb201"), (3,) * 6, SETTINGS)
    assert told == ["cells.0.op · conv 3×3"]


def test_what_a_layer_is_is_told_from_its_weight():
    assert operation("Conv2d", "32x1x5x5") == "depthwise 5×5"
    assert operation("Conv2d", "1x1x3x3") == "conv 3×3"
    assert operation("Linear", "10x64") == "dense"
