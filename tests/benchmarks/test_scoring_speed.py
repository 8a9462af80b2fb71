"""Our scorer against one written straight from the definition, on the same cells and settings, in one run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from nas_core import scoring, spaces
from nas_core.proxies import ScoreSettings
from nas_core.spaces import ImageShape, Scale

SPACE = spaces.get("nb201")
ALL = list(SPACE.architectures())


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def straightforward(arch, settings: ScoreSettings) -> float:
    """ZiCo as it is defined: a fresh network, whole gradients kept as arrays, float32, default layout."""
    batches, classes = scoring._batches(settings)
    image = ImageShape(3, settings.image_size, settings.image_size)
    network = SPACE.build(arch, input=image, classes=classes, scale=Scale(settings.channels, settings.cells)).train()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.AvgPool2d) and child.kernel_size == 3:  # ours is a faster spelling of it
                setattr(module, name, nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False))
    gradients: dict[str, list[np.ndarray]] = {}
    for images, labels in batches:
        network.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Conv2d | nn.Linear) and layer.weight.grad is not None:
                gradients.setdefault(name, []).append(layer.weight.grad.flatten().numpy().copy())
    score = 0.0
    for layer_gradients in gradients.values():
        stacked = np.stack(layer_gradients)
        deviation = stacked.std(axis=0)
        kept = deviation > 0
        total = (np.abs(stacked).mean(axis=0)[kept] / deviation[kept]).sum()
        score += float(np.log(total)) if total > 0 else 0.0
    return score


def peak_flops() -> float:
    """Floating-point operations a second of this machine's own matrix product, one thread, float32."""
    left, right = torch.randn(1024, 1024), torch.randn(1024, 1024)
    best = np.inf
    for _ in range(10):
        started = time.process_time()
        left @ right
        best = min(best, time.process_time() - started)
    return 2 * 1024**3 / best


def multiply_accumulates(archs, settings: ScoreSettings) -> float:
    """Of all passes over all batches: backward costs twice a forward pass; live edges only."""
    image = ImageShape(3, settings.image_size, settings.image_size)
    live = [tuple(c if alive else 0 for c, alive in zip(arch, _live(arch), strict=True)) for arch in archs]
    forms = SPACE.closed_forms(live, input=image, scale=Scale(settings.channels, settings.cells))
    return 3 * settings.batches * settings.batch_size * float(forms["flops"].sum())


def _live(arch):
    return [edge.live for edge in SPACE.graph(arch).edges]


def timed(score, archs, rounds: int = 1) -> tuple[float, list[float]]:
    """Best processor seconds of the rounds, and the scores."""
    best, values = np.inf, []
    for _ in range(rounds):
        started = time.process_time()
        values = score(archs)
        best = min(best, time.process_time() - started)
    return best, values


@pytest.mark.parametrize(
    ("title", "settings", "ours", "cells", "least"),
    [
        ("published scale", ScoreSettings.published(), {"precision": "bfloat16"}, 12, 2.5),
        ("laptop settings", ScoreSettings.laptop(), {}, 64, 1.5),
    ],
)
def test_cells_a_second_against_the_definition(title, settings, ours, cells, least):
    rng = np.random.default_rng(0)
    archs = [SPACE.canonical(ALL[k]) for k in rng.choice(len(ALL), cells, replace=False)]
    mine = replace(settings, **ours)
    scoring.score_architectures(SPACE, archs[:2], ["zico"], mine)
    straightforward(archs[0], settings)
    theirs_seconds, theirs = timed(lambda some: [straightforward(arch, settings) for arch in some], archs)
    seconds, found = timed(
        lambda some: [s.values["zico"] for s in scoring.score_architectures(SPACE, some, ["zico"], mine)], archs
    )
    share = 2 * multiply_accumulates(archs, settings) / seconds / peak_flops()
    print(
        f"\n{title}: {1000 * seconds / cells:.1f} ms a cell, straightforward {1000 * theirs_seconds / cells:.1f}, "
        f"ratio {theirs_seconds / seconds:.2f}; {share:.0%} of the measured float32 matrix-multiply peak; "
        f"rank agreement of both {spearmanr(found, theirs).statistic:.3f}, n = {cells}"
    )
    assert theirs_seconds / seconds >= least


MEMORY = """
import json, re
import torch, pandas, numpy, scipy.stats
from nas_core import scoring, spaces, data
from nas_core.proxies import ScoreSettings
scoring.start_worker()
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before = peak()
space = spaces.get("nb201")
archs = [space.canonical(a) for a in list(space.architectures())[::61]][:128]
scoring.score_architectures(space, archs, ["zico"], ScoreSettings.laptop())
print(json.dumps([before, peak()]))
"""


def test_peak_memory_of_a_worker():
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    before, after = json.loads(done.stdout)
    print(f"\npeak memory of a worker: {after - before:.0f} MB beyond interpreter and torch ({before:.0f} MB)")
    assert after - before <= 400
