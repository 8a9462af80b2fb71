"""What is exported gives the model's outputs where NAS Helm is not installed; bad input is one line, exit code 2."""

from __future__ import annotations

import json
import os
import pickle
import site
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_core.export import Blueprint, _onnx, content, read_weights, write
from nas_core.export._check import draw_statistics, images
from nas_core.spaces import ImageShape, Scale

CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
TINY = ["--channels", "4", "--cells", "1", "--image-size", "9"]
CASES = {
    "nb201": Blueprint.of("nb201", CELL, image=ImageShape(3, 16, 16), classes=10, scale=Scale(4, 1)),
    "nb201_odd": Blueprint.of("nb201", CELL, image=ImageShape(3, 17, 17), classes=10, scale=Scale(4, 1)),
    "nb101": Blueprint.of(
        "nb101",
        "0110000-0001000-0000101-0000001-0000010-0000001-0000000:conv3x3,maxpool3x3,conv1x1,conv3x3,conv3x3",
        image=ImageShape(3, 16, 16),
        classes=10,
        scale=Scale(20, 1),
    ),
    "nb_macro": Blueprint.of("nb_macro", "01210220", image=ImageShape(1, 19, 17), classes=7, scale=Scale(4, 1)),
}
SOURCE_ONLY = {
    "nats_sss": Blueprint.of("nats_sss", "8:16:24:24:32", image=ImageShape(3, 17, 17), classes=10),
    "transnas_micro": Blueprint.of(
        "transnas_micro", "64-41414-1_02_133", image=ImageShape(3, 33, 33), classes=5, scale=Scale(6, 2)
    ),
}
ELSEWHERE = """
import importlib.util, sys
sys.path.append(sys.argv[1])  # no .pth file of it is read: what is installed in editable mode is not there
try:
    import nas_core
except ModuleNotFoundError:
    pass
else:
    sys.exit("nas_core can be imported here")
import numpy as np, onnxruntime, torch
torch.set_num_threads(1)
from pathlib import Path
found = {}
for images in Path.cwd().glob("*.npy"):
    batch = np.load(images)
    spec = importlib.util.spec_from_file_location(images.stem, images.with_suffix(".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.build()
    state = torch.load(images.with_suffix(".pt"), weights_only=True)
    assert list(network.state_dict()) == list(state)
    network.load_state_dict(state)
    with torch.no_grad():
        found[images.stem + " py"] = network.eval()(torch.from_numpy(batch)).numpy()
    if images.with_suffix(".onnx").exists():
        session = onnxruntime.InferenceSession(images.with_suffix(".onnx").read_bytes())
        found[images.stem + " onnx"] = session.run(None, {"images": batch})[0]
assert "nas_core" not in sys.modules
np.savez("found.npz", **found)
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks this small are slower on several threads, much so on a machine that is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Outputs of the app's models, and those of the exported files in a process that cannot import nas_core."""
    folder = tmp_path_factory.mktemp("elsewhere")
    expected = {}
    for name, blueprint in (CASES | SOURCE_ONLY).items():
        model = blueprint.model(seed=1)
        draw_statistics(model, images(blueprint.image, 8, seed=2))
        kinds = {"py": ".py", "state-dict": ".pt"} | ({"onnx": ".onnx"} if name in CASES else {})
        for kind, ending in kinds.items():
            write(content(kind, blueprint, model).data, folder / f"{name}{ending}")
        batch = images(blueprint.image, 5, seed=3)
        np.save(folder / f"{name}.npy", batch.numpy())
        with torch.no_grad():
            expected[name] = model.eval()(batch).numpy()
    command = [sys.executable, "-I", "-S", "-c", ELSEWHERE, site.getsitepackages()[0]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return expected, dict(np.load(folder / "found.npz")), folder


def check(outputs, name: str, kind: str) -> None:
    expected, found = outputs[0][name], outputs[1][f"{name} {kind}"]
    difference = float(np.abs(expected - found).max())
    print(f"\n{name} {kind}: outputs up to {np.abs(expected).max():.2f}, largest difference {difference:.1e}")
    assert np.abs(expected - expected[0]).max() > 0.1 * np.abs(expected).max()  # images matter
    assert difference < 1e-5 * max(1.0, float(np.abs(expected).max()))


@pytest.mark.parametrize("name", [*CASES, *SOURCE_ONLY])
def test_the_exported_module_gives_the_same_outputs_without_nas_core(outputs, name):
    check(outputs, name, "py")


@pytest.mark.parametrize("name", CASES)
def test_the_onnx_graph_gives_the_same_outputs_at_another_batch_size(outputs, name):
    check(outputs, name, "onnx")


def test_without_onnxruntime_the_evaluator_of_onnx_checks_the_graph(outputs, monkeypatch):
    expected, _, folder = outputs
    monkeypatch.setattr(_onnx, "find_spec", lambda name: None if name == "onnxruntime" else True)
    found, runner = _onnx._run((folder / "nb201.onnx").read_bytes(), np.load(folder / "nb201.npy"))
    assert runner == "onnx's evaluator"
    assert np.abs(found - expected["nb201"]).max() < 1e-5


def helm(folder: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess:
    code = f"import sys; {before}\nfrom nas_core.cli import main\nsys.argv[0] = 'nas_core'\nmain()"
    command = [sys.executable, "-c", code, "export", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def assert_one_line(done: subprocess.CompletedProcess, part: str) -> None:
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert part in done.stderr
    assert done.stdout == ""


def test_a_state_dict_goes_out_and_comes_back_with_equal_keys(tmp_path):
    blueprint = Blueprint.of("nb201", CELL, image=ImageShape(3, 9, 9), scale=Scale(4, 1))
    model = blueprint.model(seed=5)
    draw_statistics(model, images(blueprint.image, 8))
    torch.save(model.state_dict(), tmp_path / "mine.pt")
    done = helm(tmp_path, CELL, *TINY, "--weights", "mine.pt", "--out", "net", "--to", "state-dict", "--to", "json")
    assert done.returncode == 0, done.stderr
    back = read_weights(tmp_path / "net.pt")
    assert list(back) == list(model.state_dict())
    assert all(torch.equal(back[key], value) for key, value in model.state_dict().items())
    described = json.loads((tmp_path / "net.json").read_text())
    assert described["notation"] == CELL
    assert described["closed_forms"]["params"] == sum(p.numel() for p in model.parameters())
    assert sorted(os.listdir(tmp_path)) == ["mine.pt", "net.json", "net.pt"]
    wider = helm(tmp_path, CELL, *TINY, "--channels", "6", "--weights", "mine.pt", "--out", "wide.py")
    assert_one_line(wider, "the weights do not fit: stem.0.weight has shape (4, 3, 3, 3), expected (6, 3, 3, 3)")


class Hostile:
    """Runs a command where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def test_a_hostile_pickle_is_refused_and_not_executed(tmp_path):
    torch.save({"stem.0.weight": Hostile()}, tmp_path / "zip.pt")
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Hostile()))
    for name in ("zip.pt", "raw.pt"):
        done = helm(tmp_path, CELL, *TINY, "--weights", name, "--out", "net.py")
        assert_one_line(done, f"{name} is no state dict: torch cannot read it safely")
    assert sorted(os.listdir(tmp_path)) == ["raw.pt", "zip.pt"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["|bogus~0|", "--out", "net.py"], "malformed cell '|bogus~0|'"),
        ([CELL, "--out", "net.txt"], "expected an ending .py"),
        ([CELL, "--out", "."], "is a folder"),
        ([CELL, "--out", "missing/net.py"], "lies in no folder"),
        ([CELL, "--out", "net.py", "--channels", "0"], "--channels"),
        ([CELL, "--out", "net.py", "--to", "pickle"], "--to"),
        ([CELL, "--out", "net.json", "--space", "bogus"], "unknown search space 'bogus'"),
        ([CELL, "--out", "net.py", "--weights", "missing.pt"], "missing.pt"),
    ],
)
def test_bad_arguments(tmp_path, arguments, part):
    assert_one_line(helm(tmp_path, *arguments), part)
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_one_line_says_what_to_install_and_nothing_is_written(tmp_path):
    absent = (
        "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n == 'onnx' else f(n, *a)"
    )
    done = helm(tmp_path, CELL, *TINY, "--out", "net", "--to", "py", "--to", "onnx", before=absent)
    assert_one_line(done, "ONNX needs onnx; install with: pip install onnx onnxscript")
    assert list(tmp_path.iterdir()) == []
