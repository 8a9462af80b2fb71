"""The exported source is that of exactly this network, and refuses what it cannot promise."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from nas_core import spaces
from nas_core.export import Blueprint, describe, python_source, read_weights, write
from nas_core.export import _check as check
from nas_core.export._source import load, source
from nas_core.spaces import ImageShape, Scale

CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
BLUEPRINT = Blueprint.of("nb201", CELL, image=ImageShape(3, 9, 9), scale=Scale(4, 2))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks this small are slower on several threads, much so on a machine that is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_importing_the_room_imports_no_torch():
    code = "import sys, nas_core.export, nas_core.cli._export; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_header_names_space_notation_canonical_form_and_parameters():
    model = BLUEPRINT.model()
    header = python_source(BLUEPRINT, model).split("\nimport")[0]
    assert all(line.startswith("#") for line in header.strip().splitlines())
    for part in ("nb201", CELL, BLUEPRINT.canonical, f"{sum(p.numel() for p in model.parameters()):,}"):
        assert part in header


def test_the_source_needs_torch_only_and_shows_the_cell():
    text = python_source(BLUEPRINT, BLUEPRINT.model())
    imports = [line for line in text.splitlines() if line.startswith(("import", "from"))]
    assert imports == ["import torch", "from torch import nn"]
    assert "node_1 = self.edges[0](features)" in text
    assert "# edge 1→2: none, never run" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", spaces.names())
def test_random_architectures_of_every_space_are_written(name):
    rng = np.random.default_rng(0)
    space = spaces.get(name)
    for _ in range(2):
        image = ImageShape(int(rng.integers(1, 4)), int(rng.integers(9, 20)), int(rng.integers(9, 20)))
        scale = Scale(int(rng.integers(1, 12)), int(rng.integers(1, 4)))
        blueprint = Blueprint.of(name, space.sample(rng), image=image, classes=7, scale=scale)
        model = blueprint.model()
        before = {key: value.clone() for key, value in model.state_dict().items()}
        network = load(python_source(blueprint, model))  # compares outputs, see `same_network`
        assert list(network.state_dict()) == list(before)
        assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
        assert not model.training


def test_a_cell_without_a_path_gives_zeros_of_the_right_shape():
    blueprint = Blueprint.of("nb201", (0,) * 6, image=ImageShape(3, 9, 7), scale=Scale(4, 1))
    assert "new_zeros" in python_source(blueprint, blueprint.model())


def test_equal_seeds_give_equal_weights_and_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    first, second, other = (BLUEPRINT.model(seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["stem.0.weight"], other["stem.0.weight"])
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda state: state.pop("blocks.0.edges.0.1.weight"), "blocks.0.edges.0.1.weight is missing"),
        (lambda state: state.update(extra=torch.zeros(1)), "the network has no extra"),
        (
            lambda state: state.update({"stem.0.weight": torch.zeros(5, 3, 3, 3)}),
            "stem.0.weight has shape (5, 3, 3, 3)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_their_first_key(change, part):
    state = dict(BLUEPRINT.model().state_dict())
    change(state)
    with pytest.raises(ValueError, match="do not fit") as refused:
        BLUEPRINT.model(weights=state)
    assert part in str(refused.value)


@pytest.mark.parametrize("held", [b"", b"garbage", b"PK\x03\x04torn", b"\x80\x02."])
def test_a_file_that_is_no_state_dict_is_refused(tmp_path, held):
    (tmp_path / "w.pt").write_bytes(held)
    with pytest.raises(ValueError, match="is no state dict"):
        read_weights(tmp_path / "w.pt")


def test_a_file_of_other_tensors_is_refused(tmp_path):
    torch.save([torch.zeros(1)], tmp_path / "w.pt")
    with pytest.raises(ValueError, match="expected tensors by name"):
        read_weights(tmp_path / "w.pt")


def test_the_description_is_json_and_complete():
    described = json.loads(json.dumps(describe(BLUEPRINT), allow_nan=False))
    assert described["decisions"][0] == {
        "name": "edge 0→1",
        "choice": "nor_conv_3x3",
        "choices": list(spaces.get("nb201").decisions[0].choices),
    }
    assert len(described["graph"]["edges"]) == 6
    assert described["closed_forms"]["params"] == sum(p.numel() for p in BLUEPRINT.model().parameters())
    assert described["image"] == {"channels": 3, "height": 9, "width": 9}
    assert described["versions"]["torch"] == torch.__version__


class Halved(nn.AvgPool2d):
    """A torch layer that computes something else than its name says."""

    def forward(self, features):
        return super().forward(features) / 2


class Branching(nn.Module):
    """Depends on values."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, features):
        return self.layer(features) if features.sum() > 0 else features


class Around(nn.Module):
    """A network with a layer in it."""

    def __init__(self, layer):
        super().__init__()
        self.layer, self.head = layer, nn.Conv2d(3, 2, 1)

    def forward(self, images):
        return self.head(self.layer(images))


def test_source_that_computes_something_else_is_refused():
    model = Around(Halved(3))
    network = load(source(model, "header", "build"))
    with pytest.raises(ValueError, match="the Python module differs from the model"):
        check.same_network(model, network, ImageShape(3, 9, 9), "the Python module")


def test_a_network_that_depends_on_values_is_refused_by_name():
    with pytest.raises(ValueError, match="Branching cannot be written as source"):
        source(Around(Branching()), "header", "build")


def test_outputs_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="not written"):
        check.difference(torch.tensor([1.0]), torch.tensor([float("nan")]), "it")


def test_a_file_is_replaced_whole(tmp_path, monkeypatch):
    write(b"old", tmp_path / "net.py")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        write(b"new", tmp_path / "net.py")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("net.py", b"old")]
